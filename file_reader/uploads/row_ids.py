"""A row's id is its upload's number and its own number in one integer."""

from typing import Any

#: A row's id is its upload's number and its own, in one integer: the primary key alone keeps rows unique, in file
#: order and together, and a chunk is a range of it.
ROW_BITS = 32
#: The most rows that one upload can have.
MAX_ROWS = (1 << ROW_BITS) - 1


def row_id(upload_id: int, number: int) -> int:
    """The id of the row with that number (from 1) in that upload."""
    return upload_id << ROW_BITS | number


def row_number(row_id: int) -> int:
    """The number, in its upload, of the row with that id."""
    return row_id & MAX_ROWS


def ids_of_upload(upload_id: int) -> tuple[int, int]:
    """The first and the last id that a row of one upload can have."""
    return row_id(upload_id, 0), row_id(upload_id, MAX_ROWS)


def row_range(upload_id: int, first_row: int, row_count: int) -> dict[str, Any]:
    """The filter for a run of rows of one upload."""
    return {"id__range": (row_id(upload_id, first_row), row_id(upload_id, first_row + row_count - 1))}
