"""Which columns hold the coordinates, and how: by declaration, by name, by value; names are checked against values.

What cannot be told with certainty is an error that shows the candidates.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from uploads.reading.coordinates import (
    GRID_EASTING,
    GRID_NORTHING,
    NULLS,
    ONE_CELL,
    UK_LATITUDE,
    UK_LONGITUDE,
    Notation,
    as_number,
    read_cell,
)
from uploads.reading.errors import ColumnsError

_LATITUDE = frozenset(
    "lat lats latitude latitude_deg lat_deg lat_dd lat_dec lat_decimal lat_wgs84 wgs84_lat latitude_wgs84"
    " wgs84_latitude y_lat lat_y ylat geo_lat gps_lat decimal_latitude decimallatitude location_latitude location_lat"
    " point_lat breitengrad breite geografische_breite geographische_breite latitud latitudine breddegrad breddgrad"
    " breedtegraad leveysaste szerokosc szerokość szerokość_geograficzna szerokosc_geograficzna enlem широта"
    " zeměpisná_šířka".split()
)
_LONGITUDE = frozenset(
    "lon lons long lng longitude longitude_deg lon_deg lng_deg long_deg lon_dd long_dd lon_dec lon_decimal long_decimal"
    " lon_wgs84 wgs84_lon wgs84_lng longitude_wgs84 wgs84_longitude x_lon x_lng x_long lon_x xlon geo_lon geo_lng"
    " geo_long gps_lon gps_lng gps_long decimal_longitude decimallongitude location_longitude location_lon location_lng"
    " point_lon point_lng längengrad laengengrad länge geografische_länge geographische_länge geografische_laenge"
    " longitud longitudine lengdegrad længdegrad længde längdgrad lengtegraad pituusaste dlugosc długość"
    " długość_geograficzna dlugosc_geograficzna boylam долгота zeměpisná_délka".split()
)
_LATITUDE_WORDS = frozenset({"lat", "latitude", "breitengrad", "latitud", "latitudine"})
_LONGITUDE_WORDS = frozenset({"lon", "lng", "long", "longitude", "längengrad", "longitud", "longitudine"})
_EASTING_WORDS = frozenset({"easting", "eastings"})
_NORTHING_WORDS = frozenset({"northing", "northings"})
_EASTING = frozenset(
    "easting eastings gridref_easting os_easting osgb_easting osgb36_easting bng_easting bng_e grid_east"
    " x_easting easting_x".split()
)
_NORTHING = frozenset(
    "northing northings gridref_northing os_northing osgb_northing osgb36_northing bng_northing bng_n grid_north"
    " y_northing northing_y".split()
)
_X = frozenset("x x_coord xcoord x_coordinate coord_x coordx geox geo_x point_x pointx x_wgs84".split())
_Y = frozenset("y y_coord ycoord y_coordinate coord_y coordy geoy geo_y point_y pointy y_wgs84".split())
_SHOWN_COLUMNS = 1_000
_SHOWN_CHARS = 100
#: The share of a column's values that must be as its name, or its use, says.
_ENOUGH = 0.6
#: Metres; what is smaller is no easting and no northing of a place on land.
_LEAST_GRID = 1_000.0
_FRACTION = re.compile(r"\d[.,]\d{3,}")


@dataclass(frozen=True)
class Columns:
    """The indexes (from 0) of the latitude and the longitude, or of northing and easting, or twice that of one cell."""

    latitude: int
    longitude: int
    notation: Notation


@dataclass(frozen=True)
class Wanted:
    """What the sender said of the columns: names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    notation: Notation | None = None


def looks_like_header(first: Sequence[str], wanted: Wanted) -> bool:
    """Whether the first record names columns: a known or declared name, or no coordinate in any field."""
    names = {_normal(field) for field in first}
    if any(name and not _is_column_number(name) for name in (wanted.latitude, wanted.longitude)):
        return True
    if names & (_LATITUDE | _LONGITUDE | _EASTING | _NORTHING) or (names & _X and names & _Y):
        return True
    words = {word for name in names for word in name.split("_")}
    if words & _LATITUDE_WORDS and words & _LONGITUDE_WORDS:
        return True
    return not any(
        as_number(field) is not None or field.strip().lower() in NULLS or _notations([field]) for field in first
    )


def find(*, header: Sequence[str] | None, width: int, data: Sequence[Sequence[str]], wanted: Wanted) -> Columns:
    """The columns that hold the coordinates. Raises ColumnsError when they are missing or ambiguous."""
    table = _Table(header, width, data)
    if wanted.latitude or wanted.longitude:
        return _declared(table, wanted)
    found: Columns | None
    if wanted.notation in ONE_CELL:
        found = _in_one_cell(table, wanted.notation)
    elif wanted.notation == Notation.OSGB36:
        found = _by_grid_names(table) or _by_x_and_y(table)
    else:
        found = _by_names(table) or _in_one_cell(table, None) or _by_grid_names(table) or _by_x_and_y(table)
        if found is None and header is None:
            found = _by_values(table)
    if found is None:
        raise table.error(
            "No columns were recognised as the coordinates. Say which ones they are with latitude=<name or number> and"
            " longitude=<name or number>."
        )
    return found


