"""The way of a file from the bytes that were sent to its rows, as the service goes it, without the service."""

import io
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, BinaryIO, cast

from tests.corpus.drip import Drip

from uploads.reading.containers import SheetCsv, as_table, beginning_of, check_unwrapped, is_zip, unwrapped
from uploads.reading.detecting.detect import SAMPLE_BYTES, detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.sheets import dialect_of_sheet
from uploads.reading.errors import ReadingError
from uploads.reading.formats.converting import Origin, converted, kind_of
from uploads.reading.formats.telling import dialect_of_converted
from uploads.reading.records import ReadRow, read_records, read_rows
from uploads.reading.second_look import check_beginning
from uploads.reading.workbook.about import About
from uploads.reading.workbook.csv_text import PIECE_BYTES

_PIECE_BYTES = 1 << 14


@dataclass
class Reading:
    """What was read of a file, up to the error that ended it."""

    content: bytes = b""
    dialect: Dialect | None = None
    rows: list[ReadRow] = field(default_factory=list)
    error: ReadingError | None = None


def read(data: bytes, *, max_bytes: int = 10 << 20, pieces: int = 0, **declared: Any) -> Reading:
    """Reads a file as far as it can be read; the table by so many bytes at a time, if `pieces` says how many."""
    reading = Reading()
    try:
        reading.content, origin = unpacked(data, max_bytes)
        reading.dialect = told(reading.content, origin, **declared)
        with opened(reading.content, reading.dialect.sheet) as table:
            check_beginning(beginning_of(table, SAMPLE_BYTES), reading.dialect)
            for row in read_rows(dripping(table, pieces) if pieces else table, reading.dialect):
                reading.rows.append(row)  # what was read before an error stays
    except ReadingError as error:
        reading.error = error
    return reading


def dripping(table: BinaryIO, size: int) -> BinaryIO:
    """The same table, by so many bytes at a time."""
    content, error = b"", None
    try:
        while piece := table.read(PIECE_BYTES):
            content += piece
    except ReadingError as caught:
        error = caught
    if isinstance(table, SheetCsv):
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        return cast(BinaryIO, SheetCsv(_again(pieces, error), table, table.about))
    return cast(BinaryIO, Drip(content, size))


def unpacked(data: bytes, max_bytes: int) -> tuple[bytes, Origin]:
    """The table, and what it was before it became one."""
    left: list[str] = []
    pieces = unwrapped(io.BytesIO(data), left, max_bytes=max_bytes)
    if pieces is not None:
        data = b"".join(pieces)
        check_unwrapped(io.BytesIO(data), max_bytes=max_bytes)
    kind = kind_of(io.BytesIO(data))
    if kind is None:
        return data, Origin(left=left)
    origins: list[Origin] = []
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        data = b"".join(converted(cast(BinaryIO, file), kind, origins, max_bytes=max_bytes))
    return data, replace(origins[0], left=origins[0].left + left)


def told(content: bytes, origin: Origin, **declared: Any) -> Dialect:
    with opened(content, declared.get("sheet") or "") as table:
        if isinstance(table, SheetCsv):
            return replace(dialect_of_sheet(table, Declared(**declared)), format="xlsx", left=origin.left)
        sample = table.read(SAMPLE_BYTES)
    if origin.format != "csv":
        return dialect_of_converted(sample, Declared(**declared), origin)
    further = []
    if len(content) > SAMPLE_BYTES:
        starts = range(SAMPLE_BYTES, len(content), max(_PIECE_BYTES, len(content) // 8))
        further = [content[start : start + _PIECE_BYTES] for start in starts]
    return replace(detect_dialect(sample, Declared(**declared), further=further), left=origin.left)


def record_texts(content: bytes, dialect: Dialect) -> Iterator[tuple[int, str]]:
    """The line and the text of every record."""
    with opened(content, dialect.sheet) as table:
        for record in read_records(table, dialect):
            yield record.line, record.text


def opened(content: bytes, sheet: str) -> BinaryIO:
    """The table in a file. A workbook is read by a process only once, as many tests look at the same one."""
    if not is_zip(content[:4]):
        return io.BytesIO(content)
    pieces, error, about = sheet_of(content, sheet)
    return cast(BinaryIO, SheetCsv(_again(pieces, error), io.BytesIO(), about))


@lru_cache(maxsize=8)
def sheet_of(content: bytes, sheet: str) -> tuple[list[bytes], ReadingError | None, About]:
    """The pieces of a sheet's CSV, what ended them, and what is told of the workbook."""
    pieces: list[bytes] = []
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        with as_table(cast(BinaryIO, file), sheet) as table:
            about = cast(SheetCsv, table).about
            try:
                while piece := table.read(PIECE_BYTES):
                    pieces.append(piece)
            except ReadingError as error:
                return pieces, error, about
    return pieces, None, about


def _again(pieces: list[bytes], error: ReadingError | None) -> Generator[bytes, None, None]:
    yield from pieces
    if error is not None:
        raise error
