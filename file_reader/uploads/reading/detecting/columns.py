"""Which columns hold the coordinates, and how: by declaration, by name, by value; names are checked against values.

What cannot be told with certainty is an error that shows the candidates.
"""

from uploads.reading.coordinates import ONE_CELL, Notation
from uploads.reading.detecting.by_name import by_grid_names, by_names, by_x_and_y
from uploads.reading.detecting.by_value import by_values
from uploads.reading.detecting.declared import declared_columns
from uploads.reading.detecting.dialect import Declared
from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.degrees import DEGREES
from uploads.reading.detecting.doubts.grid import BRITISH
from uploads.reading.detecting.one_cell import in_one_cell
from uploads.reading.detecting.sample import Columns, Table
from uploads.reading.detecting.unread import seen


def find(table: Table, declared: Declared) -> Columns:
    """The columns that hold the coordinates. Raises ColumnsError when they are missing or ambiguous."""
    if declared.latitude or declared.longitude:
        return declared_columns(table, declared)
    if declared.notation in ONE_CELL:
        found = in_one_cell(table, declared.notation)
    elif declared.notation == Notation.OSGB36:
        found = by_grid_names(table) or by_x_and_y(table, [Notation.OSGB36])
    elif declared.notation == Notation.DEGREES:
        found = by_names(table) or by_x_and_y(table, [Notation.DEGREES]) or by_values(table)
    else:
        found = _told(table)
    if found is None:
        raise table.error(
            "No columns were recognised as the coordinates. Say which ones they are with latitude=<name or number> and"
            " longitude=<name or number>."
            + seen(table, range(table.width))
            + (" If the first record is no header, say has_header=false." if table.header else "")
        )
    return found


def _told(table: Table) -> Columns | None:
    named = by_names(table)
    if named and (table.values(named.latitude) or table.values(named.longitude)):
        return named
    found = in_one_cell(table, None) or by_grid_names(table) or by_x_and_y(table)
    if named and not (found and table.values(found.latitude)):
        return named
    return _without_doubt(table, found) if found else by_values(table)


def _without_doubt(table: Table, found: Columns) -> Columns:
    """The same columns, once it is clear which grid they are of, or which side of Greenwich."""
    if found.notation == Notation.OSGB36:
        ask(table, BRITISH, found.latitude, found.longitude)
    elif found.notation == Notation.DEGREES:
        ask(table, DEGREES, found.latitude, found.longitude)
    return found
