"""Which columns hold the coordinates, and how: by declaration, by name, by value; names are checked against values.

What cannot be told with certainty is an error that shows the candidates.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from uploads.reading.detecting.doubts import check_british, check_degrees, check_grid, check_whole_degrees, is_grid
from uploads.reading.detecting.headers import (
    EASTING,
    LATITUDE,
    LONGITUDE,
    NORTHING,
    Named,
    Pair,
    X,
    Y,
    columns_called,
    name_any,
    normal,
)
from uploads.reading.detecting.sample import SHOWN_CHARS, Table, mostly
from uploads.reading.errors import ColumnsError
from uploads.reading.notations import (
    LEAST_GRID,
    NULLS,
    ONE_CELL,
    UK_LATITUDE,
    UK_LONGITUDE,
    Notation,
    as_number,
    is_in_uk,
    read_cell,
)

#: How many columns a message names.
_SHOWN_CALLED = 8


@dataclass(frozen=True)
class Columns:
    """The indexes (from 0) of the latitude and the longitude, or of northing and easting, or twice that of one cell."""

    latitude: int
    longitude: int
    notation: Notation
    #: What the columns of further locations are called, which are not read.
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What the sender said of the columns: names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    notation: Notation | None = None


def looks_like_header(first: Sequence[str], names: Sequence[str], wanted: Wanted) -> bool:
    """Whether the first record names columns: a known or declared name, or no coordinate in any field."""
    if any(name and not is_column_number(name) for name in (wanted.latitude, wanted.longitude)) or name_any(names):
        return True
    return not any(
        as_number(field) is not None or field.strip().lower() in NULLS or _notations([field]) for field in first
    )


def is_column_number(text: str) -> bool:
    # Longer ones are no column's number, and int() refuses thousands of digits.
    return text.isascii() and text.isdecimal() and len(text) < 10


def find(table: Table, wanted: Wanted) -> Columns:
    """The columns that hold the coordinates. Raises ColumnsError when they are missing or ambiguous."""
    if wanted.latitude or wanted.longitude:
        return _declared(table, wanted)
    if wanted.notation in ONE_CELL:
        found = _in_one_cell(table, wanted.notation)
    elif wanted.notation == Notation.OSGB36:
        found = _by_grid_names(table) or _by_x_and_y(table, [Notation.OSGB36])
    elif wanted.notation == Notation.DEGREES:
        found = _by_names(table) or _by_x_and_y(table, [Notation.DEGREES]) or _by_values(table)
    else:
        found = _told(table)
    if found is None:
        raise table.error(
            "No columns were recognised as the coordinates. Say which ones they are with latitude=<name or number> and"
            " longitude=<name or number>."
            + (" If the first record is no header, say has_header=false." if table.header else "")
        )
    return found


def _told(table: Table) -> Columns | None:
    named = _by_names(table)
    if named and (table.values(named.latitude) or table.values(named.longitude)):
        return named
    found = _in_one_cell(table, None) or _by_grid_names(table) or _by_x_and_y(table)
    if named and not (found and table.values(found.latitude)):
        return named
    return _without_doubt(table, found) if found else _by_values(table)


def _without_doubt(table: Table, found: Columns) -> Columns:
    """The same columns, once it is clear which grid they are of, or which side of Greenwich."""
    if found.notation == Notation.OSGB36:
        check_british(table, easting=found.longitude, northing=found.latitude)
    elif found.notation == Notation.DEGREES:
        check_degrees(table, found.latitude, found.longitude)
    return found


# --- declared ------------------------------------------------------------------------------------------------------
def _declared(table: Table, wanted: Wanted) -> Columns:
    if (both := _declared_for_both(table, wanted)) is not None:
        return both
    if wanted.latitude and wanted.longitude:
        latitude, longitude = (
            _one(table, what, name) for what, name in (("latitude", wanted.latitude), ("longitude", wanted.longitude))
        )
    elif wanted.latitude:
        latitude = _one(table, "latitude", wanted.latitude)
        longitude = _partner(table, "longitude", latitude)
    else:
        longitude = _one(table, "longitude", wanted.longitude or "")
        latitude = _partner(table, "latitude", longitude)
    if latitude == longitude:
        raise table.error("Latitude and longitude cannot be the same column, unless its cells hold both.")
    if wanted.notation is None and is_grid(table, easting=longitude, northing=latitude):
        return _without_doubt(table, Columns(latitude, longitude, Notation.OSGB36))
    return Columns(latitude, longitude, wanted.notation or Notation.DEGREES)


def _declared_for_both(table: Table, wanted: Wanted) -> Columns | None:
    """The one column that was declared, if its cells hold both or are said to; it is enough to name it once."""
    columns = {
        _one(table, what, name) for what, name in (("latitude", wanted.latitude), ("longitude", wanted.longitude))
        if name
    }  # fmt: skip
    if len(columns) == 1:
        (column,) = columns
        if wanted.notation in ONE_CELL:
            return Columns(column, column, wanted.notation)
        return None if wanted.notation else _in_one_cell(table, None, [column])
    if wanted.notation in ONE_CELL:
        raise table.error(f"With coordinates={wanted.notation}, one column holds both. Say which one.", sorted(columns))
    return None


def _one(table: Table, what: str, declared: str) -> int:
    candidates = table.named({normal(declared)})
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise table.several(what, candidates)
    if is_column_number(declared) and 1 <= int(declared) <= table.width:
        return int(declared) - 1
    raise table.error(f"There is no column {declared[:SHOWN_CHARS]!r} for the {what}.")


def _partner(table: Table, what: str, declared: int) -> int:
    """The column that belongs to a declared one: called like it, or like nothing but the coordinate."""
    found = [columns_called(table.names, *axes) for axes in ((LATITUDE, LONGITUDE), (NORTHING, EASTING))]
    pairs = [pair for named in found for pair in named.pairs]
    if what == "longitude":
        partners = [pair.east for pair in pairs if pair.north == declared]
        plain = [pair.east for pair in pairs if not pair.meaning] + found[0].single_east
    else:
        partners = [pair.north for pair in pairs if pair.east == declared]
        plain = [pair.north for pair in pairs if not pair.meaning] + found[0].single_north
    candidates = sorted({*partners} or {*plain} - {declared})
    if not candidates:
        raise table.missing(what)
    if len(candidates) > 1:
        raise table.several(what, candidates)
    return candidates[0]


# --- by name -------------------------------------------------------------------------------------------------------
def _by_names(table: Table) -> Columns | None:
    named = columns_called(table.names, LATITUDE, LONGITUDE)
    if not named.pairs and not _any_plain(table, named) and not (named.single_north and named.single_east):
        return None
    check_whole_degrees(table, [pair.north for pair in named.pairs] + named.single_north)
    pair = _only(table, named)
    check_degrees(table, pair.north, pair.east)
    others = [other for other in named.pairs if not {other.north, other.east} & {pair.north, pair.east}]
    called = [f"{table.called(other.north)} with {table.called(other.east)}" for other in others[:_SHOWN_CALLED]]
    return Columns(pair.north, pair.east, Notation.DEGREES, tuple(called))


def _only(table: Table, named: Named) -> Pair:
    """The pair of columns whose numbers can be degrees; of several that say the same in every record, the first.

    A pair whose names say nothing but latitude and longitude comes before those of something. Never are columns put
    together that are not called alike: they are those of two places.
    """
    plain = [pair for pair in named.pairs if not pair.meaning]
    if not plain:
        _check_singles(table, named)
    candidates = plain or named.pairs
    possible = [pair for pair in candidates if not _lying(table, pair)]
    if not possible:
        what, column, limit = _lying(table, candidates[0]) or ("", 0, 0)
        raise table.error(
            f"The column that is called {what} has numbers that are not degrees between -{limit} and {limit}, such as"
            f" {table.example(column)}. If it is another column, say which one with {what}=<name or number>.",
            [column],
        )
    filled = [pair for pair in possible if table.numbers(pair.north) and table.numbers(pair.east)]
    numbers = {tuple(tuple(table.numbers_by_record(column)) for column in (pair.north, pair.east)) for pair in filled}
    if len(possible) > 1 and len(numbers) != 1:
        raise _several_pairs(table, candidates)
    return filled[0] if filled else possible[0]


def _check_singles(table: Table, named: Named) -> None:
    """Where no pair is called latitude and longitude alone, no single column is, and there is a pair at all."""
    north, east = named.single_north, named.single_east
    if named.pairs and not _any_plain(table, named):
        return
    if not named.pairs and not (north and east):
        raise table.missing("longitude" if north else "latitude")
    columns = [*north, *east, *(column for pair in named.pairs for column in (pair.north, pair.east))]
    raise table.error(
        f"Which columns belong together is not clear: {', '.join(map(table.called, sorted(columns)[:_SHOWN_CALLED]))}."
        " A latitude and a longitude whose names differ in more than these words may be those of two places. Say which"
        " ones are meant with latitude=<name or number> and longitude=<name or number>.",
        sorted(columns)[:_SHOWN_CALLED],
    )


def _any_plain(table: Table, named: Named) -> bool:
    """Whether a column without a partner is called latitude or longitude, and nothing else."""
    return any(
        not axis.meaning(axis.rest(table.names[column]) or frozenset())
        for axis, columns in ((LATITUDE, named.single_north), (LONGITUDE, named.single_east))
        for column in columns
    )


def _several_pairs(table: Table, pairs: Sequence[Pair]) -> ColumnsError:
    what, columns = "latitude", sorted({pair.north for pair in pairs})
    if len(columns) == 1:
        what, columns = "longitude", sorted({pair.east for pair in pairs})
    shown = [f"{table.called(pair.north)} with {table.called(pair.east)}" for pair in pairs[:_SHOWN_CALLED]]
    return table.error(
        f"Several columns could be the {what}: {', or '.join(shown)}. Say which ones are meant with"
        " latitude=<name or number> and longitude=<name or number>.",
        columns[:_SHOWN_CALLED],
    )


def _lying(table: Table, pair: Pair) -> tuple[str, int, int] | None:
    """The column of a pair whose numbers are no degrees: what it is called, where it stands, and the limit."""
    for what, column, limit in (("latitude", pair.north, 90), ("longitude", pair.east, 180)):
        if _is_a_lie(table.numbers(column), limit):
            return what, column, limit
    return None


def _is_a_lie(numbers: Sequence[float], limit: int) -> bool:
    """A few rows may be wrong; a column without one number in range is not what its name says."""
    if any(-limit <= number <= limit for number in numbers):
        return False
    return len(numbers) > 2 or (bool(numbers) and all(number >= LEAST_GRID for number in numbers))


def _by_grid_names(table: Table) -> Columns | None:
    named = columns_called(table.names, NORTHING, EASTING)
    pairs = [pair for pair in named.pairs if not pair.meaning] or named.pairs
    if not pairs:
        return None
    if len(pairs) > 1:
        raise _several_pairs(table, pairs)
    pair = pairs[0]
    if table.values(pair.east):
        check_grid(table, easting=pair.east, northing=pair.north)
    return Columns(pair.north, pair.east, Notation.OSGB36)


def _by_x_and_y(table: Table, notations: Collection[Notation] = (Notation.OSGB36, Notation.DEGREES)) -> Columns | None:
    xs, ys = table.named(X), table.named(Y)
    if len(xs) != 1 or len(ys) != 1:
        return None
    (x,), (y,) = xs, ys
    if Notation.OSGB36 in notations and is_grid(table, easting=x, northing=y):
        return Columns(y, x, Notation.OSGB36)
    exact = table.is_exact(x) and table.is_exact(y)
    if exact and table.mostly_within(x, (-180, 180)) and table.mostly_within(y, (-90, 90)):
        return Columns(y, x, Notation.DEGREES) if Notation.DEGREES in notations else None
    return None


# --- by value ------------------------------------------------------------------------------------------------------
def _by_values(table: Table) -> Columns | None:
    """Without a header: the one column with British latitudes and the one with British longitudes."""
    if table.header is not None:
        return None
    latitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LATITUDE)]
    longitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LONGITUDE)]
    candidates = sorted({*latitudes, *longitudes})
    if len(candidates) > 2:
        latitudes = list(filter(table.is_exact, latitudes))
        longitudes = list(filter(table.is_exact, longitudes))
    if len(latitudes) == 1 and len(longitudes) == 1 and _are_degrees(table, latitudes[0], longitudes[0]):
        check_degrees(table, latitudes[0], longitudes[0])
        return Columns(latitudes[0], longitudes[0], Notation.DEGREES)
    raise table.error(
        "The file has no header, and its values do not tell which columns are the latitude and the longitude."
        " Say it with latitude=<column number> and longitude=<column number>.",
        candidates,
    )


def _are_degrees(table: Table, latitude: int, longitude: int) -> bool:
    """Ages and ratios lie in these ranges too, but coordinates have decimals, and some of them three, or lie west.

    Whole numbers are also what is left of decimal commas in a file with commas between the fields.
    """
    if any(all(number % 1 == 0 for number in table.numbers(column)) for column in (latitude, longitude)):
        return False
    return min(table.numbers(longitude)) < 0 or (table.is_exact(latitude) and table.is_exact(longitude))


def _in_one_cell(table: Table, notation: Notation | None, columns: Sequence[int] | None = None) -> Columns | None:
    found = {
        column: fitting
        for column in (range(table.width) if columns is None else columns)
        if (fitting := _notations(table.values(column))) and (notation is None or notation in fitting)
    }
    if not found:
        return None
    if len(found) > 1:
        raise table.several("latitude", list(found))
    ((column, fitting),) = found.items()
    return Columns(column, column, notation or _likeliest(table, column, fitting))


def _notations(values: Sequence[str]) -> set[Notation]:
    """The ways in which most of these cells can be read as both coordinates; a pair of whole numbers is none."""
    return {
        notation
        for notation in ONE_CELL
        if mostly([value.count(".") > 1 and _is_pair(read_cell(value, notation)) for value in values])
    }


def _is_pair(read: object) -> bool:
    return isinstance(read, tuple) or read == "coordinates_swapped"


def _likeliest(table: Table, column: int, fitting: set[Notation]) -> Notation:
    """Which comes first, where a pair can be read both ways: the values tell, or the header, or round brackets."""
    if len(fitting) == 1:
        return next(iter(fitting))
    values = table.values(column)
    for notation in (Notation.LAT_LON, Notation.LON_LAT):
        if mostly([not isinstance(at := read_cell(value, notation), str) and is_in_uk(*at) for value in values]):
            return notation
    name = table.names[column] if table.names else ""
    if re.search("(lon|lng).*lat", name):
        return Notation.LON_LAT
    if re.search("lat.*(lon|lng)", name) or mostly([value.strip().startswith("(") for value in values]):
        return Notation.LAT_LON
    raise table.error(
        f"Column {column + 1} holds both coordinates, but nothing tells which one comes first."
        " Say it with coordinates=lat_lon or coordinates=lon_lat.",
        [column],
    )
