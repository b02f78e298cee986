"""Text to coordinates, strictly: what `float()` takes but no person means is rejected with a reason.

The reason codes of rejected rows are a closed list; REASONS has a sentence for each.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isfinite
from typing import Literal

import msgspec

REASONS = {
    "coordinates_missing": "The latitude or the longitude is empty.",
    "not_a_number": "The latitude or the longitude is not a number such as -0.1419, nor an angle such as 51°30'3.6\"N.",
    "not_coordinates": "The cell does not hold a latitude and a longitude in the way that most of its column does.",
    "latitude_out_of_range": "The latitude is not between -90 and 90 degrees.",
    "longitude_out_of_range": "The longitude is not between -180 and 180 degrees.",
    "coordinates_swapped": "Latitude and longitude seem to be swapped: the other way round it would be in the UK.",
    "side_unclear": "A column or a letter says another side of Greenwich than the longitude's sign, or the letter is"
    " missing.",
    "precision_lost": "The easting or the northing was written with an exponent, and its last digits are lost.",
    "irish_grid": "The row is in Ireland, whose eastings and northings are of another grid: the Irish one.",
    "outside_national_grid": "The easting and the northing are not on land of the British National Grid, or near it.",
    "too_few_fields": "The row has fewer fields than the file's first record.",
    "too_many_fields": "The row has more fields than the file's first record.",
    "empty_row": "Nothing stands between the delimiters of the row.",
    "comment": "The line begins with #, as a comment does, and has no coordinates.",
    "nul_byte": "The row contains a NUL byte.",
}
#: Where British locations lie, in degrees: the two ranges do not overlap, so values tell latitude from longitude.
UK_LATITUDE = (49.0, 61.5)
UK_LONGITUDE = (-9.5, 2.6)
#: Metres; what is smaller is no easting and no northing of a place on land, but kilometres, or a sign for nothing.
LEAST_GRID = 1_000.0
#: The British National Grid, in metres: eastings and northings of OSGB36.
GRID_EASTING = (LEAST_GRID, 700_000.0)
GRID_NORTHING = (LEAST_GRID, 1_300_000.0)

#: What databases and statisticians write for nothing; in a first record, it says that this is no header.
NULLS = frozenset({"na", "n/a", "#n/a", "nan", "null", "<null>", "(null)", "\\n"})
_MISSING = NULLS | frozenset({"", "none", "-"})
# Each digit can be matched in one way only: a pattern with a choice takes quadratic time for a cell of many digits.
_DIGITS = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(_DIGITS, re.ASCII)
_PAIR = re.compile(rf"[(\[]?\s*({_DIGITS})(?:\s*[,;]\s*|\s+)({_DIGITS})\s*[)\]]?", re.ASCII)
_WKT_POINT = re.compile(
    rf"(?:SRID=4326;)?\s*POINT\s*Z?M?\s*\(\s*({_DIGITS})\s+({_DIGITS})(?:\s+{_DIGITS}){{0,2}}\s*\)",
    re.ASCII | re.IGNORECASE,
)
#: 51°30'3.6"N, 51 30.06 N, W0.1416, 51:30:03.6: degrees, minutes and seconds as parts, with a letter or a sign.
_ANGLE = re.compile(
    r"""
    (?P<before>[NSEW])? \s* (?P<degrees>[+-]?\d{1,3}(?:\.\d*)?)
    (?:
        (?: \s* (?P<mark>°|:|deg|d) \s* | \s+ ) (?P<minutes>\d{1,2}(?:\.\d*)?)
        (?: (?: \s* (?:'|:|min|m) \s* | \s+ ) (?P<seconds>\d{1,2}(?:\.\d*)?) \s* (?:"|sec|s(?=\s*[NSEW]))?
            | \s* (?:'|min|m)
        )?
        |
        \s* (?P<only>°|degrees|deg|d)
    )?
    \s* (?P<after>[NSEW])?
    """,
    re.ASCII | re.VERBOSE,
)
_LETTERS = frozenset("NSEW")
#: Longer than any angle: for a cell of nothing but spaces, the pattern takes quadratic time.
_ANGLE_CHARS = 60
#: What people and programs write for the signs that are read.
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{FULLWIDTH HYPHEN-MINUS}": "-",
                        "\N{DOUBLE ACUTE ACCENT}": '"', "\N{EN DASH}": "-", "\N{MASCULINE ORDINAL INDICATOR}": "°",
                        "\N{RING ABOVE}": "°", "\N{PRIME}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
                        "\N{ACUTE ACCENT}": "'", "\N{DOUBLE PRIME}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
                        "\N{LEFT DOUBLE QUOTATION MARK}": '"'})  # fmt: skip
#: Longer than any coordinate that somebody means; what is longer is not looked at.
MAX_CHARS = 1_000

#: Latitude and longitude in degrees, or the code of the reason why not.
Located = tuple[float, float] | str


class Notation(StrEnum):
    """How a file writes coordinates: in two columns, or both in one cell."""

    DEGREES = "degrees"  # two columns, decimal degrees
    OSGB36 = "osgb36"  # two columns, metres on the British National Grid
    LAT_LON = "lat_lon"  # one cell: 51.5, -0.1 or (51.5, -0.1)
    LON_LAT = "lon_lat"  # the same, longitude first
    WKT = "wkt"  # one cell: POINT (-0.1 51.5)
    GEOJSON = "geojson"  # one cell: {"type": "Point", "coordinates": [-0.1, 51.5]}


#: Both coordinates are in one cell.
ONE_CELL = frozenset({Notation.LAT_LON, Notation.LON_LAT, Notation.WKT, Notation.GEOJSON})


def as_number(text: str) -> float | None:
    """The number in a cell, with a point or a decimal comma, or the degrees of an angle, if it is one."""
    return _degrees(_bare(text).replace(",", "."), "NSEW")


def read_coordinates(latitude: str, longitude: str) -> Located:
    """The two numbers in degrees, or the code of the reason why not."""
    latitude, longitude = _bare(latitude), _bare(longitude)
    if latitude.lower() in _MISSING or longitude.lower() in _MISSING:
        return "coordinates_missing"
    north, east = _degrees(latitude, "NS"), _degrees(longitude, "EW")
    if north is None or east is None:
        return "not_a_number"
    if east > 0 and has_letter(latitude) and not has_letter(longitude):
        return "side_unclear"
    return _checked(north, east)


def has_letter(text: str) -> bool:
    """Whether a coordinate begins or ends with the letter of its side."""
    text = text.strip()
    return text[:1] in _LETTERS or text[-1:] in _LETTERS


def _degrees(text: str, letters: str) -> float | None:
    """A number, or an angle in degrees, minutes and seconds; of the letters for a side only these are taken.

    Parts with nothing but spaces between them may as well be two numbers: they are an angle only with a letter.
    """
    if len(text) > MAX_CHARS:
        return None
    if _NUMBER.fullmatch(text):
        return float(text)
    text = text.translate(_SIGNS).replace("''", '"')
    if _NUMBER.fullmatch(text):
        return float(text)
    if len(text) > _ANGLE_CHARS or (found := _ANGLE.fullmatch(text)) is None:
        return None
    letter = found["before"] or found["after"] or ""
    if (
        (found["before"] and found["after"])
        or not (letter or found["mark"] or found["only"])
        or (letter and letter not in letters)
    ):
        return None
    parts = [found["degrees"], found["minutes"], found["seconds"]]
    given = [part for part in parts if part is not None]
    if any("." in part for part in given[:-1]) or any(float(part) >= 60 for part in given[1:]):
        return None
    if found["degrees"][0] in "+-" and letter:
        return None
    size = sum(abs(float(part)) / unit for part, unit in zip(given, (1, 60, 3_600), strict=False))
    return -size if letter in ("S", "W") or found["degrees"][0] == "-" else size


def read_grid(northing: str, easting: str) -> Located:
    """OSGB36 metres → degrees (WGS84), or the reason why not; by OSTN15, to 0.1 m of Ordnance Survey's own figures."""
    northing, easting = _bare(northing), _bare(easting)
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


def locator(
    notation: Notation, latitude_column: int, longitude_column: int, decimal: str
) -> Callable[[Sequence[str]], Located]:
    """A function from the fields of a record to its coordinates. The columns are indexes from 0."""
    two_columns = {Notation.DEGREES: read_coordinates, Notation.OSGB36: read_grid}.get(notation)
    if two_columns is not None:
        if decimal == ",":
            return lambda fields: two_columns(
                _with_point(fields[latitude_column]), _with_point(fields[longitude_column])
            )
        return lambda fields: two_columns(fields[latitude_column], fields[longitude_column])
    return lambda fields: read_cell(fields[latitude_column], notation)


def read_cell(text: str, notation: Notation) -> Located:
    """The coordinates of a cell that holds both."""
    text = _bare(text)
    if text.lower() in _MISSING:
        return "coordinates_missing"
    if len(text) > MAX_CHARS:
        return "not_coordinates"
    if notation == Notation.GEOJSON:
        return _read_geojson(text)
    found = (_WKT_POINT if notation == Notation.WKT else _PAIR).fullmatch(text)
    if found is None:
        return "not_coordinates"
    first, second = float(found[1]), float(found[2])
    return _checked(first, second) if notation == Notation.LAT_LON else _checked(second, first)


class _Point(msgspec.Struct):
    type: Literal["Point"]
    coordinates: list[float]


def _read_geojson(text: str) -> Located:
    try:
        longitude, latitude, *_ = msgspec.json.decode(text, type=_Point).coordinates
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "not_coordinates"
    return _checked(latitude, longitude)


def _bare(text: str) -> str:
    """Without the spaces around it, and without the single quotes that some programs put around numbers."""
    text = text.strip()
    if text.startswith('="') and text.endswith('"'):  # so that spreadsheets take it for text
        text = text[2:-1].strip()
    if not text.startswith("'"):
        return text
    both = min(len(text) - len(text.lstrip("'")), len(text) - len(text.rstrip("'")), len(text) // 2)
    return text[both : len(text) - both].strip()


def _with_point(text: str) -> str:
    return text.replace(",", ".")


def _not_numbers(*texts: str) -> str | None:
    if any(text.lower() in _MISSING for text in texts):
        return "coordinates_missing"
    if not all(len(text) <= MAX_CHARS and _NUMBER.fullmatch(text) for text in texts):
        return "not_a_number"
    return None


def is_in_uk(latitude: float, longitude: float) -> bool:
    """Whether it is where British locations lie; some of that is sea, and some is abroad."""
    return UK_LATITUDE[0] <= latitude <= UK_LATITUDE[1] and UK_LONGITUDE[0] <= longitude <= UK_LONGITUDE[1]


def _checked(latitude: float, longitude: float) -> Located:
    if not -90 <= latitude <= 90:
        return "latitude_out_of_range"
    if not -180 <= longitude <= 180:
        return "longitude_out_of_range"
    if is_in_uk(longitude, latitude):
        return "coordinates_swapped"
    return latitude, longitude
