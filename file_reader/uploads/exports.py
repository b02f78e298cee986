"""`result.csv`: the original records as they stand in the file, each with its answer appended, streamed."""

import codecs
import logging
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from uploads.models import STATUS_WORDS, Row, RowStatus, Upload, outcode_of, row_id, row_range
from uploads.reading.coordinates import as_number
from uploads.reading.dialect import Dialect
from uploads.reading.errors import UnreadableError
from uploads.reading.records import RawRecord, read_records
from uploads.storage import open_upload

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
_SLICE_ROWS = 2_000
#: What spreadsheets begin formulas with (OWASP, "CSV injection"), also in their full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Encodings that are told by a mark, the mark, and what is written behind it: Python would choose the byte order anew.
_MARKED = (
    ("utf-8-sig", codecs.BOM_UTF8, "utf-8"),
    ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("utf-16", codecs.BOM_UTF16_BE, "utf-16-be"),
)

ResultRow = tuple[int, str | None, str | None, float | None, str | None, str | None, str | None, str | None]
_PENDING: ResultRow = (RowStatus.PENDING.value, None, None, None, None, None, None, None)


def result_csv(upload: Upload, *, safe: bool = False) -> Iterator[bytes]:
    """Yields the result file in pieces, in the file's own encoding and dialect.

    With `safe`, a spreadsheet takes no cell for a formula: a text that begins like one gets an apostrophe in front.

    Every record comes back in its order, also while the work goes on: rows without an answer are `pending`. Of a file
    that cannot be read to its end, the records before the fault come back.
    """
    dialect = Dialect.from_json(upload.dialect)
    with open_upload(upload.public_id) as stream:
        mark, encode = _encoder(stream, dialect.encoding)
        records = read_records(stream, dialect)
        try:
            *above, first = islice(records, dialect.preamble + 1)
        except (UnreadableError, ValueError):  # not even a header
            return
        width = len(first.fields) + max(0, dialect.surplus)
        number = 1
        if mark:
            yield mark
        if safe:
            above = [_harmless(record, dialect) for record in above]
            first, records = _harmless(first, dialect), (_harmless(record, dialect) for record in records)
        if above:
            yield encode("".join(record.text for record in above))
        if dialect.has_header:
            yield encode(_extended(first, width, _join(COLUMNS, dialect), dialect))
        else:
            records = chain([first], records)
        while batch := _take(records):
            results = _results(upload, number, len(batch))
            yield encode(
                "".join(
                    [
                        _extended(record, width, _answer(results.get(number + index, _PENDING), dialect), dialect)
                        for index, record in enumerate(batch)
                    ]
                )
            )
            number += len(batch)


def _take(records: Iterator[RawRecord]) -> list[RawRecord]:
    batch: list[RawRecord] = []
    try:
        batch.extend(islice(records, _SLICE_ROWS))
    except UnreadableError as error:
        logger.info("result.csv ends before line %s, where the file cannot be read", error.line)
    return batch


def _harmless(record: RawRecord, dialect: Dialect) -> RawRecord:
    """The record without formulas; the same one if it has none. Numbers are no formulas, whatever their sign."""
    if not any(map(_is_formula, record.fields)):
        return record
    fields = ["'" + field if _is_formula(field) else field for field in record.fields]
    text = record.text.rstrip("\r\n")
    return RawRecord(record.line, _join(fields, dialect) + record.text[len(text) :], fields)


def _is_formula(field: str) -> bool:
    return field.startswith(_FORMULA) and as_number(field) is None


class UploadGoneError(Exception):
    """The upload was deleted while its result was sent: the answer is broken off, as what follows would be false."""


def _results(upload: Upload, first_row: int, row_count: int) -> dict[int, ResultRow]:
    if not Upload.objects.visible_to(None).filter(pk=upload.pk).exists():
        raise UploadGoneError(f"upload {upload.pk} was deleted while its result was sent")
    rows = Row.objects.filter(**row_range(upload.pk, first_row, row_count)).values_list(
        "id",
        "status",
        "reason",
        "postcode_id",
        "distance_m",
        "postcode__area__country",
        "postcode__area__region",
        "postcode__area__admin_district",
        "postcode__area__admin_ward",
    )
    offset = row_id(upload.pk, 0)
    return {row[0] - offset: row[1:] for row in rows.iterator(chunk_size=_SLICE_ROWS)}


def _answer(result: ResultRow, dialect: Dialect) -> str:
    status, reason, postcode, distance, *places = result
    metres = "" if distance is None else repr(distance).replace(".", dialect.decimal)
    fields = [STATUS_WORDS[status], reason or "", postcode or "", metres, outcode_of(postcode or "")]
    fields += [place or "" for place in places]
    return _join(fields, dialect)


def _join(fields: "list[str] | tuple[str, ...]", dialect: Dialect) -> str:
    return dialect.delimiter.join([_quoted(field, dialect.delimiter) for field in fields])


def _quoted(field: str, delimiter: str) -> str:
    if delimiter in field or '"' in field or "\n" in field or "\r" in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def _extended(record: RawRecord, width: int, answer: str, dialect: Dialect) -> str:
    """The record's own text with the answer behind it; a short record is filled up, so that the columns are right."""
    text = record.text.rstrip("\r\n")
    line_end = record.text[len(text) :]
    missing = max(0, width - len(record.fields))
    return f"{text}{dialect.delimiter * (missing + 1)}{answer}{line_end}"


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
