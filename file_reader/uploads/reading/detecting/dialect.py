"""How a file is written: encoding, delimiter, header, decimal sign, coordinate columns.

Whatever is declared is taken as declared; the rest is told from the beginning of the file. What cannot be told with
certainty is an error that shows what was seen: a wrong guess would put every row at the wrong place.
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO, Self, cast

from uploads.reading.containers import SheetCsv, beginning_of
from uploads.reading.detecting import columns
from uploads.reading.detecting.doubts import check_precision, side_column
from uploads.reading.detecting.encoding import encoding_of
from uploads.reading.detecting.fitting import precision_of, seen
from uploads.reading.detecting.found import Columns, Wanted
from uploads.reading.detecting.headers import name_both, names_of, normal
from uploads.reading.detecting.other_formats import refuse_other_bytes, refuse_other_text
from uploads.reading.detecting.sample import SHOWN_CHARS, Table, mostly
from uploads.reading.errors import ColumnsError, EmptyFileError, ReadingError
from uploads.reading.fields import is_blank, quotes_close, unclosed_quote
from uploads.reading.lines import has_lone_cr, split_lines, undecodable, without_lone_cr
from uploads.reading.notations import KINDS, ONE_CELL, REASONS, Located, Notation, as_number, has_letter, locator

#: How much of a file's beginning is looked at, in bytes.
SAMPLE_BYTES = 1 << 17
_SAMPLE_RECORDS = 200
#: How many records may stand above the header.
_MOST_ABOVE = 30
DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 10_000
_DECIMAL_COMMA = re.compile(r"[\s']*[+-]?\d+,\d+(?:[eE][+-]?\d+)?[°NSEW\s']*", re.ASCII)
#: Reasons of rows whose numbers could be read.
_READ_AND_REJECTED = frozenset(
    {"latitude_out_of_range", "longitude_out_of_range", "coordinates_swapped", "outside_national_grid", "outside_grid"}
)
#: Metres.
_LARGE_SQUARE = 1_000.0
#: A line for people, or the one by which Excel is told the delimiter.
_COMMENT = re.compile(r"\s*(#|sep=.?\s*$)", re.IGNORECASE)


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
    sheet: str | None = None


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `latitude` and `longitude` are the header's names, or numbers from 1 without a header.

    `coordinates` is a Notation. When it is one of ONE_CELL, both columns are the same; of metres, `latitude` is the
    northing and `longitude` the easting, and `square_column` has the squares that they are within, if they are.
    `precision_m` is how large the places of the first rows are, in metres, where they are no points.

    `preamble` is how many records stand above the header, or above the first row: titles, comments, `sep=;`. `surplus`
    is how many fields more than the header the rows have, all of them empty; below 0, how many columns without a name
    they leave out. With `skip_spaces`, quotes may stand behind a delimiter and spaces.

    `others` names the columns of further locations, which are not read. With `cr_ends`, a CR without an LF ends a line;
    else it is part of a cell. Of a workbook, `sheet` is the one that is read, by name or number, empty for the first;
    `sheets_left` are those that are not.

    What held for the beginning is asked of every row: `side_column` said east or west of the first rows, as the signs
    did; with `is_lettered`, letters did in the longitude itself; with `is_british`, a row that says it is in Ireland is
    of another grid.
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
    preamble: int = 0
    surplus: int = 0
    skip_spaces: bool = False
    square_column: int | None = None
    precision_m: int | None = None
    side_column: int | None = None
    is_lettered: bool = False
    is_british: bool = False
    cr_ends: bool = True
    others: list[str] = field(default_factory=list)
    sheet: str = ""
    sheets_left: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def locator(self) -> Callable[[Sequence[str]], Located]:
        """A function from the fields of a record to its coordinates, or to the reason why it has none."""
        return locator(
            Notation(self.coordinates), self.latitude_column, self.longitude_column, self.decimal, self.square_column
        )

    def is_coarser(self, fields: Sequence[str]) -> bool:
        """Whether the square of a record is larger than those of the first ones, and than 1 km."""
        size = KINDS[Notation(self.coordinates)].size
        found = size and size(fields[self.latitude_column])
        return bool(found and found > max(self.precision_m or 0, _LARGE_SQUARE))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value)


def detect_dialect(sample: bytes, declared: Declared, *, further: Sequence[bytes] = ()) -> Dialect:
    """The dialect of a file, from its first SAMPLE_BYTES and from what was declared.

    `further` are pieces from elsewhere in the file: the encoding may show only there.

    Raises UnsupportedFileError, EmptyFileError, ColumnsError (with `columns_seen`) or ReadingError.
    """
    refuse_other_bytes(sample)
    encoding = encoding_of(sample, further, declared.encoding)
    lines = _whole_lines(sample, encoding, cr_ends=True)
    first_line = next((line for line in lines if line.replace('"', "").strip()), None)
    if first_line is None:
        raise EmptyFileError("There is nothing in the file: not even a header.")
    refuse_other_text("".join(lines[:20]), first_line)
    dialect = _dialect_of(lines, declared, encoding)
    text = "".join(lines)
    if "\n" not in text:
        return dialect
    if has_lone_cr(text):
        # A line end, or a part of a cell: the records that it makes are as wide as the others, or they are not.
        unsplit = without_lone_cr(_whole_lines(sample, encoding, cr_ends=False))
        if _alike(lines, dialect.delimiter) >= _alike(unsplit, dialect.delimiter):
            return dialect
        dialect = _dialect_of(unsplit, declared, encoding)
    return replace(dialect, cr_ends=False)


def dialect_of_sheet(stream: SheetCsv, declared: Declared) -> Dialect:
    """The dialect of a sheet, which also says what other sheets there are. Raises as `detect_dialect` does."""
    sample = beginning_of(cast(BinaryIO, stream), SAMPLE_BYTES)
    wanted = declared.sheet or ""
    # A name comes before a number, as where the sheet is read.
    names = [name.strip().casefold() for name in stream.sheets]
    number = int(wanted) - 1 if columns.is_column_number(wanted) else 0
    chosen = names.index(wanted.strip().casefold()) if wanted.strip().casefold() in names else number
    left = [name for place, name in enumerate(stream.sheets) if place != chosen]
    try:
        return replace(detect_dialect(sample, declared), sheet=wanted, sheets_left=left)
    except (ColumnsError, EmptyFileError) as error:
        if left:
            error.detail += f" The workbook has further sheets: {', '.join(left)}. Say one with sheet=<name or number>."
        raise


def _dialect_of(lines: list[str], declared: Declared, encoding: str) -> Dialect:
    if declared.delimiter:
        return _columns(_cut(lines, declared.delimiter), declared, encoding)
    return _best_delimiter(lines, declared, encoding)


def _alike(lines: list[str], delimiter: str) -> tuple[int, float]:
    """How many records have as many fields as most of them, and their share."""
    try:
        widths = Counter(map(len, _cut(lines, delimiter).records))
    except ReadingError:
        return 0, 0.0
    (_, count), *_ = widths.most_common(1)
    return count, count / widths.total()


def _whole_lines(sample: bytes, encoding: str, *, cr_ends: bool) -> list[str]:
    try:
        text = codecs.getincrementaldecoder(encoding)(errors="strict").decode(sample)
    except UnicodeDecodeError as error:
        before = sample[: error.start].decode(encoding, errors="ignore")
        raise undecodable(len(split_lines(before + "x")), encoding) from None
    lines = split_lines(text, cr_ends=cr_ends)
    if len(sample) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # cut off by the sample's end
    return lines


@dataclass(frozen=True)
class _Cut:
    """The beginning of a file, cut into fields."""

    delimiter: str
    skip_spaces: bool
    records: list[list[str]]
    _names: dict[int, list[str]] = field(default_factory=dict)

    def names(self, number: int) -> list[str]:
        """What a record would name its columns, were it the header."""
        if number not in self._names:
            self._names[number] = names_of(self.records[number])
        return self._names[number]

    def quality(self) -> tuple[bool, bool, float, int]:
        """How well the delimiter cuts: names in the header, more than one field, many records alike, many fields."""
        width, count = Counter(map(len, self.records)).most_common(1)[0]
        return name_both(self.names(0)), width > 1, count / len(self.records), width


def _best_delimiter(lines: list[str], declared: Declared, encoding: str) -> Dialect:
    """The delimiter with which the coordinates are found; the error of the likeliest one when there is none."""
    errors: list[tuple[tuple[Any, ...], ReadingError]] = []
    found: list[tuple[tuple[bool, bool, float, int], Dialect]] = []
    for delimiter in DELIMITERS:
        cut = None
        try:
            cut = _cut(lines, delimiter)
            dialect = _columns(cut, declared, encoding)
            if declared.latitude is None and _is_cut_wrongly(cut, dialect):
                raise ColumnsError(
                    "The first record and the others have different delimiters. Say the right one with"
                    " delimiter=<character>.",
                    columns_seen=[dialect.latitude],
                )
            found.append((_likelihood(cut, dialect), dialect))
        except ReadingError as error:
            # What is wrong beside the columns is wrong whatever the delimiter.
            errors.append(((not isinstance(error, ColumnsError), cut.quality() if cut else ()), error))
    if found:
        return max(found, key=lambda scored: scored[0])[1]
    raise max(errors, key=lambda scored: scored[0])[1]


def _is_cut_wrongly(cut: _Cut, dialect: Dialect) -> bool:
    """With the wrong delimiter, two columns of another look like one cell that holds both."""
    first = cut.records[dialect.preamble]
    return (
        dialect.coordinates in ONE_CELL
        and len(first) == 1
        and any(delimiter in first[0] for delimiter in DELIMITERS if delimiter != dialect.delimiter)
    )


def _likelihood(cut: _Cut, dialect: Dialect) -> tuple[bool, bool, float, int]:
    """The larger the likelier: rows can be read; two columns rather than one; many rows; few other delimiters left."""
    share = _share_read(cut.records, dialect)
    others = [delimiter for delimiter in DELIMITERS if delimiter not in (",", dialect.delimiter)]
    left = sum(other in field for record in cut.records for field in record for other in others)
    return share > 0, dialect.coordinates not in ONE_CELL, share, -left


def _cut(lines: Sequence[str], delimiter: str) -> _Cut:
    """The sample's records. Raises ReadingError when the first one opens a quote that it does not close."""
    skip_spaces = _has_spaces_before_quotes("".join(lines), delimiter)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_spaces)
    filled = (fields for fields in reader if not is_blank(fields))
    records: list[list[str]] = []
    try:
        records.extend(islice(filled, 1))
        if reader.line_num > 1 and not quotes_close(
            "".join(lines[: reader.line_num]), delimiter, skip_spaces=skip_spaces
        ):
            line = next(number for number, line in enumerate(lines, 1) if line.strip())
            raise unclosed_quote(line)
        records.extend(islice(filled, _SAMPLE_RECORDS))
    except csv.Error:
        if not records:
            raise ReadingError("The first record is too long to be one.", line=1) from None
    return _Cut(delimiter, skip_spaces, records)