class _Table:
    """The sample: its header, if it has one, and the values of its columns that are not empty."""

    def __init__(self, header: Sequence[str] | None, width: int, data: Sequence[Sequence[str]]) -> None:
        self.header = header
        self.names = [_normal(name) for name in header or ()]
        self.width = width
        self._data = data

    def values(self, column: int) -> list[str]:
        return [record[column] for record in self._data if column < len(record) and record[column].strip()]

    def numbers(self, column: int) -> list[float]:
        return [number for number in map(as_number, self.values(column)) if number is not None]

    def numbers_by_record(self, column: int) -> list[float | None]:
        return [as_number(record[column]) if column < len(record) else None for record in self._data]

    def named(self, known: Collection[str]) -> list[int]:
        return [index for index, name in enumerate(self.names) if name in known]

    def worded(self, words: frozenset[str]) -> list[int]:
        return [index for index, name in enumerate(self.names) if words.intersection(name.split("_"))]

    def mostly_within(self, column: int, limits: tuple[float, float]) -> bool:
        """Whether most of its values are numbers between the two, both included."""
        within = sum(limits[0] <= number <= limits[1] for number in self.numbers(column))
        return within > 0 and within >= _ENOUGH * len(self.values(column))

    def error(self, detail: str, candidates: Sequence[int] = ()) -> ColumnsError:
        # Bounded: an answer that shows the columns must not be as large as the file.
        seen: list[str | int] = list(range(1, min(self.width, _SHOWN_COLUMNS) + 1))
        if self.header is not None:
            seen = [name.strip()[:_SHOWN_CHARS] for name in self.header[:_SHOWN_COLUMNS]]
        shown = {"candidates": [column + 1 for column in candidates]} if candidates else {}
        return ColumnsError(detail, columns_seen=seen, **shown)

    def several(self, what: str, candidates: Sequence[int]) -> ColumnsError:
        detail = f"Several columns could be the {what}. Say which one with {what}=<column number>."
        return self.error(detail, candidates)

    def missing(self, what: str) -> ColumnsError:
        return self.error(f"No column was recognised as the {what}. Say which one with {what}=<name or number>.")


