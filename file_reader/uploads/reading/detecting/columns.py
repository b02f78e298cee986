"""Which columns hold the coordinates, and how: by declaration, by name, by value; names are checked against values.

What cannot be told with certainty is an error that shows the candidates.
"""

from collections.abc import Sequence

from uploads.reading.detecting.doubts import (
    check_degrees,
    check_side,
    check_whole_degrees,
    is_grid,
)
from uploads.reading.detecting.fitting import scale_of, seen, seen_in_x_and_y, x_and_y
from uploads.reading.detecting.found import SHOWN_CALLED, Columns, Wanted, several_pairs
from uploads.reading.detecting.headers import (
    EASTING,
    LATITUDE,
    LONGITUDE,
    NORTHING,
    Named,
    Pair,
    columns_called,
    name_any,
    normal,
)
from uploads.reading.detecting.metric import (
    by_british_names,
    by_grid_names,
    by_x_and_y,
    grid_pair,
    said_grid,
    with_square,
    without_doubt,
)
from uploads.reading.detecting.one_column import (
    by_references,
    in_one_cell,
    is_reference,
    notations_of,
    seen_in_one_cell,
)
from uploads.reading.detecting.sample import SHOWN_CHARS, Table
from uploads.reading.notations import (
    KINDS,
    LEAST_GRID,
    NULLS,
    ONE_CELL,
    UK_LATITUDE,
    UK_LONGITUDE,
    Notation,
    as_number,
)


def looks_like_header(first: Sequence[str], names: Sequence[str], wanted: Wanted) -> bool:
    """Whether the first record names columns: a known or declared name, or no coordinate in any field."""
    if any(name and not is_column_number(name) for name in (wanted.latitude, wanted.longitude)) or name_any(names):
        return True
    return not any(
        as_number(field) is not None
        or field.strip().lower() in NULLS
        or notations_of([field])
        or is_reference(Notation.GRID_REFERENCE, [field], "")
        for field in first
    )


def is_column_number(text: str) -> bool:
    # Longer ones are no column's number, and int() refuses thousands of digits.
    return text.isascii() and text.isdecimal() and len(text) < 10


def find(table: Table, wanted: Wanted) -> Columns:
    """The columns that hold the coordinates. Raises ColumnsError when they are missing or ambiguous."""
    if wanted.latitude or wanted.longitude:
        return _declared(table, wanted)
    if wanted.notation in ONE_CELL:
        found = in_one_cell(table, wanted.notation)
    elif wanted.notation == Notation.OSGB36:
        found = by_british_names(table) or by_x_and_y(table, [Notation.OSGB36])
    elif wanted.notation == Notation.DEGREES:
        found = _by_names(table) or by_x_and_y(table, [Notation.DEGREES]) or _by_values(table)
    elif wanted.notation:
        found = _by_any_names(table, wanted.notation)
    else:
        found = _told(table)
    if found is None:
        raise table.error(
            "No columns were recognised as the coordinates. Say which ones they are with latitude=<name or number> and"
            " longitude=<name or number>."
            + seen_in_one_cell(table)
            + seen_in_x_and_y(table)
            + (" If the first record is no header, say has_header=false." if table.header else "")
        )
    return found


def _told(table: Table) -> Columns | None:
    named = _by_names(table)
    if named and (table.values(named.latitude) or table.values(named.longitude)):
        return named
    found = in_one_cell(table, None) or by_grid_names(table) or by_x_and_y(table) or by_references(table)
    if named and not (found and table.values(found.latitude)):
        return named
    return without_doubt(table, found) if found else _by_values(table)


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
    if wanted.notation is None:
        if said := said_grid(table, latitude, longitude):
            return said
        if is_grid(table, easting=longitude, northing=latitude):
            return without_doubt(table, Columns(latitude, longitude, Notation.OSGB36))
    return with_square(table, Columns(latitude, longitude, wanted.notation or Notation.DEGREES))


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
        return None if wanted.notation else in_one_cell(table, None, [column])
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
    scaled = {pair: scale for pair in named.pairs if (scale := scale_of(table, pair.north, pair.east))}
    pair = next(iter(scaled)) if len(scaled) == 1 == len(named.pairs) else _only(table, named)
    (check_side if pair in scaled else check_degrees)(table, pair.north, pair.east)
    others = [other for other in named.pairs if not {other.north, other.east} & {pair.north, pair.east}]
    called = [f"{table.called(other.north)} with {table.called(other.east)}" for other in others[:SHOWN_CALLED]]
    return Columns(pair.north, pair.east, scaled.get(pair, Notation.DEGREES), others=tuple(called))


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
            f" {table.example(column)}. If it is another column, say which one with {what}=<name or number>."
            + seen(table, candidates[0].north, candidates[0].east),
            [column],
        )
    filled = [pair for pair in possible if table.numbers(pair.north) and table.numbers(pair.east)]
    numbers = {tuple(tuple(table.numbers_by_record(column)) for column in (pair.north, pair.east)) for pair in filled}
    if len(possible) > 1 and len(numbers) != 1:
        raise several_pairs(table, candidates)
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
        f"Which columns belong together is not clear: {', '.join(map(table.called, sorted(columns)[:SHOWN_CALLED]))}."
        " A latitude and a longitude whose names differ in more than these words may be those of two places. Say which"
        " ones are meant with latitude=<name or number> and longitude=<name or number>.",
        sorted(columns)[:SHOWN_CALLED],
    )


def _any_plain(table: Table, named: Named) -> bool:
    """Whether a column without a partner is called latitude or longitude, and nothing else."""
    return any(
        not axis.meaning(axis.rest(table.names[column]) or frozenset())
        for axis, columns in ((LATITUDE, named.single_north), (LONGITUDE, named.single_east))
        for column in columns
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


def _by_any_names(table: Table, notation: Notation) -> Columns | None:
    """The columns of a declared notation, whose numbers may be anything: they are called like it, or X and Y."""
    if KINDS[notation].is_metric:
        pair = grid_pair(table)
    else:
        named = columns_called(table.names, LATITUDE, LONGITUDE)
        pairs = [pair for pair in named.pairs if not pair.meaning] or named.pairs
        if len(pairs) > 1:
            raise several_pairs(table, pairs)
        pair = pairs[0] if pairs else None
    if pair is None and (found := x_and_y(table)):
        pair = Pair(found[1], found[0], frozenset())
    if pair is None:
        return None
    if not KINDS[notation].is_metric:
        check_side(table, pair.north, pair.east)
    return with_square(table, Columns(pair.north, pair.east, notation))


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
