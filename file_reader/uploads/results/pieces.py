"""The rows of a result, some thousands at a time: their records as they stand in the file, and their answers.

What is done for each row is done millions of times: it is done a piece at a time, and column by column.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, compress, islice
from typing import Any, Generic, NamedTuple, TypeVar

from uploads.files.stored import open_upload
from uploads.models import NO_NAMES, Area, AreaNames, RowStatus, Upload
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError
from uploads.reading.records import Block, read_blocks
from uploads.results.columns import fields_of, fields_to_keep, names_of_answers, without_answers
from uploads.row_ids import row_id
from uploads.rows.bulk import stored_answers, upload_is_there

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: A piece is the first blocks that together have as many rows, or characters when the records are long.
_ROWS = 5_000
_CHARS = 1 << 20
#: Areas that are remembered while a result is sent: the country has some ten thousand.
_MAX_AREAS = 20_000


class UploadGoneError(Exception):
    """The upload was deleted while its result was sent: the answer is broken off, as what follows would be false."""


class Choice(NamedTuple):
    """What of a result is wanted: these columns in this order, or all; rows with this status, or all."""

    columns: Sequence[str] | None = None
    status: int | None = None
    #: Of CSV: no cell is a formula to a spreadsheet.
    safe: bool = False


class Answers(NamedTuple):
    """What the database has of some rows, column by column: metres, degrees. Other values than statuses may be None."""

    statuses: Sequence[Any] = ()
    reasons: Sequence[Any] = ()
    postcodes: Sequence[Any] = ()
    distances: Sequence[Any] = ()
    areas: Sequence[Any] = ()
    latitudes: Sequence[Any] = ()
    longitudes: Sequence[Any] = ()


_NOTHING = Answers()
#: What is stored of a row without an answer.
_PENDING = (RowStatus.PENDING.value, None, None, None, None, None, None)


@dataclass
class Piece:
    """Some rows: the text of each record, the number of its fields, and what is stored of it."""

    texts: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    #: The fields of each record; they are read when somebody asks for them.
    records: Callable[[], Iterable[list[str]]] = tuple
    answers: Answers = _NOTHING


@dataclass(frozen=True)
class Result:
    """A result that is read once, from its beginning."""

    #: The first bytes of the file; none of a workbook.
    beginning: bytes
    dialect: Dialect
    #: What stands above the rows; the last record is the header, if there is one.
    above: Piece
    #: How many columns the file has, without the answers of before, if it is a result that was sent again.
    width: int
    #: What the columns of the answers are called.
    answers: Sequence[str]
    pieces: Iterator[Piece]


@contextmanager
def open_result(upload: Upload, status: int | None, *, located: bool = False) -> Iterator[Result]:
    """The result of an upload, its rows with that status or all of them; if `located`, with their locations.

    Every record comes back in its order, also while the work goes on: rows without an answer are `pending`. Of a file
    that cannot be read to its end, the records before the fault come back. Its pieces raise UploadGoneError.
    """
    dialect = Dialect.from_json(upload.dialect)
    with open_upload(upload.public_id, dialect.sheet) as stream:
        beginning = b""
        if stream.seekable():
            beginning = stream.read(3)
            stream.seek(0)
        runs = _runs(read_blocks(stream, dialect), dialect.preamble + 1)
        start = next(runs, Piece())
        has_rows = len(start.texts) > dialect.preamble  # or at least a header
        first = dialect.preamble + dialect.has_header if has_rows else 0
        width = start.widths[dialect.preamble] + max(0, dialect.surplus) if has_rows else 0
        above = _part(start, 0, first)
        rows: Iterable[Piece] = chain([_part(start, first, None)], runs) if has_rows else ()
        called = fields_of(above.texts[-1], dialect) if has_rows and dialect.has_header else []
        if (kept := fields_to_keep(called, dialect)) is not None:
            cut = partial(_without_answers, width=width, kept=kept, dialect=dialect)
            above, rows, width = cut(above), map(cut, rows), kept
        pieces = _answered(upload, rows, located=located)
        chosen = pieces if status is None else (_only(piece, status) for piece in pieces)
        yield Result(beginning, dialect, above, width, names_of_answers(called[:width]), chosen)


def _runs(blocks: Iterator[Block], least: int) -> Iterator[Piece]:
    """The records of the file. The first piece has the header and all that is above it: `least` records."""
    taken: list[Block] = []
    rows = chars = 0
    try:
        for block in blocks:
            taken.append(block)
            rows += len(block.texts)
            chars += len(block.text)
            if rows >= least and (rows >= _ROWS or chars >= _CHARS):
                yield _joined(taken)
                taken, rows, chars, least = [], 0, 0, 1
    except ReadingError as error:
        logger.info("a result ends where the file cannot be read: %s", error.detail)
    if rows:
        yield _joined(taken)


def _joined(blocks: list[Block]) -> Piece:
    return Piece(
        list(chain.from_iterable(block.texts for block in blocks)),
        list(chain.from_iterable(block.widths for block in blocks)),
        lambda: chain.from_iterable(block.records for block in blocks),
    )


def _part(piece: Piece, first: int, behind: int | None) -> Piece:
    part = slice(first, behind)
    return Piece(piece.texts[part], piece.widths[part], lambda: islice(piece.records(), first, behind))


def _without_answers(piece: Piece, *, width: int, kept: int, dialect: Dialect) -> Piece:
    """The same rows without the answers of before."""
    texts, widths = without_answers(piece.texts, piece.widths, width, kept, dialect)
    return Piece(
        texts,
        widths,
        lambda: (fields[:kept] if kept < len(fields) <= width else fields for fields in piece.records()),
    )


def _only(piece: Piece, status: int) -> Piece:
    """The rows with that status."""
    wanted = [own == status for own in piece.answers.statuses]
    return Piece(
        list(compress(piece.texts, wanted)),
        list(compress(piece.widths, wanted)),
        lambda: compress(piece.records(), wanted),
        Answers(*(list(compress(column, wanted)) for column in piece.answers)),
    )


def _answered(upload: Upload, runs: Iterable[Piece], *, located: bool) -> Iterator[Piece]:
    """The pieces with what is stored of their rows. Raises UploadGoneError."""
    number = 1
    for piece in runs:
        if piece.texts:
            piece.answers = _answers(upload, number, len(piece.texts), located=located)
            number += len(piece.texts)
            yield piece
    if number - 1 < upload.rows_loaded:  # breaks off, so that nobody takes it for whole
        raise RuntimeError(f"the result of upload {upload.pk} has {number - 1} rows of {upload.rows_loaded}")


def _answers(upload: Upload, first_row: int, row_count: int, *, located: bool) -> Answers:
    """What is stored of these rows; those that are not loaded yet are pending."""
    first = row_id(upload.pk, first_row)
    columns = stored_answers(first, first + row_count - 1, located=located)
    # Only now: rows are removed after their upload is hidden, so of one that is still there none can be missing above.
    if not upload_is_there(upload.pk):
        raise UploadGoneError(f"upload {upload.pk} was deleted while its result was sent")
    # Rows are loaded in order: it is the last ones that are missing.
    missing = row_count - len(columns[0])
    return Answers(*(column + [pending] * missing for column, pending in zip(columns, _PENDING, strict=False)))


class AreaNamesOnce(Generic[T]):
    """What is made of the names of areas, for each area once."""

    def __init__(self, make: Callable[[AreaNames], T]) -> None:
        self._make = make
        self._made: dict[int | None, T] = {}

    def of(self, areas: Sequence[int | None]) -> list[T]:
        """What was made for each of them."""
        if new := set(areas) - self._made.keys():
            if len(self._made) + len(new) > _MAX_AREAS:
                self._made.clear()
                new = set(areas)
            known = Area.objects.in_bulk([area for area in new if area is not None])
            for id_ in new:
                self._made[id_] = self._make(known[id_].names if id_ is not None else NO_NAMES)
        return list(map(self._made.__getitem__, areas))
