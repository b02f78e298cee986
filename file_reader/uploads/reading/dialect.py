"""How a file is written: encoding, delimiter, header, decimal sign, coordinate columns.

Whatever is declared is taken as declared; the rest is told from the beginning of the file. What cannot be told with
certainty is an error that shows what was seen: a wrong guess would put every row at the wrong place.
"""

import codecs
import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Self

from uploads.reading import columns
from uploads.reading.coordinates import ONE_CELL, Located, Notation, as_number, locator
from uploads.reading.errors import ColumnsError, EmptyFileError, ReadingError, UnsupportedFileError
from uploads.reading.quotes import quotes_close, unclosed_quote

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
_JSON = re.compile(r'\s*(\{\s*"|\[\s*[\[{])')
_CONTINUATION = bytes(range(0x80, 0xC0))
#: What beside letters is usual in Western texts that are not ASCII.
_USUAL_SIGNS = frozenset("‘’“”–—•…€£°©®™²³½¼¾§«»¡¿ºª´·×\N{NO-BREAK SPACE}")
_DECIMAL_COMMA = re.compile(r"[\s']*[+-]?\d+,\d+[\s']*", re.ASCII)


@dataclass(frozen=True)
class Declared:
    """What the sender said about the file; None is "find out". Columns are header names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    has_header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    coordinates: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `latitude` and `longitude` are the header's names, or numbers from 1 without a header.

    `coordinates` is a Notation. When it is one of ONE_CELL, both columns are the same; with `osgb36`, `latitude` is the
    northing and `longitude` the easting.
    """

    delimiter: str
    encoding: str
    has_header: bool
    decimal: str
    latitude: str | int
    longitude: str | int
    latitude_column: int
    longitude_column: int
    coordinates: str = Notation.DEGREES.value

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def locator(self) -> Callable[[Sequence[str]], Located]:
        """A function from the fields of a record to its coordinates, or to the reason why it has none."""
        return locator(Notation(self.coordinates), self.latitude_column, self.longitude_column, self.decimal)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value)


def detect_dialect(sample: bytes, declared: Declared, *, further: Sequence[bytes] = ()) -> Dialect:
    """The dialect of a file, from its first SAMPLE_BYTES and from what was declared.

    `further` are pieces from elsewhere in the file: the encoding may show only there.

    Raises UnsupportedFileError, EmptyFileError, ColumnsError (with `columns_seen`) or ReadingError.
    """
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise UnsupportedFileError(
                f"The file is {what}, whatever its name says. Send it as CSV, in UTF-8 or with its encoding."
            )
    encoding = _encoding(sample, further, declared.encoding)
    lines = _whole_lines(sample, encoding)
    if not any(line.replace('"', "").strip() for line in lines):
        raise EmptyFileError("There is nothing in the file: not even a header.")
    if _JSON.match("".join(lines[:20])):
        raise UnsupportedFileError("The file is JSON. Send it as CSV.")
    if declared.delimiter:
        return _columns(_records(lines, declared.delimiter), declared, encoding, declared.delimiter)
    return _best_delimiter(lines, declared, encoding)


def _encoding(sample: bytes, further: Sequence[bytes], declared: str | None) -> str:
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
    even, odd = sample[:_LOOK_BYTES:2].count(0), sample[1:_LOOK_BYTES:2].count(0)
    if max(even, odd) > 0.25 * len(sample[:_LOOK_BYTES]) and min(even, odd) < 0.1 * max(even, odd):
        return _byte_order(sample)
    return _utf8_or_cp1252(sample, further)


def _utf8_or_cp1252(sample: bytes, further: Sequence[bytes]) -> str:
    """UTF-8 if nearly all that is not ASCII is; Windows-1252 if it reads like that, as what old programs write does."""
    foreign = [character for piece in (sample, *map(_from_a_character, further)) for character in _foreign(piece)]
    wrong = sum("\udc80" <= character <= "\udcff" for character in foreign)
    if wrong <= 0.1 * len(foreign):
        return "utf-8"
    text = b" ".join((sample, *further)).decode("cp1252", errors="replace")
    # A quotation mark inside a word is a letter of another code page.
    strange = re.sub(r"(?<=[^\W\d_])[“”„](?=[^\W\d_])", "\N{REPLACEMENT CHARACTER}", text)
    beyond = re.findall(r"[^\x00-\x7f]", strange)
    usual = sum(character.isalpha() or character in _USUAL_SIGNS for character in beyond)
    if usual >= 0.9 * len(beyond):
        return "cp1252"
    raise ReadingError(
        "The file is text neither in UTF-8 nor, as far as can be told, in Windows-1252. Say its encoding, such as"
        " encoding=cp850, or save it as UTF-8."
    )


def _from_a_character(piece: bytes) -> bytes:
    """Without the rest of a UTF-8 character that begins before the piece."""
    rest = len(piece) - len(piece.lstrip(_CONTINUATION))
    return piece[rest:] if rest < 4 else piece


