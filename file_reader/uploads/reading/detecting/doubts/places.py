"""Further locations in the same file: those of something else, or ones that contradict the location that is read."""

from collections.abc import Iterator

from uploads.reading.apart import is_in_ireland, metres_between
from uploads.reading.detecting.dialect import Second
from uploads.reading.detecting.doubts import Doubt, Rules
from uploads.reading.detecting.doubts.grid import is_grid
from uploads.reading.detecting.headers import (
    BRITISH_WORDS,
    EASTING,
    GEOMETRY_WORDS,
    LATITUDE,
    LONGITUDE,
    NORTHING,
    REFERENCE_WORDS,
    X,
    Y,
    columns_called,
    names_reference,
)
from uploads.reading.detecting.one_cell import is_reference, notations_of
from uploads.reading.detecting.sample import Columns, Table, mostly
from uploads.reading.notations import KINDS, LEAST_GRID, Notation

#: Metres. Another datum, the middle of a postcode, the gate of a site and three decimals are nearer to each other.
_APART = 1_000.0
#: What else is in the name of a grid reference.
_OF_A_REFERENCE = frozenset({"ref", "refs", "reference", "national"})
#: Metres to which eastings and northings are rounded in some files, and the diagonal of a square of whole degrees.
_STEPS = (10_000, 1_000)
_WHOLE_DEGREES = 150_000.0


def further_places(table: Table, found: Columns) -> list[Columns]:
    """Columns of locations that are another place, and are called like those of another thing."""
    return [place for place, is_of_another in _elsewhere(table, found) if is_of_another]


def second_place(table: Table, found: Columns) -> Second | None:
    """The columns in which most rows have the location that is read once more, if some do."""
    for ways, is_of_another in _places(table):
        if is_of_another or {ways[0].latitude, ways[0].longitude} & {found.latitude, found.longitude}:
            continue
        for way in ways:
            if (far := _are_far(table, found, way)) and not mostly(far):
                return Second(way.latitude, way.longitude, way.notation.value, _limit(table, found, way))
    return None


def _limit(table: Table, found: Columns, place: Columns) -> float:
    return _APART + max(_rounding(table, found), _rounding(table, place))


def _another_place(table: Table, found: Columns) -> Doubt | None:
    for place, is_of_another in _elsewhere(table, found):
        if not is_of_another:
            columns = [*dict.fromkeys((found.latitude, found.longitude, place.latitude, place.longitude))]
            return Doubt(
                f"{table.called_both(found)} and {table.called_both(place)} are places more than"
                f" {_APART / 1_000:.0f} km apart in most rows that have both. Say which one is meant with"
                " latitude=<name or number> and longitude=<name or number>.",
                columns,
            )
    return None


def _elsewhere(table: Table, found: Columns) -> Iterator[tuple[Columns, bool]]:
    """The locations that are elsewhere in most rows, and whether they are called like those of another thing."""
    for ways, is_of_another in _places(table):
        if not {ways[0].latitude, ways[0].longitude} & {found.latitude, found.longitude}:
            apart = [mostly(far) for way in ways if (far := _are_far(table, found, way))]
            if apart and all(apart):
                yield ways[0], is_of_another


def _are_far(table: Table, found: Columns, place: Columns) -> list[bool]:
    """Whether the two are far from each other, of each record that has both."""
    limit = _limit(table, found, place)
    is_metres = Notation.OSGB36 in (place.notation, found.notation)
    return [
        metres_between(one, other) > limit
        for one, other in zip(table.located(found), table.located(place), strict=True)
        if not isinstance(one, str)
        and not isinstance(other, str)
        and not (is_metres and (is_in_ireland(*one) or is_in_ireland(*other)))
    ]


def _places(table: Table) -> Iterator[tuple[list[Columns], bool]]:
    """The locations by their columns, in the ways in which they can be read."""
    for pair in columns_called(table.names, NORTHING, EASTING).pairs:
        # Below 100 km, they may be within squares whose letters stand elsewhere.
        if is_grid(table, pair.north, pair.east) and max(table.numbers(pair.east)) >= 100 * LEAST_GRID:
            yield [Columns(pair.north, pair.east, Notation.OSGB36)], bool(pair.meaning)
    for pair in columns_called(table.names, LATITUDE, LONGITUDE).pairs:
        if not pair.meaning:
            yield [Columns(pair.north, pair.east, Notation.DEGREES)], False
    xs, ys = table.named(X), table.named(Y)
    if len(xs) == len(ys) == 1:
        if is_grid(table, ys[0], xs[0]):
            yield [Columns(ys[0], xs[0], Notation.OSGB36)], False
        elif all(map(table.is_exact, (xs[0], ys[0]))) and table.is_within(ys[0], (-90, 90)):
            yield [Columns(ys[0], xs[0], Notation.DEGREES)], False
    for column in range(table.width):
        if fitting := notations_of(table.values(column)):
            ways = [Columns(column, column, notation) for notation in sorted(fitting)]
            yield ways, bool(table.words(column) - GEOMETRY_WORDS)
        elif "geohash" in table.words(column):
            yield [Columns(column, column, Notation.GEOHASH)], bool(table.words(column) - GEOMETRY_WORDS - {"geohash"})
        elif names_reference(table.words(column)) or _are_references(table, column):
            # Codes of other things look like references, too.
            words = table.words(column) - GEOMETRY_WORDS - REFERENCE_WORDS - BRITISH_WORDS - _OF_A_REFERENCE
            yield [Columns(column, column, Notation.GRID_REFERENCE)], bool(words)


def _are_references(table: Table, column: int) -> bool:
    """Whether a column is called like the British National Grid, and has nothing but its references."""
    is_british = bool(BRITISH_WORDS & table.words(column))
    return is_british and is_reference(Notation.GRID_REFERENCE, table.values(column), "ngr")


def _rounding(table: Table, place: Columns) -> float:
    """How far it may be from where it is meant, in metres, because its numbers are rounded."""
    if (size := KINDS[place.notation].size) is not None:
        return max((found for value in table.values(place.latitude) if (found := size(value))), default=0.0)
    if KINDS[place.notation].is_metric:
        numbers = table.numbers(place.longitude) + table.numbers(place.latitude)
        return 1.5 * next((step for step in _STEPS if all(number % step == 0 for number in numbers)), 0)
    return 0 if table.is_exact(place.latitude) and table.is_exact(place.longitude) else _WHOLE_DEGREES


#: Of what is read, and of all else that the file says of places.
PLACES: Rules = {"another_place": _another_place}
