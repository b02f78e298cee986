"""`result.csv`: the original records as they stand in the file, each with its answer appended, streamed.

What is done for each row is done millions of times: it is done a slice at a time, and column by column.
"""

import codecs
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from uploads.files.stored import open_upload
from uploads.models import NO_NAMES, STATUS_WORDS, Area, RowStatus, Upload, outcode_of
from uploads.reading.coordinates import as_number
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import UnreadableError
from uploads.reading.records import Block, read_blocks
from uploads.row_ids import row_id
from uploads.rows.bulk import Result, stored_results

logger = logging.getLogger(__name__)

COLUMNS = (
    "result_status",
    "result_reason",
    "result_postcode",
    "result_distance_m",
    "result_outcode",
    "result_country",
    "result_region",
    "result_admin_district",
    "result_admin_ward",
)
#: A slice is the first blocks that together have as many rows, or characters when the records are long.
_SLICE_ROWS = 5_000
_SLICE_CHARS = 1 << 20
#: Areas whose text is remembered while a result is sent: the country has some ten thousand.
_MAX_AREAS = 20_000
#: What spreadsheets begin formulas with (OWASP, "CSV injection"), also in their full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LINE_ENDS = "\r\n"
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
    with open_upload(upload.public_id) as stream:
        mark, encode = _encoder(stream, dialect.encoding)
        slices = _slices(read_blocks(stream, dialect), dialect, safe=safe)
        above, widths = next(slices, ([], []))
        if len(above) <= dialect.preamble:  # not even a header
            return
        width = widths[dialect.preamble] + max(0, dialect.surplus)
        first = dialect.preamble + dialect.has_header
        rest = above[first:], widths[first:]
        if dialect.has_header:
            above[dialect.preamble : first] = _extended(
                above[dialect.preamble : first],
                widths[dialect.preamble : first],
                width,
                [_join(COLUMNS, dialect)],
                dialect,
            )
        if mark:
            yield mark
        yield encode("".join(above[:first]))
        answers = _Answers(upload, dialect)
        number = 1
        for texts, own_widths in chain([rest], slices):
            if texts:
                found = answers.of(number, len(texts))
                yield encode("".join(_extended(texts, own_widths, width, found, dialect)))
                number += len(texts)


def _slices(blocks: Iterator[Block], dialect: Dialect, *, safe: bool) -> Iterator[tuple[list[str], list[int]]]:
    """The texts of records and the numbers of their fields. The first slice has the header and all that is above it."""
    texts: list[str] = []
    widths: list[int] = []
    chars = 0
    least = dialect.preamble + 1
    try:
        for block in blocks:
            texts += _harmless(block, dialect) if safe else block.texts
            widths += map(len, block.records)
            chars += len(block.text)
            if len(texts) >= least and (len(texts) >= _SLICE_ROWS or chars >= _SLICE_CHARS):
                yield texts, widths
                texts, widths, chars, least = [], [], 0, 1
    except UnreadableError as error:
        logger.info("result.csv ends before line %s, where the file cannot be read", error.line)
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


def _extended(
    texts: Sequence[str], widths: Sequence[int], width: int, answers: Iterable[str], dialect: Dialect
) -> list[str]:
    """Each record's own text with its answer behind it; short records are filled up, so that the columns are right."""
    delimiter = dialect.delimiter
    if min(widths, default=width) >= width:
        return [
            f"{(bare := text.rstrip(_LINE_ENDS))}{delimiter}{answer}{text[len(bare) :]}"
            for text, answer in zip(texts, answers, strict=True)
        ]
    return [
        f"{(bare := text.rstrip(_LINE_ENDS))}{delimiter * (max(0, width - own) + 1)}{answer}{text[len(bare) :]}"
        for text, own, answer in zip(texts, widths, answers, strict=True)
    ]


class UploadGoneError(Exception):
    """The upload was deleted while its result was sent: the answer is broken off, as what follows would be false."""


class _Answers:
    """The answers for the rows of one upload, as they are written in its dialect."""

    def __init__(self, upload: Upload, dialect: Dialect) -> None:
        self._upload = upload
        self._dialect = dialect
        self._outcomes: dict[tuple[int, str | None], str] = {}
        self._places: dict[int | None, str] = {}

    def of(self, first_row: int, row_count: int) -> list[str]:
        """The fields of COLUMNS for each of these rows. Raises UploadGoneError."""
        rows = _rows(self._upload, first_row, row_count)
        _, statuses, reasons, postcodes, distances, areas = zip(*rows, strict=True)
        outcomes = list(zip(statuses, reasons, strict=True))
        self._learn(set(outcomes), set(areas))
        codes = [postcode or "" for postcode in postcodes]
        outcodes = list(map(outcode_of, codes))
        if _needs_quotes("".join(codes), self._dialect.delimiter):
            codes, outcodes = self._quoted(codes), self._quoted(outcodes)
        metres = ["" if distance is None else repr(distance) for distance in distances]
        if self._dialect.decimal != ".":
            metres = self._quoted([text.replace(".", self._dialect.decimal) for text in metres])
        delimiter = self._dialect.delimiter
        return [
            f"{outcome}{delimiter}{code}{delimiter}{text}{delimiter}{outcode}{delimiter}{place}"
            for outcome, code, text, outcode, place in zip(
                map(self._outcomes.__getitem__, outcomes),
                codes,
                metres,
                outcodes,
                map(self._places.__getitem__, areas),
                strict=True,
            )
        ]

    def _learn(self, outcomes: set[tuple[int, str | None]], areas: set[int | None]) -> None:
        for status, reason in outcomes - self._outcomes.keys():
            self._outcomes[status, reason] = _join([STATUS_WORDS[status], reason or ""], self._dialect)
        if len(self._places.keys() | areas) > _MAX_AREAS:
            self._places.clear()
        if new := areas - self._places.keys():
            known = Area.objects.in_bulk([area for area in new if area is not None])
            for id_ in new:
                names = known[id_].names if id_ is not None else NO_NAMES
                self._places[id_] = _join([name or "" for name in names], self._dialect)

    def _quoted(self, fields: list[str]) -> list[str]:
        return [_quoted(field, self._dialect.delimiter) for field in fields]


def _rows(upload: Upload, first_row: int, row_count: int) -> list[Result]:
    """What the database has of these rows, in order; those that are not loaded yet are pending."""
    first = row_id(upload.pk, first_row)
    rows = stored_results(first, first + row_count - 1)
    # Only now: rows are removed after their upload is hidden, so of one that is still there none can be missing above.
    if not Upload.objects.visible_to(None).filter(pk=upload.pk).exists():
        raise UploadGoneError(f"upload {upload.pk} was deleted while its result was sent")
    if len(rows) < row_count:
        found = {row[0]: row for row in rows}
        ids = range(first, first + row_count)
        rows = [found.get(id_) or (id_, RowStatus.PENDING.value, None, None, None, None) for id_ in ids]
    return rows


def _join(fields: Iterable[str], dialect: Dialect) -> str:
    return dialect.delimiter.join([_quoted(field, dialect.delimiter) for field in fields])


def _quoted(field: str, delimiter: str) -> str:
    return '"' + field.replace('"', '""') + '"' if _needs_quotes(field, delimiter) else field


def _needs_quotes(text: str, delimiter: str) -> bool:
    return delimiter in text or '"' in text or "\n" in text or "\r" in text


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
