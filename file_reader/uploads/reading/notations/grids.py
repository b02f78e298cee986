"""Metres of grids to degrees (WGS 84)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import isfinite

from uploads.reading.notations.located import Located, checked
from uploads.reading.notations.texts import MAX_CHARS, MISSING, NUMBER, bare

#: Metres; what is smaller is no easting and no northing of a place on land, but kilometres, or a sign for nothing.
LEAST_GRID = 1_000.0
#: The British National Grid, in metres: eastings and northings of OSGB36.
GRID_EASTING = (LEAST_GRID, 700_000.0)
GRID_NORTHING = (LEAST_GRID, 1_300_000.0)
SQUARE_METRES = 100_000
#: About 1 cm: as many decimals as degrees have that were computed.
_DECIMALS = 7


@dataclass(frozen=True)
class Grid:
    """A grid by its EPSG code, and the metres between which its eastings and northings lie."""

    epsg: int
    eastings: tuple[float, float]
    northings: tuple[float, float]


#: Where Ireland lies on it. TM75: 29902, of TM65, differs by less than 1 m.
IRISH_GRID = Grid(29903, (17_000.0, 367_000.0), (19_000.0, 467_000.0))
ITM = Grid(2157, (400_000.0, 770_000.0), (510_000.0, 970_000.0))
UTM29, UTM30, UTM31 = (Grid(32_600 + zone, (100_000.0, 900_000.0), (0.0, 9_400_000.0)) for zone in (29, 30, 31))
WEB_MERCATOR = Grid(3857, (-20_037_509.0, 20_037_509.0), (-20_048_967.0, 20_048_967.0))


def read_osgb36(northing: str, easting: str) -> Located:
    """OSGB36 metres → degrees, or the reason why not; by OSTN15, to 0.1 m of Ordnance Survey's own figures."""
    found = _metres(northing, easting)
    return found if isinstance(found, str) else british(*found)


#: Metres: one place of 10,000 is as near to a corner of its square; what has fewer figures than others is in hundreds.
_FEWER_FIGURES, _ALL_FIGURES = 1_000, 5


def read_osgb36_square(northing: str, easting: str, square: str) -> Located:
    """The same of metres within a square of 100 km, of which the two letters are given, such as TQ."""
    found = _metres(northing, easting)
    if isinstance(found, str):
        return found
    corner = square_corner(square)
    if corner is None:
        return "not_a_reference"
    if not all(0 <= metres < SQUARE_METRES for metres in found):
        return "outside_national_grid"
    if max(found) < _FEWER_FIGURES and max(len(northing.strip()), len(easting.strip())) < _ALL_FIGURES:
        return "precision_lost"
    return british(corner[0] + found[0], corner[1] + found[1])


def read_irish_grid(northing: str, easting: str) -> Located:
    """Metres of the Irish Grid, to 1 m: PROJ's transformation "TM75 to ETRS89 (2)", of Ordnance Survey Ireland."""
    return _read(northing, easting, IRISH_GRID)


def read_itm(northing: str, easting: str) -> Located:
    """Metres of the Irish Transverse Mercator."""
    return _read(northing, easting, ITM)


def read_utm29(northing: str, easting: str) -> Located:
    """Metres of the northern half of UTM's zone 29: 12° to 6° west."""
    return _read(northing, easting, UTM29)


def read_utm30(northing: str, easting: str) -> Located:
    """Metres of zone 30: 6° west to Greenwich."""
    return _read(northing, easting, UTM30)


def read_utm31(northing: str, easting: str) -> Located:
    """Metres of zone 31: Greenwich to 6° east."""
    return _read(northing, easting, UTM31)


def read_web_mercator(northing: str, easting: str) -> Located:
    """Metres as web maps have them."""
    return _read(northing, easting, WEB_MERCATOR)


def square_corner(letters: str) -> tuple[float, float] | None:
    """The south-western corner, in metres, of a square of 100 km of the British National Grid; None if it has none."""
    places = [_LETTERS.find(letter) for letter in letters.strip().upper()]
    if len(places) != 2 or min(places) < 0:
        return None
    (large_row, large_column), (row, column) = (divmod(place, 5) for place in places)
    east, north = (large_column - 2) * 5 + column, (3 - large_row) * 5 + 4 - row
    return (east * SQUARE_METRES, north * SQUARE_METRES) if 0 <= east < 7 and 0 <= north < 13 else None


def irish_square_corner(letter: str) -> tuple[float, float]:
    """The same of a square of the Irish Grid, which has one letter, but I."""
    row, column = divmod(_LETTERS.index(letter.upper()), 5)
    return column * SQUARE_METRES, (4 - row) * SQUARE_METRES


#: From the north-west, in rows of five.
_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def british(easting: float, northing: float) -> Located:
    """Metres of the British National Grid → degrees."""
    if easting < LEAST_GRID or northing < LEAST_GRID:
        return "outside_national_grid"
    # 30 MB of grid, for the files that need it.
    from convertbng.cutil import convert_osgb36_to_ll

    longitudes, latitudes = convert_osgb36_to_ll(easting, northing)
    if not isfinite(latitudes[0]):
        return "outside_national_grid"
    return round(float(latitudes[0]), _DECIMALS), round(float(longitudes[0]), _DECIMALS)


def on_grid(grid: Grid, easting: float, northing: float) -> Located:
    """Metres of another grid → degrees."""
    if not (grid.eastings[0] <= easting <= grid.eastings[1] and grid.northings[0] <= northing <= grid.northings[1]):
        return "outside_grid"
    longitude, latitude = _transform(grid.epsg)(easting, northing)
    return checked(round(latitude, _DECIMALS), round(longitude, _DECIMALS))


@cache
def _transform(epsg: int) -> Callable[[float, float], tuple[float, float]]:
    # 0.2 s and 30 MB, for the files that need it.
    from pyproj import Transformer

    return Transformer.from_crs(epsg, 4326, always_xy=True).transform


def _read(northing: str, easting: str, grid: Grid) -> Located:
    found = _metres(northing, easting)
    return found if isinstance(found, str) else on_grid(grid, *found)


def _metres(northing: str, easting: str) -> tuple[float, float] | str:
    """Easting and northing."""
    northing, easting = bare(northing), bare(easting)
    if northing.lower() in MISSING or easting.lower() in MISSING:
        return "coordinates_missing"
    if not all(len(text) <= MAX_CHARS and NUMBER.fullmatch(text) for text in (northing, easting)):
        return "not_a_number"
    if _lost_digits(easting) or _lost_digits(northing):
        return "precision_lost"
    return float(easting), float(northing)


def _lost_digits(text: str) -> bool:
    """Whether a spreadsheet has written 4E+05 for a number of six digits."""
    mantissa, exponent, power = text.lower().partition("e")
    digits = sum(character.isdigit() for character in mantissa)
    return bool(exponent) and digits <= int(power)
