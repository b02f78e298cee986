"""Columns of a file without a header, told by their numbers."""

import numpy as np

from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.degrees import DEGREES, SIDES
from uploads.reading.detecting.sample import Columns, Table
from uploads.reading.land import SEA, land_at
from uploads.reading.notations import UK_LATITUDE, UK_LONGITUDE, Notation, is_in_uk

#: One location of so many may be in the sea: of pairs of any numbers in the range, six of ten are.
_AT_SEA = 10


def by_values(table: Table) -> Columns | None:
    """Without a header: the one column with British latitudes and the one with British longitudes.

    Where there are none, the two neighbours with degrees of the whole world. Raises ColumnsError in doubt.
    """
    if table.header is not None:
        return None
    latitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LATITUDE)]
    longitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LONGITUDE)]
    candidates = sorted({*latitudes, *longitudes})
    if len(candidates) > 2:
        latitudes = list(filter(table.is_exact, latitudes))
        longitudes = list(filter(table.is_exact, longitudes))
    if len(latitudes) == 1 and len(longitudes) == 1 and _are_degrees(table, latitudes[0], longitudes[0]):
        ask(table, DEGREES | SIDES, latitudes[0], longitudes[0])
        return Columns(latitudes[0], longitudes[0], Notation.DEGREES)
    if (found := _of_the_world(table)) is not None:
        return found
    is_pair = len(latitudes) == len(longitudes) == 1
    fix = {"latitude": str(latitudes[0] + 1), "longitude": str(longitudes[0] + 1)} if is_pair else {}
    raise table.error(
        "The file has no header, and its values do not tell which columns are the latitude and the longitude."
        + (
            " Columns {latitude} and {longitude} could be: if they are, say latitude={latitude} and"
            " longitude={longitude}.".format(**fix)
            if fix
            else " Say it with latitude=<column number> and longitude=<column number>."
        ),
        candidates,
        fix,
    )


def _of_the_world(table: Table) -> Columns | None:
    """The only two columns of exact degrees, if they are neighbours and one of them goes beyond 90."""
    exact = [column for column in range(table.width) if table.is_exact(column)]
    degrees = [column for column in exact if table.mostly_within(column, (-180, 180))]
    longitudes = [column for column in degrees if not table.is_within(column, (-90, 90))]
    latitudes = [column for column in degrees if column not in longitudes]
    if len(latitudes) != 1 or len(longitudes) != 1 or abs(latitudes[0] - longitudes[0]) != 1:
        return None
    return Columns(latitudes[0], longitudes[0], Notation.DEGREES)


def _are_degrees(table: Table, latitude: int, longitude: int) -> bool:
    """Ages, temperatures and ratios lie in these ranges too, but coordinates have decimals, and some of them three, or
    lie west; and they are on land.

    Whole numbers are also what is left of decimal commas in a file with commas between the fields.
    """
    if any(all(number % 1 == 0 for number in table.numbers(column)) for column in (latitude, longitude)):
        return False
    if min(table.numbers(longitude)) >= 0 and not (table.is_exact(latitude) and table.is_exact(longitude)):
        return False
    located = table.located(Columns(latitude, longitude, Notation.DEGREES))
    british = [at for at in located if not isinstance(at, str) and is_in_uk(*at)]
    at_sea = land_at(*np.array(british).reshape(-1, 2).T) == SEA
    return bool(np.sum(at_sea) * _AT_SEA <= len(british))