def _has_spaces_before_quotes(text: str, delimiter: str) -> bool:
    """Whether a cell in quotes has spaces before them. Inside of quotes, a quote is doubled, and looks unlike it."""
    mark = re.escape(delimiter)
    return bool(re.search(rf'(?:^|{mark}) +"[^"{mark}\r\n]+" *(?=[{mark}\r\n]|$)', text, re.MULTILINE))


def _columns(cut: _Cut, declared: Declared, encoding: str) -> Dialect:
    preamble = _preamble(cut, declared)
    first, data = cut.records[preamble], cut.records[preamble + 1 :]
    if len(first) > MAX_COLUMNS:
        raise ReadingError(f"The first record has more than {MAX_COLUMNS:,} columns, which is the most that are read.")
    wanted = Wanted(
        declared.latitude, declared.longitude, Notation(declared.coordinates) if declared.coordinates else None
    )
    names = cut.names(preamble)
    has_header = declared.has_header
    if has_header is None:
        has_header = columns.looks_like_header(first, names, wanted)
    if has_header:
        table = Table(first, names, len(first), data)
        _check_widths(table, data)
    else:
        data = cut.records[preamble:]
        table = Table(None, (), len(first), data)
    found = columns.find(table, wanted)
    decimal = declared.decimal or _decimal(data, found)
    is_told = not (declared.latitude or declared.longitude or declared.coordinates)
    precision = precision_of(table, found.notation, (found.latitude, found.longitude))
    if is_told:
        _check_readable(table, data, found, decimal)
        check_precision(table, precision, sorted({found.latitude, found.longitude}))
    return Dialect(
        delimiter=cut.delimiter,
        encoding=encoding,
        has_header=has_header,
        decimal=decimal,
        latitude=_shown(first[found.latitude]) if has_header else found.latitude + 1,
        longitude=_shown(first[found.longitude]) if has_header else found.longitude + 1,
        latitude_column=found.latitude,
        longitude_column=found.longitude,
        coordinates=found.notation.value,
        preamble=preamble,
        surplus=_surplus(table, data, found) if has_header else 0,
        skip_spaces=cut.skip_spaces,
        square_column=found.square,
        precision_m=precision,
        side_column=side_column(table, found.longitude) if is_told and found.notation == Notation.DEGREES else None,
        is_lettered=found.notation == Notation.DEGREES and mostly(list(map(has_letter, table.values(found.longitude)))),
        others=list(found.others),
        is_british=is_told and found.notation == Notation.OSGB36,
    )


