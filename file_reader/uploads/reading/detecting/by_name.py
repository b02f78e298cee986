"""Columns that are called like coordinates: taken in pairs, and their names checked against their values."""

from collections.abc import Sequence

from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.degrees import CANDIDATES, DEGREES, SIDES
from uploads.reading.detecting.fitting import scale_of, seen_in_two
from uploads.reading.detecting.headers import LATITUDE, LONGITUDE, Named, Pair, columns_called
from uploads.reading.detecting.sample import SHOWN_CALLED, Columns, Table
from uploads.reading.notations import LEAST_GRID, Notation


def by_names(table: Table) -> Columns | None:
    """The pair that is called latitude and longitude, None where there is none. Raises ColumnsError in doubt."""
    named = columns_called(table.names, LATITUDE, LONGITUDE)
    if not named.pairs and not _any_plain(table, named) and not (named.single_north and named.single_east):
        return None
    ask(table, CANDIDATES, [pair.north for pair in named.pairs] + named.single_north)
    scaled = {pair: scale for pair in named.pairs if (scale := scale_of(table, pair.north, pair.east))}
    pair = next(iter(scaled)) if len(scaled) == 1 == len(named.pairs) else _only(table, named)
    ask(table, SIDES if pair in scaled else DEGREES | SIDES, pair.north, pair.east)
    others = [
        other
        for other in named.pairs
        if other.meaning
        and not {other.north, other.east} & {pair.north, pair.east}
        and all(table.numbers(column) or not table.values(column) for column in (other.north, other.east))
    ]
    further = [Columns(other.north, other.east, Notation.DEGREES) for other in others]
    return Columns(pair.north, pair.east, scaled.get(pair, Notation.DEGREES), others=tuple(further))


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
            + seen_in_two(table, candidates[0].north, candidates[0].east),
            [column],
        )
    filled = [pair for pair in possible if table.numbers(pair.north) and table.numbers(pair.east)]
    numbers = {tuple(tuple(table.numbers_by_record(column)) for column in (pair.north, pair.east)) for pair in filled}
    if len(possible) > 1 and len(numbers) != 1:
        raise table.several_pairs(candidates)
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
