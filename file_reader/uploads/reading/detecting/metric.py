"""Columns of eastings and northings, or of X and Y: of which grid, and within which squares."""

from collections.abc import Collection
from dataclasses import replace

from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.grid import BRITISH, EXCHANGED, METRES, is_grid
from uploads.reading.detecting.fitting import all_read, are_within_squares, grid_said, squares_columns, x_and_y
from uploads.reading.detecting.headers import BRITISH_WORDS, EASTING, NORTHING, Pair, columns_called
from uploads.reading.detecting.sample import Columns, Table
from uploads.reading.notations import KINDS, Notation


def by_grid_names(table: Table) -> Columns | None:
    """The pair that is called northing and easting, None where there is none. Raises ColumnsError in doubt."""
    if (pair := grid_pair(table)) is None:
        return None
    return said_grid(table, pair.north, pair.east) or by_british_names(table)


def by_british_names(table: Table) -> Columns | None:
    """The same, were it said to be of the British National Grid."""
    if (pair := grid_pair(table)) is None:
        return None
    ask(table, EXCHANGED, pair.north, pair.east)
    found = Columns(pair.north, pair.east, Notation.OSGB36)
    if within_squares(table, found) is None:
        ask(table, METRES, pair.north, pair.east)
    return found


def grid_pair(table: Table) -> Pair | None:
    """The columns that are called easting and northing."""
    named = columns_called(table.names, NORTHING, EASTING)
    pairs = [pair for pair in named.pairs if not pair.meaning] or named.pairs
    if len(pairs) > 1:
        raise table.several_pairs(pairs)
    return pairs[0] if pairs else None


def said_grid(table: Table, north: int, east: int) -> Columns | None:
    """The columns, if their names say another grid than the British one, and all of their values are of it."""
    words = table.words(north, east)
    said = grid_said(words)
    if said is None or BRITISH_WORDS & words or not all_read(table, said, north, east):
        return None
    return Columns(north, east, said)


def within_squares(table: Table, found: Columns) -> Columns | None:
    """The columns with the one that has their squares, if they are metres within these."""
    squares = squares_columns(table, found.latitude, found.longitude)
    if len(squares) != 1 or not are_within_squares(table, found.latitude, found.longitude):
        return None
    return replace(found, notation=Notation.OSGB36_SQUARE, square=squares[0])


def british(table: Table, found: Columns) -> Columns:
    """The same, or within squares, once it is clear that nothing speaks for another grid."""
    if within := within_squares(table, found):
        return within
    ask(table, BRITISH, found.latitude, found.longitude)
    return found


def with_square(table: Table, found: Columns) -> Columns:
    """What was declared, with the column of squares if the notation has one."""
    if KINDS[found.notation].columns < 3:
        return found
    squares = squares_columns(table, found.latitude, found.longitude)
    if len(squares) != 1:
        raise table.error(
            f"With coordinates={found.notation}, one column has the squares of 100 km, such as TQ, and eastings and"
            " northings are below 100,000. There is no such column, or several."
        )
    return replace(found, square=squares[0])


def by_x_and_y(table: Table, notations: Collection[Notation] = (Notation.OSGB36, Notation.DEGREES)) -> Columns | None:
    """The pair that is called Y and X, if its values are of one of these notations, or its names say a grid."""
    if (found := x_and_y(table)) is None:
        return None
    x, y = found
    if Notation.OSGB36 in notations:
        if said := said_grid(table, y, x):
            return said
        ask(table, EXCHANGED, y, x)
        if is_grid(table, y, x):
            return Columns(y, x, Notation.OSGB36)
    exact = table.is_exact(x) and table.is_exact(y)
    if exact and table.mostly_within(x, (-180, 180)) and table.mostly_within(y, (-90, 90)):
        return Columns(y, x, Notation.DEGREES) if Notation.DEGREES in notations else None
    return None
