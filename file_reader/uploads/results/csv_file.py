"""`result.csv`: the original records as they stand in the file, each with its answer appended, streamed.

What is done for each row is done millions of times: it is done a slice at a time, and column by column.
"""

import codecs
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import chain, starmap
from typing import Any, BinaryIO

import msgspec

from uploads.files.stored import open_upload
from uploads.models import NO_NAMES, STATUS_WORDS, Area, RowStatus, Upload, outcode_of
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError
from uploads.reading.notations import as_number
from uploads.reading.records import Block, read_blocks
from uploads.results.columns import fields_of, fields_to_keep, names_of_answers, without_answers
from uploads.row_ids import row_id
from uploads.rows.bulk import stored_answers, upload_is_there

logger = logging.getLogger(__name__)

#: A slice is the first blocks that together have as many rows, or characters when the records are long.
_SLICE_ROWS = 5_000
_SLICE_CHARS = 1 << 20
#: Areas whose text is remembered while a result is sent: the country has some ten thousand.
_MAX_AREAS = 20_000
#: What spreadsheets begin formulas with (OWASP, "CSV injection"), also in their full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LINE_ENDS = "\r\n"
#: What is stored of a row without an answer.
_PENDING = (RowStatus.PENDING.value, None, None, None, None)
#: Encodings that are told by a mark, the mark, and what is written behind it: Python would choose the byte order anew.
_MARKED = (
    ("utf-8-sig", codecs.BOM_UTF8, "utf-8"),
    ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("utf-16", codecs.BOM_UTF16_BE, "utf-16-be"),
)


def result_csv(upload: Upload, *, safe: bool = False) -> Iterator[bytes]:
    """Yields the result file in pieces, in the file's own encoding and dialect.

    With `safe`, a spreadsheet takes no cell for a formula: a text that begins like one gets an apostrophe in front.

    Every record comes back in its order, also while the work goes on: rows without an answer are `pending`. Of a file
    that cannot be read to its end, the records before the fault come back. Raises UploadGoneError.
    """
    dialect = Dialect.from_json(upload.dialect)
    with open_upload(upload.public_id, dialect.sheet) as stream:
        mark, encode = _encoder(stream, dialect.encoding)
        slices = _slices(read_blocks(stream, dialect), dialect, safe=safe)
        above, widths = next(slices, ([], []))
        if len(above) <= dialect.preamble:  # not even a header
            _check_rows(upload, 0)
            return
        width = widths[dialect.preamble] + max(0, dialect.surplus)
        first = dialect.preamble + dialect.has_header
        if dialect.has_header:
            header = slice(dialect.preamble, first)
            called = fields_of(above[dialect.preamble], dialect)
            if (kept := fields_to_keep(called, dialect)) is not None:
                cut = partial(without_answers, width=width, kept=kept, dialect=dialect)
                (above, widths), slices, width = cut(above, widths), starmap(cut, slices), kept
            names = [[_join(("", *names_of_answers(called[:width])), dialect)]]
            above[header] = [_extended(above[header], widths[header], width, names, dialect.delimiter)]
        rest = above[first:], widths[first:]
        if mark:
            yield mark
        yield encode("".join(above[:first]))
        answers = _Answers(upload, dialect)
        number = 1
        for texts, own_widths in chain([rest], slices):
            if texts:
                found = answers.of(number, len(texts))
                yield encode(_extended(texts, own_widths, width, found, dialect.delimiter))
                number += len(texts)
        _check_rows(upload, number - 1)


def _check_rows(upload: Upload, count: int) -> None:
    """A download without all rows that were loaded breaks off, so that nobody takes it for whole."""
    if count < upload.rows_loaded:
        raise RuntimeError(f"result.csv of upload {upload.pk} has {count} rows of {upload.rows_loaded}")


def _slices(blocks: Iterator[Block], dialect: Dialect, *, safe: bool) -> Iterator[tuple[list[str], list[int]]]:
    """The texts of records and the numbers of their fields. The first slice has the header and all that is above it."""
    texts: list[str] = []
    widths: list[int] = []
    chars = 0
    least = dialect.preamble + 1
    try:
        for block in blocks:
            texts += _harmless(block, dialect) if safe else block.texts
            widths += block.widths
            chars += len(block.text)
            if len(texts) >= least and (len(texts) >= _SLICE_ROWS or chars >= _SLICE_CHARS):
                yield texts, widths
                texts, widths, chars, least = [], [], 0, 1
    except ReadingError as error:
        logger.info("result.csv ends where the file cannot be read: %s", error.detail)
    if texts:
        yield texts, widths


def _harmless(block: Block, dialect: Dialect) -> Iterator[str]:
    """The texts of the records, without formulas. Numbers are no formulas, whatever their sign."""
    for _, text, fields in block:
        if any(map(_is_formula, fields)):
            bare = text.rstrip(_LINE_ENDS)
            safe = ["'" + field if _is_formula(field) else field for field in fields]
            yield _join(safe, dialect) + text[len(bare) :]
        else:
            yield text


def _is_formula(field: str) -> bool:
    return field.startswith(_FORMULA) and as_number(field) is None


