"""Columns of a file without a header, told by their numbers."""

from uploads.reading.coordinates import UK_LATITUDE, UK_LONGITUDE, Notation
from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.degrees import DEGREES
from uploads.reading.detecting.sample import Columns, Table


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
        ask(table, DEGREES, latitudes[0], longitudes[0])
        return Columns(latitudes[0], longitudes[0], Notation.DEGREES)
    if (found := _of_the_world(table)) is not None:
        return found
    raise table.error(
        "The file has no header, and its values do not tell which columns are the latitude and the longitude."
        " Say it with latitude=<column number> and longitude=<column number>.",
        candidates,
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
    """Ages and ratios lie in these ranges too, but coordinates have decimals, and some of them three, or lie west.

    Whole numbers are also what is left of decimal commas in a file with commas between the fields.
    """
    if any(all(number % 1 == 0 for number in table.numbers(column)) for column in (latitude, longitude)):
        return False
    return min(table.numbers(longitude)) < 0 or (table.is_exact(latitude) and table.is_exact(longitude))
