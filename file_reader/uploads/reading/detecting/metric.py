"""Columns of eastings and northings: of which grid, and within which squares."""

from collections.abc import Collection
from dataclasses import replace

from uploads.reading.detecting.doubts import check_british, check_degrees, check_grid, is_grid
from uploads.reading.detecting.fitting import all_read, are_within_squares, grid_said, squares_column, x_and_y
from uploads.reading.detecting.found import Columns, several_pairs
from uploads.reading.detecting.headers import BRITISH_WORDS, EASTING, NORTHING, Pair, columns_called
from uploads.reading.detecting.sample import Table
from uploads.reading.notations import KINDS, Notation


def by_grid_names(table: Table) -> Columns | None:
    if (pair := grid_pair(table)) is None:
        return None
    return said_grid(table, pair.north, pair.east) or by_british_names(table)


def by_british_names(table: Table) -> Columns | None:
    if (pair := grid_pair(table)) is None:
        return None
    found = Columns(pair.north, pair.east, Notation.OSGB36)
    if table.values(pair.east) and not _within_squares(table, found):
        check_grid(table, easting=pair.east, northing=pair.north)
    return found


def grid_pair(table: Table) -> Pair | None:
    """The columns that are called easting and northing."""
    named = columns_called(table.names, NORTHING, EASTING)
    pairs = [pair for pair in named.pairs if not pair.meaning] or named.pairs
    if len(pairs) > 1:
        raise several_pairs(table, pairs)
    return pairs[0] if pairs else None


def said_grid(table: Table, north: int, east: int) -> Columns | None:
    """The columns, if their names say another grid than the British one, and all of their values are of it."""
    words = table.words(north, east)
    said = grid_said(words)
    if said is None or BRITISH_WORDS & words or not all_read(table, said, north, east):
        return None
    return Columns(north, east, said)


def _within_squares(table: Table, found: Columns) -> Columns | None:
    """The columns with the one that has their squares, if they are metres within these."""
    square = squares_column(table, northing=found.latitude, easting=found.longitude)
    if square is None or not are_within_squares(table, northing=found.latitude, easting=found.longitude):
        return None
    return Columns(found.latitude, found.longitude, Notation.OSGB36_SQUARE, square)


def with_square(table: Table, found: Columns) -> Columns:
    """What was declared, with the column of squares if the notation has one."""
    if KINDS[found.notation].columns < 3:
        return found
    square = squares_column(table, northing=found.latitude, easting=found.longitude)
    if square is None:
        raise table.error(
            f"With coordinates={found.notation}, one column has the squares of 100 km, such as TQ, and eastings and"
            " northings are below 100,000. There is no such column, or several."
        )
    return replace(found, square=square)


def by_x_and_y(table: Table, notations: Collection[Notation] = (Notation.OSGB36, Notation.DEGREES)) -> Columns | None:
    if (found := x_and_y(table)) is None:
        return None
    x, y = found
    if notations != [Notation.DEGREES] and (said := said_grid(table, y, x)):
        return said
    if Notation.OSGB36 in notations and is_grid(table, easting=x, northing=y):
        return Columns(y, x, Notation.OSGB36)
    exact = table.is_exact(x) and table.is_exact(y)
    if exact and table.mostly_within(x, (-180, 180)) and table.mostly_within(y, (-90, 90)):
        return Columns(y, x, Notation.DEGREES) if Notation.DEGREES in notations else None
    return None


def without_doubt(table: Table, found: Columns) -> Columns:
    """The same columns, once it is clear which grid they are of, or which side of Greenwich."""
    if found.notation == Notation.OSGB36 and (within := _within_squares(table, found)):
        return within
    if found.notation == Notation.OSGB36:
        check_british(table, easting=found.longitude, northing=found.latitude)
    elif found.notation == Notation.DEGREES:
        check_degrees(table, found.latitude, found.longitude)
    return found