def _extended(texts: list[str], widths: list[int], width: int, answers: Sequence[list[str]], delimiter: str) -> str:
    """Each record's own text with its answer behind it; `answers` are the columns of what is put there.

    Short records are filled up, so that the columns are right.
    """
    together = "".join(texts)
    # Only the last record of a file can be without a line end: here each has one, and nothing else like it.
    if "\r" not in together and together.count("\n") == len(texts) and together.endswith("\n"):
        bare, ends = together.split("\n")[:-1], ["\n"] * len(texts)
    else:
        bare = [text.rstrip(_LINE_ENDS) for text in texts]
        ends = [text[len(record) :] for text, record in zip(texts, bare, strict=True)]
    columns = [bare, *answers, ends]
    if min(widths, default=width) < width:
        columns.insert(1, [delimiter * max(0, width - own) for own in widths])
    pieces = [""] * (len(columns) * len(texts))
    for number, column in enumerate(columns):
        pieces[number :: len(columns)] = column
    return "".join(pieces)


class UploadGoneError(Exception):
    """The upload was deleted while its result was sent: the answer is broken off, as what follows would be false."""


class _Answers:
    """The answers for the rows of one upload, as they are written in its dialect."""

    def __init__(self, upload: Upload, dialect: Dialect) -> None:
        self._upload = upload
        self._dialect = dialect
        self._outcome = cache(partial(_outcome, dialect))
        self._places: dict[int | None, str] = {}

    def of(self, first_row: int, row_count: int) -> list[list[str]]:
        """What is written for each of these rows: the fields of COLUMNS and what stands before each, as columns.

        Raises UploadGoneError.
        """
        statuses, reasons, postcodes, distances, areas = _columns(self._upload, first_row, row_count)
        self._learn(set(areas))
        codes = [postcode or "" for postcode in postcodes]
        outcodes = list(map(outcode_of, codes))
        if _needs_care("".join(codes), self._dialect):
            codes, outcodes = self._quoted(codes), self._quoted(outcodes)
        metres = _decimals(distances)
        if self._dialect.decimal != ".":
            metres = self._quoted([text.replace(".", self._dialect.decimal) for text in metres])
        between = [self._dialect.delimiter] * row_count
        return [
            list(map(self._outcome, statuses, reasons)),
            codes,
            between,
            metres,
            between,
            outcodes,
            list(map(self._places.__getitem__, areas)),
        ]

    def _learn(self, areas: set[int | None]) -> None:
        if new := areas - self._places.keys():
            if len(self._places) + len(new) > _MAX_AREAS:
                self._places.clear()
                new = areas
            known = Area.objects.in_bulk([area for area in new if area is not None])
            for id_ in new:
                names = known[id_].names if id_ is not None else NO_NAMES
                self._places[id_] = _join(["", *[name or "" for name in names]], self._dialect)

    def _quoted(self, fields: list[str]) -> list[str]:
        return [_quoted(field, self._dialect) for field in fields]


def _outcome(dialect: Dialect, status: int, reason: str | None) -> str:
    return _join(["", STATUS_WORDS[status], reason or "", ""], dialect)


def _decimals(numbers: list[float | None]) -> list[str]:
    """The numbers as Python writes them. As JSON, that takes a third of the time, and is the same but for exponents."""
    text = msgspec.json.encode(numbers)[1:-1].decode()
    if "e" in text or "0.0000" in text:
        return ["" if number is None else repr(number) for number in numbers]
    return text.replace("null", "").split(",")


def _columns(upload: Upload, first_row: int, row_count: int) -> Iterable[list[Any]]:
    """What the database has of these rows, as `stored_answers` has it; those that are not loaded yet are pending."""
    first = row_id(upload.pk, first_row)
    columns = stored_answers(first, first + row_count - 1)
    # Only now: rows are removed after their upload is hidden, so of one that is still there none can be missing above.
    if not upload_is_there(upload.pk):
        raise UploadGoneError(f"upload {upload.pk} was deleted while its result was sent")
    # Rows are loaded in order: it is the last ones that are missing.
    missing = row_count - len(columns[0])
    return [column + [value] * missing for column, value in zip(columns, _PENDING, strict=True)]


def _join(fields: Iterable[str], dialect: Dialect) -> str:
    return dialect.delimiter.join([_quoted(field, dialect) for field in fields])


def _quoted(field: str, dialect: Dialect) -> str:
    """The field as it is written: in quotes where they are needed, or without what would end it."""
    if not _needs_care(field, dialect):
        return field
    if dialect.quoting == "quotes":
        return '"' + field.replace('"', '""') + '"'
    return re.sub(rf"[{re.escape(dialect.delimiter)}\r\n]", "_" if dialect.delimiter != "_" else " ", field)


def _needs_care(text: str, dialect: Dialect) -> bool:
    return dialect.delimiter in text or '"' in text or "\n" in text or "\r" in text


def _encoder(stream: BinaryIO, encoding: str) -> tuple[bytes, Callable[[str], bytes]]:
    """The byte order mark that the file begins with, if it has one, and a function from text to bytes, piece by piece.

    A character of an answer that the file's encoding does not have becomes a question mark.
    """
    start = b""
    if stream.seekable():  # a workbook is not, and its CSV has no mark
        start = stream.read(3)
        stream.seek(0)
    for marked, mark, plain in _MARKED:
        if encoding == marked and start.startswith(mark):
            return mark, codecs.getincrementalencoder(plain)().encode
    return b"", codecs.getincrementalencoder(encoding)(errors="replace").encode