def _normal(name: str) -> str:
    """A column's name without what differs from file to file: case, camels, spaces, punctuation."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return "_".join(re.findall(r"[^\W_]+", name.lower()))


def _is_column_number(text: str) -> bool:
    # Longer ones are no column's number, and int() refuses thousands of digits.
    return text.isascii() and text.isdecimal() and len(text) < 10


def _mostly(truths: Sequence[bool]) -> bool:
    return bool(truths) and sum(truths) >= _ENOUGH * len(truths)


# --- declared ------------------------------------------------------------------------------------------------------
def _declared(table: _Table, wanted: Wanted) -> Columns:
    latitude = _one(table, "latitude", wanted.latitude, _LATITUDE)
    longitude = _one(table, "longitude", wanted.longitude, _LONGITUDE)
    if latitude == longitude and wanted.notation in ONE_CELL:
        return Columns(latitude, longitude, wanted.notation)
    if latitude == longitude:
        found = _in_one_cell(table, None, [latitude])
        if found is None:
            raise table.error("Latitude and longitude cannot be the same column, unless its cells hold both.")
        return found
    notation = Notation.OSGB36 if _is_grid(table, easting=longitude, northing=latitude) else Notation.DEGREES
    return Columns(latitude, longitude, wanted.notation or notation)


def _one(table: _Table, what: str, declared: str | None, known: Collection[str]) -> int:
    candidates = table.named(known if declared is None else {_normal(declared)})
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise table.several(what, candidates)
    if declared is None:
        raise table.missing(what)
    if _is_column_number(declared) and 1 <= int(declared) <= table.width:
        return int(declared) - 1
    raise table.error(f"There is no column {declared[:_SHOWN_CHARS]!r} for the {what}.")


# --- by name -------------------------------------------------------------------------------------------------------
def _by_names(table: _Table) -> Columns | None:
    latitudes = table.named(_LATITUDE) or table.worded(_LATITUDE_WORDS)
    longitudes = table.named(_LONGITUDE) or table.worded(_LONGITUDE_WORDS)
    if latitudes == longitudes:  # none, or columns such as "Lat/Lon"
        return None
    latitude = _only(table, "latitude", latitudes, 90)
    longitude = _only(table, "longitude", longitudes, 180)
    return Columns(latitude, longitude, Notation.DEGREES)


def _only(table: _Table, what: str, candidates: Sequence[int], limit: int) -> int:
    """The candidate whose numbers can be degrees; of several that say the same in every record, the first."""
    if not candidates:
        raise table.missing(what)
    possible = [column for column in candidates if not _is_a_lie(table.numbers(column), limit)]
    if not possible:
        raise table.error(
            f"The column that is called {what} has numbers that are not between -{limit} and {limit}."
            f" If it is another column, say which one with {what}=<name or number>.",
            candidates,
        )
    filled = [column for column in possible if table.values(column)]
    if len(possible) > 1 and len({tuple(table.numbers_by_record(column)) for column in filled}) != 1:
        raise table.several(what, candidates)
    return filled[0] if filled else possible[0]


def _is_a_lie(numbers: Sequence[float], limit: int) -> bool:
    """A few rows may be wrong; a column without one number in range is not what its name says."""
    if any(-limit <= number <= limit for number in numbers):
        return False
    return len(numbers) > 2 or (bool(numbers) and all(number >= _LEAST_GRID for number in numbers))


def _by_grid_names(table: _Table) -> Columns | None:
    eastings = table.named(_EASTING) or table.worded(_EASTING_WORDS)
    northings = table.named(_NORTHING) or table.worded(_NORTHING_WORDS)
    if len(eastings) != 1 or len(northings) != 1:
        return None
    if table.values(eastings[0]) and not _is_grid(table, easting=eastings[0], northing=northings[0]):
        return None
    return Columns(northings[0], eastings[0], Notation.OSGB36)


def _by_x_and_y(table: _Table) -> Columns | None:
    xs, ys = table.named(_X), table.named(_Y)
    if len(xs) != 1 or len(ys) != 1:
        return None
    (x,), (y,) = xs, ys
    if _is_grid(table, easting=x, northing=y):
        return Columns(y, x, Notation.OSGB36)
    exact = _is_exact(table, x) and _is_exact(table, y)
    if exact and table.mostly_within(x, (-180, 180)) and table.mostly_within(y, (-90, 90)):
        return Columns(y, x, Notation.DEGREES)
    return None


def _is_grid(table: _Table, *, easting: int, northing: int) -> bool:
    return table.mostly_within(easting, (_LEAST_GRID, GRID_EASTING[1])) and table.mostly_within(
        northing, (_LEAST_GRID, GRID_NORTHING[1])
    )


def _is_exact(table: _Table, column: int) -> bool:
    """Most of its values have three digits or more behind the point, as coordinates have and counts have not."""
    return _mostly([bool(_FRACTION.search(value)) for value in table.values(column)])


# --- by value ------------------------------------------------------------------------------------------------------
def _by_values(table: _Table) -> Columns:
    """Without a header: the one column with British latitudes and the one with British longitudes."""
    latitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LATITUDE)]
    longitudes = [column for column in range(table.width) if table.mostly_within(column, UK_LONGITUDE)]
    candidates = sorted({*latitudes, *longitudes})
    if len(candidates) > 2:
        latitudes = [column for column in latitudes if _is_exact(table, column)]
        longitudes = [column for column in longitudes if _is_exact(table, column)]
    if len(latitudes) == 1 and len(longitudes) == 1:
        return Columns(latitudes[0], longitudes[0], Notation.DEGREES)
    raise table.error(
        "The file has no header, and its values do not tell which columns are the latitude and the longitude."
        " Say it with latitude=<column number> and longitude=<column number>.",
        candidates,
    )


def _in_one_cell(table: _Table, notation: Notation | None, columns: Sequence[int] | None = None) -> Columns | None:
    found = {
        column: fitting
        for column in (range(table.width) if columns is None else columns)
        if (fitting := _notations(table.values(column))) and (notation is None or notation in fitting)
    }
    if not found:
        return None
    if len(found) > 1:
        raise table.several("latitude", list(found))
    ((column, fitting),) = found.items()
    return Columns(column, column, notation or _likeliest(table, column, fitting))


def _notations(values: Sequence[str]) -> set[Notation]:
    """The ways in which most of these cells can be read as both coordinates; a pair of whole numbers is none."""
    return {
        notation
        for notation in ONE_CELL
        if _mostly([value.count(".") > 1 and _is_pair(read_cell(value, notation)) for value in values])
    }


def _is_pair(read: object) -> bool:
    return isinstance(read, tuple) or read == "coordinates_swapped"


def _likeliest(table: _Table, column: int, fitting: set[Notation]) -> Notation:
    """Which comes first, where a pair can be read both ways: the values tell, or the header, or round brackets."""
    if len(fitting) == 1:
        return next(iter(fitting))
    values = table.values(column)
    for notation in (Notation.LAT_LON, Notation.LON_LAT):
        if _mostly([_is_in_uk(read_cell(value, notation)) for value in values]):
            return notation
    name = table.names[column] if table.names else ""
    if re.search("(lon|lng).*lat", name):
        return Notation.LON_LAT
    if re.search("lat.*(lon|lng)", name) or _mostly([value.strip().startswith("(") for value in values]):
        return Notation.LAT_LON
    raise table.error(
        f"Column {column + 1} holds both coordinates, but nothing tells which one comes first."
        " Say it with coordinates=lat_lon or coordinates=lon_lat.",
        [column],
    )


def _is_in_uk(read: tuple[float, float] | str) -> bool:
    return (
        not isinstance(read, str)
        and UK_LATITUDE[0] <= read[0] <= UK_LATITUDE[1]
        and UK_LONGITUDE[0] <= read[1] <= UK_LONGITUDE[1]
    )
