"""How a file is written: encoding, delimiter, header, decimal sign, coordinate columns.

Whatever is declared is taken as declared; the rest is told from the beginning of the file. What cannot be told with
certainty is an error that shows what was seen: a wrong guess would put every row at the wrong place.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from uploads.reading.detecting.columns import find
from uploads.reading.detecting.cut import SAMPLE_RECORDS, Cut, alike
from uploads.reading.detecting.delimiter import dialect_by_delimiter
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.degrees import ABOVE, PRECISION
from uploads.reading.detecting.doubts.places import PLACES, further_places, second_place
from uploads.reading.detecting.doubts.sides import side_column, silent_sides, west_flags
from uploads.reading.detecting.encoding import encoding_of
from uploads.reading.detecting.fitting import is_british, precision_of, seen_in_two
from uploads.reading.detecting.header import check_widths, looks_like_header, preamble_of, surplus_of
from uploads.reading.detecting.one_cell import seen_in_one_cell
from uploads.reading.detecting.other_formats import refuse_other_bytes, refuse_other_text
from uploads.reading.detecting.sample import SHOWN_CHARS, Columns, Table, mostly, telling
from uploads.reading.detecting.unread import seen
from uploads.reading.errors import EmptyFileError, ReadingError
from uploads.reading.lines import has_lone_cr, split_lines, undecodable, without_lone_cr
from uploads.reading.notations import MISSING, ONE_CELL, REASONS, Notation, as_number, has_letter, is_in_uk, locator
from uploads.reading.own_postcodes import own_columns

#: How much of a file's beginning is looked at, in bytes.
SAMPLE_BYTES = 1 << 17
MAX_COLUMNS = 10_000
#: How many further locations are named.
_SHOWN_OTHERS = 8
#: Where more than one longitude of so many has the letter of its side, those without it are unclear.
_LETTERED = 10
_DECIMAL_COMMA = re.compile(r"[\s']*[+-]?\d+,\d+(?:[eE][+-]?\d+)?[°NSEW\s']*", re.ASCII)
_MIXED = " Some of these numbers have a point and some a comma: all must have the same decimal sign."
_SWAPPED = "coordinates_swapped"
#: Reasons of rows whose numbers could be read.
_READ_AND_REJECTED = frozenset(
    {"latitude_out_of_range", "longitude_out_of_range", _SWAPPED, "outside_national_grid", "outside_grid"}
)


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
    tell = partial(_dialect_of, declared=declared, encoding=encoding)
    dialect = dialect_by_delimiter(lines, declared, tell)
    text = "".join(lines)
    if "\n" not in text:
        return dialect
    if has_lone_cr(text):
        # A line end, or a part of a cell: the records that it makes are as wide as the others, or they are not.
        unsplit = without_lone_cr(_whole_lines(sample, encoding, cr_ends=False))
        if alike(lines, dialect.delimiter, dialect.quoting) >= alike(unsplit, dialect.delimiter, dialect.quoting):
            return dialect
        dialect = dialect_by_delimiter(unsplit, declared, tell)
    return replace(dialect, cr_ends=False)


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


def _dialect_of(cut: Cut, declared: Declared, encoding: str) -> Dialect:
    preamble = preamble_of(cut, declared)
    first = cut.records[preamble]
    if len(first) > MAX_COLUMNS:
        raise ReadingError(f"The first record has more than {MAX_COLUMNS:,} columns, which is the most that are read.")
    names = cut.names(preamble)
    has_header = declared.has_header
    if has_header is None:
        has_header = looks_like_header(first, names, declared)
    if not has_header:
        names = []
    rows = cut.records[preamble + has_header :]
    data = telling(chain(rows, cut.later), names, SAMPLE_RECORDS) or rows
    table = Table(first if has_header else None, names, len(first), data)
    if has_header:
        check_widths(table, rows)
    found = find(table, declared)
    decimal = declared.decimal or _decimal(data, found)
    is_told = not (declared.latitude or declared.longitude or declared.coordinates)
    others = found.others
    if is_told:
        _check_readable(table, data, found, decimal)
    if is_told or declared.is_of_format:
        ask(table, PLACES, found)
    if is_told:
        ask(table, PRECISION, found)
        ask(table, ABOVE, cut.records[:preamble], found)
        others += tuple(further_places(table, found))
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
        surplus=surplus_of(table, rows, found) if has_header else 0,
        skip_spaces=cut.skip_spaces,
        quoting=cut.quoting,
        square_column=found.square,
        precision_m=precision_of(table, found.notation, (found.latitude, found.longitude)),
        others=[_shown(table.called_both(other)) for other in others[:_SHOWN_OTHERS]],
        others_fix=table.options(others[0]) if len(others) == 1 else {},
        is_declared=not is_told,
        postcode_columns={_shown(name): column for name, column in own_columns(table).items()},
        second=second_place(table, found) if is_told or declared.is_of_format else None,
        in_metres=found.notation == Notation.WKT and mostly(list(map(is_british, table.values(found.latitude)))),
        **_held(table, found, is_told=is_told),
    )


def _held(table: Table, found: Columns, *, is_told: bool) -> dict[str, Any]:
    """What holds for the beginning, so that it is asked of every row."""
    if found.notation != Notation.DEGREES:
        return {"is_british": is_told and found.notation == Notation.OSGB36}
    lettered = list(map(has_letter, table.values(found.longitude)))
    return {
        "side_column": side_column(table, found.longitude) if is_told else None,
        "silent_sides": silent_sides(table, found.latitude, found.longitude) if is_told else [],
        "west_flags": west_flags(table, found.longitude) if is_told else [],
        "is_lettered": sum(lettered) * _LETTERED > len(lettered),
        "is_of_world": _is_of_world(table, found),
    }


def _is_of_world(table: Table, found: Columns) -> bool:
    """Whether most locations are abroad: then one that would be in the UK with both exchanged is abroad, too."""
    known = [at for at in table.located(found) if at != (0, 0) and (not isinstance(at, str) or at == _SWAPPED)]
    return mostly([not isinstance(at, str) and not is_in_uk(*at) for at in known])


def _check_readable(table: Table, data: Sequence[Sequence[str]], found: Columns, decimal: str) -> None:
    """Some of the cells that are not empty can be read. Raises ColumnsError, which shows one that cannot."""
    locate = locator(found.notation, found.latitude, found.longitude, decimal, found.square)
    read = [(record, locate(record)) for record in data if len(record) > found.last]
    unread = [
        (one, why)
        for one, why in read
        if isinstance(why, str) and (why != "coordinates_missing" or _holds_something_else(one, found))
    ]
    if unread and not any(not isinstance(located, str) or located in _READ_AND_REJECTED for _, located in read):
        columns = sorted({found.latitude, found.longitude})
        record, reason = unread[0]
        cells = [record[column] for column in columns]
        raise table.error(
            f"No row of the first {len(data):,} can be read: {' and '.join(repr(cell[:SHOWN_CHARS]) for cell in cells)}"
            " are not coordinates in a way that is known. Send degrees with decimals, such as 51.501 and -0.1419."
            + (
                _hint(cells, reason)
                or seen_in_two(table, found.latitude, found.longitude)
                or seen_in_one_cell(table, columns)
                or seen(table, columns)
            ),
            columns,
        )


def _holds_something_else(record: Sequence[str], found: Columns) -> bool:
    """Whether a record without one of two coordinates has a text for the other: perhaps it is both."""
    cells = {record[column].strip() for column in (found.latitude, found.longitude)}
    return any(cell.lower() not in MISSING and as_number(cell) is None for cell in cells)


def _hint(cells: Sequence[str], reason: str) -> str:
    if reason not in ("not_a_number", "not_coordinates", "coordinates_missing"):
        return f" {REASONS[reason]}"
    return _MIXED if {",", "."} <= {*"".join(cells)} else ""


def _decimal(data: Sequence[Sequence[str]], found: Columns) -> str:
    """The decimal sign of most coordinates; inside a cell that holds both, a comma stands between them."""
    if found.notation in ONE_CELL:
        return "."
    cells = [record[column] for record in data for column in (found.latitude, found.longitude) if column < len(record)]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    points = sum("." in cell and as_number(cell) is not None for cell in cells)
    return "," if commas > points else "."


def _shown(name: str) -> str:
    return name.replace("\0", "").strip()  # PostgreSQL's JSON cannot hold NUL
