"""The map of an upload: in which cells how many rows lie, and what became of them, also while the work goes on."""

import math
from typing import NamedTuple

import numpy as np

from uploads.errors import ParameterError
from uploads.models import RowStatus
from uploads.rows.bulk.questions import Questions, question
from uploads.rows.cells import (
    LARGEST,
    MOST_CELLS,
    NOWHERE,
    PER_DEGREE,
    UNCHANGED,
    Counts,
    Statuses,
    count_rows,
    merged,
    unpacked,
    within,
)
from uploads.rows.filters import Box, Filters

#: Rows whose cells are read at once.
_ROWS_AT_ONCE = 1 << 20
#: In the order of the interface.
_COLUMNS = RowStatus.MATCH, RowStatus.NO_MATCH, RowStatus.FAILED, RowStatus.REJECTED, RowStatus.PENDING


class UploadMap(NamedTuple):
    """`cells` are column, row, and the rows by status; `outside` are the rows that are in none of them. Degrees."""

    size: float
    cells: list[list[int]]
    outside: int


def map_of(upload_id: int, size: int, filters: Filters) -> UploadMap:
    """The map of an upload in cells of `size` smallest ones. If there were too many, in cells twice as large, or four
    times … Of the filters, `status` and `box` count: a cell is there if it touches the box.

    Raises RowQueryTimeoutError.
    """
    with question() as ask:
        statuses = _statuses(ask, upload_id)
        counts = _counts(ask, upload_id, statuses, filters.status)
    asked = len(statuses) if filters.status is None else int((statuses == filters.status).sum())
    while True:
        seen = within(counts, size, *_corners(filters.box, size)) if filters.box else counts
        cells = merged(seen, size)
        if len(cells) <= MOST_CELLS:
            break
        size *= 2
    columns = [0, 1, *(2 + status for status in _COLUMNS)]
    return UploadMap(size / PER_DEGREE, cells[:, columns].tolist(), asked - int(seen[3].sum()))


def parse_size(text: str) -> int:
    """How many smallest cells a cell of that size in degrees is wide. Raises ParameterError."""
    try:
        size = float(text) * PER_DEGREE if text.isascii() and "_" not in text else math.nan
    except ValueError:
        size = math.nan
    if not (0.5 < size <= LARGEST) or abs(size - round(size)) > 1e-6:
        raise ParameterError("size", f"Accepted: degrees, from {1 / PER_DEGREE} to 90, in steps of {1 / PER_DEGREE}.")
    return round(size)


def _corners(box: Box, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The columns and rows of the cells at the south-west and the north-east of a box."""
    west, south, east, north = (
        math.floor(degrees * PER_DEGREE) // size for degrees in (box.west, box.south, box.east, box.north)
    )
    return (west, south), (east, north)


def _statuses(ask: Questions, upload_id: int) -> Statuses:
    """Of each row, what became of it."""
    statuses = np.full(ask.rows_loaded(upload_id), RowStatus.PENDING.value, np.uint8)
    for first_row, body in ask.map_statuses(upload_id):
        said = np.frombuffer(body, np.uint8)
        part = statuses[first_row - 1 : first_row - 1 + len(said)]
        np.copyto(part, said, where=said != UNCHANGED)
    return statuses


def _counts(ask: Questions, upload_id: int, statuses: Statuses, only: int | None) -> Counts:
    """How many rows of each status are in each smallest cell. A rejected row is in none: `statuses` has it then."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for first in range(1, len(statuses) + 1, _ROWS_AT_ONCE):
        for first_row, body in ask.map_cells(upload_id, first, first + _ROWS_AT_ONCE - 1):
            cells = np.frombuffer(body, "<u4")
            of_cells = statuses[first_row - 1 : first_row - 1 + len(cells)]
            of_cells[cells == NOWHERE] = RowStatus.REJECTED
            if only is not None:
                cells = np.where(of_cells == only, cells, np.uint32(NOWHERE))
            found.append(count_rows(cells, of_cells))
    pairs, rows = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return unpacked(pairs, rows)
