"""Columns that are called like coordinates, and whose numbers would put every row at a wrong place.

Each check raises ColumnsError. None is made of what was declared: then the sender has said what it is.
"""

import re
from collections.abc import Sequence

from uploads.reading.coordinates import GRID_EASTING, GRID_NORTHING, UK_LATITUDE, UK_LONGITUDE
from uploads.reading.detecting.headers import (
    BRITISH_WORDS,
    LATITUDE,
    MINUTES_WORDS,
    OTHER_GRID_WORDS,
    RADIANS_WORDS,
)
from uploads.reading.detecting.sample import Table

_RADIAN = 57.29578  # degrees
#: Where Northern Ireland lies on the Irish Grid, in metres; on the British one, that is the Irish Sea, Liverpool and
#: the north of Wales.
_IRISH_EASTING = (188_000.0, 367_000.0)
_IRISH_NORTHING = (309_000.0, 454_000.0)
#: A cell that says so of its row: a grid, a country, a postcode.
_IRISH = re.compile(r"irish ?(os|grid)|n(orthern|\.)? ?ireland|bt\d{1,2} ?\d[a-z]{2}", re.IGNORECASE | re.ASCII)
_DECLARE = "declare the columns with latitude=<column number> and longitude=<column number>"


def check_whole_degrees(table: Table, latitudes: Sequence[int]) -> None:
    """The candidates for the latitude are not degrees without their minutes, which are in a column of their own."""
    minutes = sorted({*table.worded(MINUTES_WORDS)} & {*table.worded(LATITUDE.words)})
    degrees = [column for column in latitudes if column not in minutes]
    numbers = [number for column in degrees for number in table.numbers(column)]
    if minutes and numbers and all(map(_is_whole, numbers)):
        raise table.error(
            f"The degrees are whole numbers: {table.called(minutes[0])} seems to have their minutes, which are not"
            " read. Send degrees with decimals (degrees + minutes / 60 + seconds / 3600), or, if they are degrees as"
            f" they are, {_DECLARE}.",
            [*degrees, *minutes],
        )


def check_degrees(table: Table, latitude: int, longitude: int) -> None:
    """The two columns are not in radians, and the sign of the longitude is not in a column of its own."""
    if RADIANS_WORDS & table.words(latitude, longitude) or _are_radians(table, latitude, longitude):
        raise table.error(
            f"The coordinates seem to be in radians, such as {table.example(latitude)}. Send degrees (radians × 180 /"
            f" π), or, if they are degrees, {_DECLARE}.",
            [latitude, longitude],
        )
    numbers = table.numbers(longitude)
    if not numbers or min(numbers) < 0:
        return
    for column in range(table.width):
        if _says_west(table.values(column), beside=abs(column - longitude) == 1):
            raise table.error(
                f"Which longitudes are west seems to stand in {table.called(column)}, which is not read. Send"
                f" longitudes with their sign (west is negative), or, if they have it, {_DECLARE}.",
                [longitude, column],
            )


def check_british(table: Table, *, easting: int, northing: int) -> None:
    """The two columns are not of another grid: that of Ireland, which Northern Ireland has, looks like the British."""
    words = table.words(easting, northing)
    declare = "If they are of the British National Grid, say coordinates=osgb36."
    if OTHER_GRID_WORDS & words:
        raise table.error(f"The eastings and northings seem to be of another grid. {declare}", [easting, northing])
    if any(_IRISH.fullmatch(cell.strip()) for cell in table.cells()):
        raise table.error(
            "Some rows are in Northern Ireland, where eastings and northings are of the Irish Grid, which is not"
            f" converted. Send degrees, or leave these rows out. {declare}",
            [easting, northing],
        )
    if not BRITISH_WORDS & words and _are_irish(table.numbers(easting), table.numbers(northing)):
        raise table.error(
            "The eastings and northings can be of the British National Grid (Liverpool, north Wales) or of the Irish"
            f" Grid (Northern Ireland), which is not converted. {declare}",
            [easting, northing],
        )


def check_grid(table: Table, *, easting: int, northing: int) -> None:
    """Most of their values are metres of the British National Grid."""
    if not is_grid(table, easting=easting, northing=northing):
        raise table.error(
            "The eastings and northings are not metres of the British National Grid:"
            f" {table.example(easting)}, {table.example(northing)}. Send them in metres, without signs between the"
            " thousands, or send degrees.",
            [easting, northing],
        )


def is_grid(table: Table, *, easting: int, northing: int) -> bool:
    return table.mostly_within(easting, GRID_EASTING) and table.mostly_within(northing, GRID_NORTHING)


def _is_whole(number: float) -> bool:
    return number % 1 == 0


def _says_west(values: Sequence[str], *, beside: bool) -> bool:
    """Whether a column has nothing but E and W in it, or the words, which further away may be those of districts."""
    sides = {value.strip().lower() for value in values}
    if beside:
        sides = {{"east": "e", "west": "w"}.get(side, side) for side in sides}
    return "w" in sides and sides <= {"e", "w"}


def _are_radians(table: Table, latitude: int, longitude: int) -> bool:
    """Whether all would be in the UK, were they radians; read as degrees, they lie in the sea off Africa."""
    return (
        table.is_exact(latitude)
        and table.is_exact(longitude)
        and _all_within(table.numbers(latitude), UK_LATITUDE, _RADIAN)
        and _all_within(table.numbers(longitude), UK_LONGITUDE, _RADIAN)
    )


def _are_irish(eastings: Sequence[float], northings: Sequence[float]) -> bool:
    return _all_within(eastings, _IRISH_EASTING) and _all_within(northings, _IRISH_NORTHING)


def _all_within(numbers: Sequence[float], limits: tuple[float, float], unit: float = 1.0) -> bool:
    return bool(numbers) and all(limits[0] <= number * unit <= limits[1] for number in numbers)