def _foreign(piece: bytes) -> list[str]:
    """The characters beyond ASCII, read as UTF-8; bytes that are none as surrogates, one that is cut off left out."""
    text = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape").decode(piece)
    return re.findall(r"[^\x00-\x7f]", text)


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
    """The delimiter with which the coordinates are found; the error of the likeliest one when there is none."""
    errors: list[tuple[tuple[bool, int], ReadingError]] = []
    found: list[tuple[tuple[bool, bool, float, int], Dialect]] = []
    for delimiter in DELIMITERS:
        width = 0
        try:
            records = _records(lines, delimiter)
            width = max(map(len, records), default=0)
            dialect = _columns(records, declared, encoding, delimiter)
        except ReadingError as error:
            # What is wrong beside the columns is wrong whatever the delimiter.
            errors.append(((not isinstance(error, ColumnsError), width), error))
        else:
            if declared.latitude is not None or not _is_cut_wrongly(records, dialect):
                found.append((_likelihood(records, dialect), dialect))
    if found:
        return max(found, key=lambda scored: scored[0])[1]
    if not errors:
        raise ColumnsError("No columns were recognised as the coordinates.", columns_seen=[])
    raise max(errors, key=lambda scored: scored[0])[1]


def _is_cut_wrongly(records: list[list[str]], dialect: Dialect) -> bool:
    """With the wrong delimiter, two columns of another look like one cell that holds both."""
    header = records[0]
    return (
        dialect.coordinates in ONE_CELL
        and dialect.has_header
        and len(header) == 1
        and any(delimiter in header[0] for delimiter in DELIMITERS)
    )


def _likelihood(records: list[list[str]], dialect: Dialect) -> tuple[bool, bool, float, int]:
    """The larger the likelier: rows can be read; two columns rather than one; many rows; few other delimiters left."""
    share = _share_read(records, dialect)
    others = [delimiter for delimiter in DELIMITERS if delimiter not in (",", dialect.delimiter)]
    left = sum(other in field for record in records for field in record for other in others)
    return share > 0, dialect.coordinates not in ONE_CELL, share, -left


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The sample's records. Raises ReadingError when the first one opens a quote that it does not close."""
    reader = csv.reader(lines, delimiter=delimiter)
    filled = (fields for fields in reader if len(fields) > 1 or "".join(fields).strip())
    records: list[list[str]] = []
    try:
        records.extend(islice(filled, 1))
        if reader.line_num > 1 and not quotes_close("".join(lines[: reader.line_num]), delimiter):
            line = next(number for number, line in enumerate(lines, 1) if line.strip())
            raise unclosed_quote(line)
        records.extend(islice(filled, _SAMPLE_RECORDS))
    except csv.Error:
        if not records:
            raise ReadingError("The first record is too long to be one.", line=1) from None
    return records


def _columns(records: list[list[str]], declared: Declared, encoding: str, delimiter: str) -> Dialect:
    first, data = records[0], records[1:]
    if len(first) > MAX_COLUMNS:
        raise ReadingError(f"The first record has {len(first):,} columns; at most {MAX_COLUMNS:,} are read.")
    wanted = columns.Wanted(
        declared.latitude, declared.longitude, Notation(declared.coordinates) if declared.coordinates else None
    )
    has_header = declared.has_header
    if has_header is None:
        has_header = columns.looks_like_header(first, wanted)
    if not has_header:
        data = records
    found = columns.find(header=first if has_header else None, width=len(first), data=data, wanted=wanted)
    return Dialect(
        delimiter=delimiter,
        encoding=encoding,
        has_header=has_header,
        decimal=declared.decimal or _decimal(data, found),
        latitude=_shown(first[found.latitude]) if has_header else found.latitude + 1,
        longitude=_shown(first[found.longitude]) if has_header else found.longitude + 1,
        latitude_column=found.latitude,
        longitude_column=found.longitude,
        coordinates=found.notation.value,
    )


def _decimal(data: list[list[str]], found: columns.Columns) -> str:
    """The decimal sign of most coordinates; inside a cell that holds both, a comma stands between them."""
    if found.notation in ONE_CELL:
        return "."
    cells = [record[column] for record in data for column in (found.latitude, found.longitude) if column < len(record)]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    points = sum("." in cell and as_number(cell) is not None for cell in cells)
    return "," if commas > points else "."


def _shown(name: str) -> str:
    return name.replace("\0", "").strip()  # PostgreSQL's JSON cannot hold NUL


def _share_read(records: list[list[str]], dialect: Dialect) -> float:
    """The share of the sample's records whose coordinates can be read."""
    data = records[1:] if dialect.has_header else records
    locate = dialect.locator()
    needed = max(dialect.latitude_column, dialect.longitude_column)
    read = sum(len(record) > needed and not isinstance(locate(record), str) for record in data)
    return read / len(data) if data else 0.0