def _check_readable(table: Table, data: list[list[str]], found: Columns, decimal: str) -> None:
    """Some of the cells that are not empty can be read. Raises ColumnsError, which shows one that cannot."""
    locate = locator(found.notation, found.latitude, found.longitude, decimal, found.square)
    needed = max(found.latitude, found.longitude, found.square or 0)
    read = [(record, locate(record)) for record in data if len(record) > needed]
    unread = [
        (record, located) for record, located in read if isinstance(located, str) and located != "coordinates_missing"
    ]
    if unread and not any(not isinstance(located, str) or located in _READ_AND_REJECTED for _, located in read):
        record, reason = unread[0]
        cells = dict.fromkeys((record[found.latitude], record[found.longitude]))
        raise table.error(
            f"No row of the first {len(data):,} can be read: {' and '.join(repr(cell[:SHOWN_CHARS]) for cell in cells)}"
            " are not coordinates in a way that is known. Send degrees with decimals, such as 51.501 and -0.1419."
            + _hint(" ".join(cells), reason)
            + seen(table, found.latitude, found.longitude),
            sorted({found.latitude, found.longitude}),
        )


def _hint(text: str, reason: str) -> str:
    if "," in text and "." in text:
        return " Some of these numbers have a point and some a comma: all must have the same decimal sign."
    if reason not in ("not_a_number", "not_coordinates"):
        return f" {REASONS[reason]}"
    return ""


