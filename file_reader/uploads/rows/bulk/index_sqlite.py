"""The row index on SQLite: the columns that it is made of, its blocks, and questions about rows."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from django.db import OperationalError, connection

from uploads.errors import RowQueryTimeoutError

#: Rows that are tuples at a time, while they become columns: few enough for the processor's cache.
_FETCHED_ROWS = 1_000
_TYPES: tuple[Any, ...] = (np.int64, "S8", np.int64, np.float64, np.float64, np.float64, "S40")
#: How often SQLite looks at the clock: its steps, of which it does some ten millions a second.
_STEPS_BETWEEN_LOOKS = 20_000


def read_columns(first_id: int, last_id: int) -> list[npt.NDArray[Any]]:
    """Status, postcode, area, latitude, longitude, distance and reason."""
    parts: list[list[npt.NDArray[Any]]] = [[np.empty(0, type_) for type_ in _TYPES]]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, CAST(COALESCE(postcode, '') AS BLOB), COALESCE(area_id, -1), latitude, longitude,"
            " distance_m, CAST(COALESCE(reason, '') AS BLOB) FROM uploads_row WHERE id BETWEEN %s AND %s ORDER BY id",
            [first_id, last_id],
        )
        while rows := cursor.fetchmany(_FETCHED_ROWS):
            columns = zip(*rows, strict=True)
            parts.append([np.array(column, type_) for column, type_ in zip(columns, _TYPES, strict=True)])
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def insert_blocks(blocks: Sequence[tuple[Any, ...]]) -> None:
    with connection.wrap_database_errors:
        connection.connection.executemany(
            "INSERT INTO uploads_indexblock (upload_id, kind, segment, first_key, last_key, first_row, rows, keys)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            blocks,
        )


class Statements:
    """The statements of one question, which have so many seconds together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() > self._end

    def records(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self.is_over():
            raise RowQueryTimeoutError(self._seconds)
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cast(list[tuple[Any, ...]], cursor.fetchall())

    def blocks(self, statement: str) -> list[tuple[int, int, Any, Any]]:
        return cast(list[tuple[int, int, Any, Any]], self.records(statement))


@contextmanager
def question(seconds: float) -> Iterator[Statements]:
    """A transaction that only reads: no writer waits for it."""
    statements = Statements(seconds)
    connection.ensure_connection()
    raw = connection.connection
    # Not by Django, whose transactions here wait for the right to write.
    begins = not raw.in_transaction
    try:
        raw.set_progress_handler(statements.is_over, _STEPS_BETWEEN_LOOKS)
        if begins:
            raw.execute("BEGIN")
        yield statements
    except OperationalError as error:
        if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
            raise
        raise RowQueryTimeoutError(seconds) from error
    finally:
        raw.set_progress_handler(None, 0)
        if begins and raw.in_transaction:
            raw.execute("ROLLBACK")
