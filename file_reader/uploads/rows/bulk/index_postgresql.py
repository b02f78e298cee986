"""The row index on PostgreSQL: the columns that it is made of, its blocks, and questions about rows."""

import io
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from django.db import OperationalError, connection, transaction

from uploads.errors import RowQueryTimeoutError
from uploads.rows.bulk.postgresql import HEADER, TRAILER, copy_in, copy_out

_COLUMNS = np.dtype([
    ("fields", ">i2"), ("_1", ">i4"), ("status", ">i2"), ("_2", ">i4"), ("postcode", "S8"), ("_3", ">i4"),
    ("area", ">i8"), ("_4", ">i4"), ("latitude", ">f8"), ("_5", ">i4"), ("longitude", ">f8"),
    ("_6", ">i4"), ("distance", ">f8"), ("_7", ">i4"), ("reason", "S40"),
])  # fmt: skip
_TYPES: dict[str, Any] = {
    "status": np.int64, "postcode": "S8", "area": np.int64, "latitude": np.float64, "longitude": np.float64,
    "distance": np.float64, "reason": "S40",
}  # fmt: skip
_NO_REASON = f"'\\x{'00' * 40}'::bytea"
#: A block as far as its rows.
_BLOCK = struct.Struct(">h iq ih iq iq iq iq i")
_READ_BLOCK = struct.Struct(">h iq iq i")
_LENGTH = struct.Struct(">i")
#: What PostgreSQL says when it has stopped a statement.
_CANCELLED = "57014"
_ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
# What is asked is a walk along a key, or a look at it for each of a few rows. Of a large upload that is new, PostgreSQL
# knows nothing yet, and might think of another way.
_SETTINGS = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL enable_material = off; SET LOCAL jit = off;
"""


def read_columns(first_id: int, last_id: int) -> list[npt.NDArray[Any]]:
    """Status, postcode, area, latitude, longitude, distance and reason."""
    records = copy_out(
        "SELECT status,"  # noqa: S608 - numbers
        " substring(convert_to(COALESCE(postcode, ''), 'UTF8') || '\\x0000000000000000'::bytea FROM 1 FOR 8),"
        " COALESCE(area_id, -1), COALESCE(latitude, 'NaN'), COALESCE(longitude, 'NaN'),"
        " COALESCE(distance_m, 'NaN'),"
        f" CASE WHEN reason IS NULL THEN {_NO_REASON}"
        f" ELSE substring(convert_to(reason, 'UTF8') || {_NO_REASON} FROM 1 FOR 40) END"
        f" FROM uploads_row WHERE id BETWEEN {first_id} AND {last_id} ORDER BY id",
        _COLUMNS,
    )
    return [records[name].astype(type_) for name, type_ in _TYPES.items()]


def insert_blocks(blocks: Sequence[tuple[Any, ...]]) -> None:
    parts: list[bytes] = []
    for upload, kind, segment, first_key, last_key, first_row, rows, keys in blocks:
        fixed = 8, upload, 2, kind, 8, segment, 8, first_key, 8, last_key, 8, first_row, len(rows)
        parts += [_BLOCK.pack(8, *fixed), rows, _LENGTH.pack(len(keys)), keys]
    copy_in("uploads_indexblock (upload_id, kind, segment, first_key, last_key, first_row, rows, keys)", parts)


class Statements:
    """The statements of one question, which have so many seconds together."""

    def __init__(self, cursor: Any, seconds: float, *, settings: str) -> None:
        self._cursor = cursor
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._before = settings

    def records(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._cursor.execute(self._limited(statement), values or None)
        return cast(list[tuple[Any, ...]], self._cursor.fetchall())

    def blocks(self, statement: str) -> list[tuple[int, int, Any, Any]]:
        """Records of two integers and two texts of bytes: by COPY, for otherwise these would come as hexadecimals."""
        text = io.BytesIO()
        with connection.wrap_database_errors:
            self._cursor.copy_expert(self._limited(f"COPY ({statement}) TO STDOUT (FORMAT binary)"), text)
        return list(_blocks(text.getbuffer()))

    def _limited(self, statement: str) -> str:
        left = self._end - time.monotonic()
        if left <= 0:
            raise RowQueryTimeoutError(self._seconds)
        before, self._before = self._before, ""
        return f"{before} SET LOCAL statement_timeout = {int(left * 1_000) + 1}; {statement}"


def _blocks(text: memoryview) -> Iterator[tuple[int, int, Any, Any]]:
    at, end = len(HEADER), len(text) - len(TRAILER)
    while at < end:
        _, _, upload, _, first_key, length = _READ_BLOCK.unpack_from(text, at)
        at += _READ_BLOCK.size
        rows, at = text[at : at + length], at + length
        (length,) = _LENGTH.unpack_from(text, at)
        at += _LENGTH.size
        keys, at = (None, at) if length < 0 else (text[at : at + length], at + length)
        yield upload, first_key, rows, keys


@contextmanager
def question(seconds: float) -> Iterator[Statements]:
    """A transaction that only reads, and is rolled back: no setting outlives it."""
    # Of a question inside another transaction, as in tests, the statements see what that one sees.
    settings = _SETTINGS if connection.in_atomic_block else _ONE_STATE + _SETTINGS
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            yield Statements(cursor, seconds, settings=settings)
            transaction.set_rollback(True)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != _CANCELLED:
            raise
        raise RowQueryTimeoutError(seconds) from error