def _preamble(cut: _Cut, declared: Declared) -> int:
    """How many records stand above the header, or the first row: comments, and titles above names of coordinates.

    They have fewer fields that are not empty than what is below them; a row has as many as the others.
    """
    records = cut.records
    named = _named(cut, declared)
    number = named if named is not None else next((n for n, one in enumerate(records) if not _is_comment(one)), 0)
    most = _filled(records[number])
    narrow = all(_filled(one) < most or (named is not None and _is_comment(one)) for one in records[:number])
    return number if narrow else 0


def _named(cut: _Cut, declared: Declared) -> int | None:
    """The first record that names both coordinates, or the columns that were declared."""
    if declared.has_header is False:
        return None
    wanted = {normal(name) for name in (declared.latitude, declared.longitude) if name}
    for number in range(min(len(cut.records), _MOST_ABOVE)):
        if name_both(cut.names(number)) or (wanted and wanted <= {*cut.names(number)}):
            return number
    return None


def _is_comment(record: Sequence[str]) -> bool:
    return bool(_COMMENT.match(record[0]))


def _filled(record: Sequence[str]) -> int:
    return sum(bool(field.strip()) for field in record)


def _surplus(table: Table, data: list[list[str]], found: Columns) -> int:
    """How many fields the rows have more than the header, or less, when none is as wide, but nothing is lost.

    Raises ColumnsError when something would be: every row would be rejected.
    """
    widths = Counter(map(len, data))
    if not data or table.width in widths:
        return 0
    width = widths.most_common(1)[0][0]
    if width > table.width:
        return width - table.width if not _is_lost(table, data) else 0
    if max(found.latitude, found.longitude) < width and not any(table.names[width:]):
        return width - table.width
    if len(data) > 1:
        raise _widths_differ(table, width)
    return 0


def _is_lost(table: Table, data: list[list[str]]) -> bool:
    """Whether something stands in the fields that the rows have more than the header."""
    return any("".join(record[table.width :]).strip() for record in data)


def _check_widths(table: Table, data: list[list[str]]) -> None:
    """What the rows have more than the header is empty. Raises ColumnsError: what is called a column may be another."""
    widths = Counter(map(len, data))
    if len(data) > 1 and table.width not in widths:
        width = widths.most_common(1)[0][0]
        if width > table.width and _is_lost(table, data):
            raise _widths_differ(table, width)


def _widths_differ(table: Table, width: int) -> ColumnsError:
    return table.error(
        f"The header has {table.width:,} fields, and no row that was looked at has as many; most have {width:,}."
        " Give every column a name, put quotes around cells with delimiters in them, or say delimiter=<character>"
        " if it is another."
    )


def _decimal(data: list[list[str]], found: Columns) -> str:
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
    data = records[dialect.preamble + dialect.has_header :]
    locate = dialect.locator()
    needed = max(dialect.latitude_column, dialect.longitude_column, dialect.square_column or 0)
    read = sum(len(record) > needed and not isinstance(locate(record), str) for record in data)
    return read / len(data) if data else 0.0
