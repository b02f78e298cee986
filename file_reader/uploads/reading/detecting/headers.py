"""The names by which columns are known, in the spellings and languages of open data; which record has them."""

import re
import unicodedata
from collections.abc import Collection, Sequence

LATITUDE = frozenset(
    "lat lats latitude latitude_deg lat_deg lat_dd lat_dec lat_decimal lat_wgs84 wgs84_lat latitude_wgs84"
    " wgs84_latitude y_lat lat_y ylat geo_lat gps_lat decimal_latitude decimallatitude location_latitude location_lat"
    " point_lat breitengrad breite geografische_breite geographische_breite latitud latitudine breddegrad breddgrad"
    " breedtegraad leveysaste szerokosc szerokość szerokość_geograficzna szerokosc_geograficzna enlem широта"
    " zeměpisná_šířka".split()
)
LONGITUDE = frozenset(
    "lon lons long lng longitude longitude_deg lon_deg lng_deg long_deg lon_dd long_dd lon_dec lon_decimal long_decimal"
    " lon_wgs84 wgs84_lon wgs84_lng longitude_wgs84 wgs84_longitude x_lon x_lng x_long lon_x xlon geo_lon geo_lng"
    " geo_long gps_lon gps_lng gps_long decimal_longitude decimallongitude location_longitude location_lon location_lng"
    " point_lon point_lng längengrad laengengrad länge geografische_länge geographische_länge geografische_laenge"
    " longitud longitudine lengdegrad længdegrad længde längdgrad lengtegraad pituusaste dlugosc długość"
    " długość_geograficzna dlugosc_geograficzna boylam долгота zeměpisná_délka".split()
)
LATITUDE_WORDS = frozenset({"lat", "latitude", "breitengrad", "latitud", "latitudine"})
LONGITUDE_WORDS = frozenset({"lon", "lng", "long", "longitude", "längengrad", "longitud", "longitudine"})
EASTING = frozenset(
    "easting eastings gridref_easting os_easting osgb_easting osgb36_easting bng_easting bng_e grid_east"
    " x_easting easting_x oseast1m".split()
)
NORTHING = frozenset(
    "northing northings gridref_northing os_northing osgb_northing osgb36_northing bng_northing bng_n grid_north"
    " y_northing northing_y osnrth1m".split()
)
EASTING_WORDS = frozenset({"easting", "eastings"})
NORTHING_WORDS = frozenset({"northing", "northings"})
X = frozenset("x x_coord xcoord x_coordinate coord_x coordx geox geo_x point_x pointx x_wgs84".split())
Y = frozenset("y y_coord ycoord y_coordinate coord_y coordy geoy geo_y point_y pointy y_wgs84".split())

#: What says in a name that its numbers are no degrees, or not all of them.
RADIANS_WORDS = frozenset({"rad", "rads", "radian", "radians"})
MINUTES_WORDS = frozenset({"m", "min", "mins", "minute", "minutes"})
#: Which grid metres are of.
BRITISH_WORDS = frozenset({"os", "osgb", "osgb36", "osgr", "bng", "british", "27700", "oseast1m", "osnrth1m"})
OTHER_GRID_WORDS = frozenset(
    "irish ireland ing itm tm65 tm75 29902 29903 2157 utm utm29 utm30 utm31 etrs89 webmercator mercator 3857 3035 nztm"
    " lambert gk".split()
)
_PAIRS = ((LATITUDE, LONGITUDE), (EASTING, NORTHING), (X, Y))
_PAIRS_OF_WORDS = ((LATITUDE_WORDS, LONGITUDE_WORDS), (EASTING_WORDS, NORTHING_WORDS))


def names_of(record: Sequence[str]) -> list[str]:
    """The names in a header without what differs from file to file: case, camels, spaces, punctuation."""
    return [normal(cell) for cell in record]


def normal(name: str) -> str:
    """One name, as `names_of` has it."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return "_".join(re.findall(r"[^\W_]+", name.lower()))


def columns_named(names: Sequence[str], known: Collection[str]) -> list[int]:
    """The columns with one of these names."""
    return [column for column, name in enumerate(names) if name in known]


def columns_with_word(names: Sequence[str], words: frozenset[str]) -> list[int]:
    """The columns with one of these words in their name."""
    return [column for column, name in enumerate(names) if words.intersection(name.split("_"))]


def name_both(names: Sequence[str]) -> bool:
    """Whether one column is called like a latitude, a northing or y, and another one like what belongs to it."""
    return any(_are_two(columns_named(names, one), columns_named(names, other)) for one, other in _PAIRS) or any(
        _are_two(columns_with_word(names, one), columns_with_word(names, other)) for one, other in _PAIRS_OF_WORDS
    )


def _are_two(some: list[int], others: list[int]) -> bool:
    return bool(some and others) and len({*some, *others}) > 1


def name_any(names: Sequence[str]) -> bool:
    """Whether they are those of coordinates: one known name is enough, of X and Y it takes both."""
    known = {*names}
    if known & (LATITUDE | LONGITUDE | EASTING | NORTHING) or (known & X and known & Y):
        return True
    return bool(columns_with_word(names, LATITUDE_WORDS) and columns_with_word(names, LONGITUDE_WORDS))
