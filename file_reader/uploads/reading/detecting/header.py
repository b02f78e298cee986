"""Whether a record names the columns, which one it is, and whether the rows are as wide."""

import re
from collections import Counter
from collections.abc import Sequence

from uploads.reading.detecting.cut import Cut
from uploads.reading.detecting.declared import is_column_number
from uploads.reading.detecting.dialect import Declared
from uploads.reading.detecting.headers import name_any, name_both, normal
from uploads.reading.detecting.one_cell import is_reference, notations_of
from uploads.reading.detecting.sample import Columns, Table
from uploads.reading.errors import ColumnsError, ReadingError
from uploads.reading.notations import NULLS, Notation, as_number

#: How many records may stand above the header.
_MOST_ABOVE = 30
#: How many records below the names show whether these have rows.
_LOOKED_BELOW = 5
#: A line for people, or the one by which Excel is told the delimiter.
_COMMENT = re.compile(r"\s*(#|sep=.?\s*$)", re.IGNORECASE)


def preamble_of(cut: Cut, declared: Declared) -> int:
    """How many records stand above the header, or the first row: comments, and titles above names of coordinates.

    They have fewer fields that are not empty than what is below them; a row has as many as the others.
    """
    records = cut.records
    named = _named(cut, declared)
    number = named if named is not None else next((n for n, one in enumerate(records) if not _is_comment(one)), 0)
    most = _filled(records[number])
    above, below = records[:number], records[number + 1 : number + 1 + _LOOKED_BELOW]
    are_rows_below = any(as_number(field) is not None for one in below for field in one)
    if named is not None and all(
        _filled(one) < most or _is_comment(one) or (are_rows_below and _is_title(one)) for one in above
    ):
        return number
    if named and are_rows_below:
        raise ReadingError(
            f"Record {named + 1} of the file names the columns, and what stands above it looks like rows. Take away"
            " what stands above the names, or say has_header=false."
        )
    return number if all(_filled(one) < most for one in above) else 0


def _is_title(record: Sequence[str]) -> bool:
    """Whether nothing in it is a number: the upper one of two lines of names, mostly."""
    return all(as_number(field) is None for field in record)


def _named(cut: Cut, declared: Declared) -> int | None:
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


def looks_like_header(first: Sequence[str], names: Sequence[str], declared: Declared) -> bool:
    """Whether the first record names columns: a known or declared name, or no coordinate in any field."""
    if any(name and not is_column_number(name) for name in (declared.latitude, declared.longitude)) or name_any(names):
        return True
    return not any(
        as_number(field) is not None
        or field.strip().lower() in NULLS
        or notations_of([field])
        or is_reference(Notation.GRID_REFERENCE, [field], "")
        for field in first
    )


def surplus_of(table: Table, data: list[list[str]], found: Columns) -> int:
    """How many fields the rows have more than the header, or less, when none is as wide, but nothing is lost.

    Raises ColumnsError when something would be: every row would be rejected.
    """
    widths = Counter(map(len, data))
    if not data or table.width in widths:
        return 0
    width = widths.most_common(1)[0][0]
    if width > table.width:
        return width - table.width if not _is_lost(table, data) else 0
    if found.last < width and not any(table.names[width:]):
        return width - table.width
    if len(data) > 1:
        raise _widths_differ(table, width)
    return 0


def _is_lost(table: Table, data: list[list[str]]) -> bool:
    """Whether something stands in the fields that the rows have more than the header."""
    return any("".join(record[table.width :]).strip() for record in data)


def check_widths(table: Table, data: list[list[str]]) -> None:
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
