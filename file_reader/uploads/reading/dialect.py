"""How a file is written: encoding, delimiter, header, decimal sign, coordinate columns.

Whatever is declared is taken as declared; the rest is told from the beginning of the file. What cannot be told with
certainty is an error that shows what was seen: a wrong guess would put every row at the wrong place.
"""

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Self

from uploads.reading import columns
from uploads.reading.coordinates import read_coordinates
from uploads.reading.errors import EmptyFileError, ReadingError, UnsupportedFileError
from uploads.reading.quotes import quotes_close

#: How much of a file's beginning is looked at, in bytes.
SAMPLE_BYTES = 1 << 17
_SAMPLE_RECORDS = 200
#: How much of the sample tells whether it is UTF-16, in bytes.
_LOOK_BYTES = 1_000
DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 10_000
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"BZh91AY", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (codecs.BOM_UTF32_LE, "text in UTF-32"),
    (codecs.BOM_UTF32_BE, "text in UTF-32"),
)
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*", re.ASCII)


@dataclass(frozen=True)
class Declared:
    """What the sender said about the file; None is "find out". Columns are header names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    has_header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `latitude` and `longitude` are the header's names, or numbers from 1 without a header."""

    delimiter: str
    encoding: str
    has_header: bool
    decimal: str
    latitude: str | int
    longitude: str | int
    latitude_column: int
    longitude_column: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value)


def detect_dialect(sample: bytes, declared: Declared) -> Dialect:
    """The dialect of a file, from its first SAMPLE_BYTES and from what was declared.

    Raises UnsupportedFileError, EmptyFileError, ColumnsError (with `columns_seen`) or ReadingError.
    """
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise UnsupportedFileError(
                f"The file is {what}, whatever its name says. Send it as CSV, in UTF-8 or with its encoding."
            )
    encoding = _encoding(sample, declared.encoding)
    lines = _whole_lines(sample, encoding)
    if not any(line.replace('"', "").strip() for line in lines):
        raise EmptyFileError("There is nothing in the file: not even a header.")
    if declared.delimiter:
        return _columns(_records(lines, declared.delimiter), declared, encoding, declared.delimiter)
    return _best_delimiter(lines, declared, encoding)


def _encoding(sample: bytes, declared: str | None) -> str:
    mark = next((name for mark, name in _BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    if declared:
        try:
            name = codecs.lookup(declared).name
        except LookupError:
            raise ReadingError(f"The encoding {declared!r} is not known.") from None
        # A mark that is declared without its name would become a part of the first header; one that is declared and
        # not there would be written into the result.
        if name in ("utf-8", "utf-8-sig"):
            return "utf-8-sig" if mark == "utf-8-sig" else "utf-8"
        if name in ("utf-16", "utf-16-le", "utf-16-be"):
            return mark if mark == "utf-16" else _byte_order(sample) if name == "utf-16" else name
        return name
    if mark:
        return mark
    if sample[:_LOOK_BYTES].count(0) * 4 > len(sample[:_LOOK_BYTES]):
        return _byte_order(sample)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _byte_order(sample: bytes) -> str:
    """The kind of UTF-16 of a file without a mark: in Western text, every other byte is 0."""
    return "utf-16-le" if sample[1:_LOOK_BYTES:2].count(0) >= sample[:_LOOK_BYTES:2].count(0) else "utf-16-be"


def _whole_lines(sample: bytes, encoding: str) -> list[str]:
    try:
        text = codecs.getincrementaldecoder(encoding)(errors="strict").decode(sample)
    except UnicodeDecodeError as error:
        before = sample[: error.start].decode(encoding, errors="ignore")
        line = len(re.findall("\r\n?|\n", before)) + 1
        raise ReadingError(f"Line {line} has bytes that are not {encoding}.", line=line) from None
    lines = re.split("(?<=\n)|(?<=\r)(?!\n)", text)
    if len(sample) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # cut off by the sample's end
    return lines


def _best_delimiter(lines: list[str], declared: Declared, encoding: str) -> Dialect:
    """The delimiter with which the coordinate columns are found; the error of the likeliest one when there is none."""
    errors: list[tuple[int, ReadingError]] = []
    found: list[tuple[float, Dialect]] = []
    for delimiter in DELIMITERS:
        width = 0
        try:
            records = _records(lines, delimiter)
            width = max(map(len, records), default=0)
            dialect = _columns(records, declared, encoding, delimiter)
        except ReadingError as error:
            errors.append((width, error))
        else:
            found.append((_share_read(records, dialect), dialect))
    if found:
        return max(found, key=lambda scored: scored[0])[1]
    raise max(errors, key=lambda scored: scored[0])[1]


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The sample's records. Raises ReadingError when the first one opens a quote that it does not close."""
    reader = csv.reader(lines, delimiter=delimiter)
    filled = (fields for fields in reader if len(fields) > 1 or "".join(fields).strip())
    records: list[list[str]] = []
    try:
        records.extend(islice(filled, 1))
        if reader.line_num > 1 and not quotes_close("".join(lines[: reader.line_num]), delimiter):
            raise ReadingError('The first record opens a quote (") that is not closed where a field ends.', line=1)
        records.extend(islice(filled, _SAMPLE_RECORDS))
    except csv.Error:
        if not records:
            raise ReadingError("The first record is too long to be one.", line=1) from None
    return records


def _columns(records: list[list[str]], declared: Declared, encoding: str, delimiter: str) -> Dialect:
    first, data = records[0], records[1:]
    if len(first) > MAX_COLUMNS:
        raise ReadingError(f"The first record has {len(first):,} columns; at most {MAX_COLUMNS:,} are read.")
    has_header = declared.has_header
    if has_header is None:
        has_header = columns.looks_like_header(first, declared.latitude, declared.longitude)
    if not has_header:
        data = records
    decimal = declared.decimal
    latitude, longitude = columns.find(
        header=first if has_header else None,
        width=len(first),
        data=[[field.replace(",", ".") for field in record] for record in data] if decimal != "." else data,
        latitude=declared.latitude,
        longitude=declared.longitude,
    )
    if decimal is None:
        values = [record[column] for record in data for column in (latitude, longitude) if column < len(record)]
        commas = sum(bool(_DECIMAL_COMMA.fullmatch(value)) for value in values)
        decimal = "," if commas * 2 > len([value for value in values if value.strip()]) else "."
    return Dialect(
        delimiter=delimiter,
        encoding=encoding,
        has_header=has_header,
        decimal=decimal,
        latitude=_shown(first[latitude]) if has_header else latitude + 1,
        longitude=_shown(first[longitude]) if has_header else longitude + 1,
        latitude_column=latitude,
        longitude_column=longitude,
    )


def _shown(name: str) -> str:
    return name.replace("\0", "").strip()  # PostgreSQL's JSON cannot hold NUL


def _share_read(records: list[list[str]], dialect: Dialect) -> float:
    """The share of the sample's records whose coordinates can be read."""
    data = records[1:] if dialect.has_header else records
    read = 0
    for record in data:
        if len(record) > max(dialect.latitude_column, dialect.longitude_column):
            pair = [record[dialect.latitude_column], record[dialect.longitude_column]]
            if dialect.decimal == ",":
                pair = [field.replace(",", ".") for field in pair]
            read += not isinstance(read_coordinates(*pair), str)
    return read / len(data) if data else 0.0
