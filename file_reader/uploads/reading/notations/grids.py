"""Metres of grids."""

from math import isfinite

from uploads.reading.notations.located import Located
from uploads.reading.notations.texts import MAX_CHARS, MISSING, NUMBER, bare

#: Metres; what is smaller is no easting and no northing of a place on land, but kilometres, or a sign for nothing.
LEAST_GRID = 1_000.0
#: The British National Grid, in metres: eastings and northings of OSGB36.
GRID_EASTING = (LEAST_GRID, 700_000.0)
GRID_NORTHING = (LEAST_GRID, 1_300_000.0)


def read_grid(northing: str, easting: str) -> Located:
    """OSGB36 metres → degrees (WGS84), or the reason why not; by OSTN15, to 0.1 m of Ordnance Survey's own figures."""
    northing, easting = bare(northing), bare(easting)
    if (reason := _not_numbers(northing, easting)) is not None:
        return reason
    if any(_lost_digits(text) for text in (easting, northing)):
        return "precision_lost"
    east, north = float(easting), float(northing)
    if east < LEAST_GRID or north < LEAST_GRID:
        return "outside_national_grid"
    # 30 MB of grid, for the files that need it.
    from convertbng.cutil import convert_osgb36_to_ll

    longitudes, latitudes = convert_osgb36_to_ll(east, north)
    if not isfinite(latitudes[0]):
        return "outside_national_grid"
    return round(float(latitudes[0]), 7), round(float(longitudes[0]), 7)


def _lost_digits(text: str) -> bool:
    """Whether a spreadsheet has written 4E+05 for a number of six digits."""
    mantissa, exponent, power = text.lower().partition("e")
    digits = sum(character.isdigit() for character in mantissa)
    return bool(exponent) and digits <= int(power)


def _not_numbers(*texts: str) -> str | None:
    if any(text.lower() in MISSING for text in texts):
        return "coordinates_missing"
    if not all(len(text) <= MAX_CHARS and NUMBER.fullmatch(text) for text in texts):
        return "not_a_number"
    return None
