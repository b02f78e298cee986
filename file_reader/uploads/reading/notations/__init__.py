"""How coordinates are written, and what reads each way: text to degrees, or to the reason why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from uploads.reading.notations.degrees import as_number, has_letter, read_coordinates, read_dms
from uploads.reading.notations.grids import (
    GRID_EASTING,
    GRID_NORTHING,
    LEAST_GRID,
    SQUARE_METRES,
    read_irish_grid,
    read_itm,
    read_osgb36,
    read_osgb36_square,
    read_utm29,
    read_utm30,
    read_utm31,
    read_web_mercator,
    square_corner,
)
from uploads.reading.notations.located import REASONS, UK_LATITUDE, UK_LONGITUDE, Located, is_in_uk
from uploads.reading.notations.one_cell import MARKED, read_geojson, read_json, read_lat_lon, read_lon_lat, read_wkt
from uploads.reading.notations.packed import (
    read_dd_mmmm,
    read_dd_mmss,
    read_ddmm,
    read_ddmmss,
    read_e5,
    read_e6,
    read_e7,
)
from uploads.reading.notations.references import (
    cell_of_geohash,
    read_geohash,
    read_grid_reference,
    square_of_reference,
)
from uploads.reading.notations.texts import MAX_CHARS, MISSING, NULLS

__all__ = ["GRID_EASTING", "GRID_NORTHING", "KINDS", "LEAST_GRID", "MARKED", "MAX_CHARS", "MISSING", "NULLS",
           "ONE_CELL", "REASONS", "SQUARE_METRES", "UK_LATITUDE", "UK_LONGITUDE", "Kind", "Located", "Notation",
           "as_number", "has_letter", "is_in_uk", "locator", "read_cell", "square_corner"]  # fmt: skip


class Notation(StrEnum):
    """How a file writes coordinates, as the option `coordinates` and the dialect have it."""

    DEGREES = "degrees"
    DMS = "dms"
    DDMMSS = "ddmmss"
    DDMM = "ddmm"
    DD_MMSS = "dd.mmss"
    DD_MMMM = "dd.mmmm"
    E5 = "degrees_e5"
    E6 = "degrees_e6"
    E7 = "degrees_e7"
    OSGB36 = "osgb36"
    OSGB36_SQUARE = "osgb36_square"
    IRISH_GRID = "irish_grid"
    ITM = "itm"
    UTM29 = "utm29"
    UTM30 = "utm30"
    UTM31 = "utm31"
    WEB_MERCATOR = "web_mercator"
    LAT_LON = "lat_lon"
    LON_LAT = "lon_lat"
    WKT = "wkt"
    GEOJSON = "geojson"
    JSON = "json"
    GRID_REFERENCE = "grid_reference"
    GEOHASH = "geohash"


@dataclass(frozen=True)
class Kind:
    """How a notation is read: `read` takes the texts of so many `columns`, the northern one before the eastern one.

    With `is_metric`, two columns are a northing and an easting. Where a cell stands for a square, `size` says how long
    its sides are, in metres; None for a cell that is not of the notation.
    """

    columns: int
    read: Callable[..., Located]
    #: What a file of it has, in a sentence.
    words: str
    is_metric: bool = False
    size: Callable[[str], float | None] | None = None


KINDS = {
    Notation.DEGREES: Kind(2, read_coordinates, "degrees, with decimals or with their minutes and seconds"),
    Notation.DMS: Kind(2, read_dms, "degrees, minutes and seconds without marks, such as 51 30 3.6"),
    Notation.DDMMSS: Kind(2, read_ddmmss, "degrees, minutes and seconds in one number, such as 513003.6"),
    Notation.DDMM: Kind(2, read_ddmm, "degrees and minutes in one number, such as 5130.06"),
    Notation.DD_MMSS: Kind(2, read_dd_mmss, "degrees, and behind the point minutes and seconds, such as 51.300360"),
    Notation.DD_MMMM: Kind(2, read_dd_mmmm, "degrees, and behind the point minutes, such as 51.300600"),
    Notation.E5: Kind(2, read_e5, "whole numbers of 0.00001 degrees"),
    Notation.E6: Kind(2, read_e6, "whole numbers of 0.000001 degrees"),
    Notation.E7: Kind(2, read_e7, "whole numbers of 0.0000001 degrees"),
    Notation.OSGB36: Kind(2, read_osgb36, "eastings and northings of the British National Grid", is_metric=True),
    Notation.OSGB36_SQUARE: Kind(
        3, read_osgb36_square, "eastings and northings within squares of the British National Grid", is_metric=True
    ),
    Notation.IRISH_GRID: Kind(2, read_irish_grid, "eastings and northings of the Irish Grid", is_metric=True),
    Notation.ITM: Kind(2, read_itm, "eastings and northings of the Irish Transverse Mercator (ITM)", is_metric=True),
    Notation.UTM29: Kind(2, read_utm29, "eastings and northings of UTM zone 29", is_metric=True),
    Notation.UTM30: Kind(2, read_utm30, "eastings and northings of UTM zone 30", is_metric=True),
    Notation.UTM31: Kind(2, read_utm31, "eastings and northings of UTM zone 31", is_metric=True),
    Notation.WEB_MERCATOR: Kind(2, read_web_mercator, "metres of Web Mercator", is_metric=True),
    Notation.LAT_LON: Kind(1, read_lat_lon, "latitude and longitude in one cell"),
    Notation.LON_LAT: Kind(1, read_lon_lat, "longitude and latitude in one cell"),
    Notation.WKT: Kind(1, read_wkt, "points as WKT"),
    Notation.GEOJSON: Kind(1, read_geojson, "points as GeoJSON"),
    Notation.JSON: Kind(1, read_json, "JSON with a latitude and a longitude"),
    Notation.GRID_REFERENCE: Kind(1, read_grid_reference, "grid references", size=square_of_reference),
    Notation.GEOHASH: Kind(1, read_geohash, "geohashes", size=cell_of_geohash),
}
#: Both coordinates are in one cell.
ONE_CELL = frozenset(notation for notation, kind in KINDS.items() if kind.columns == 1)


def locator(
    notation: Notation, latitude_column: int, longitude_column: int, decimal: str, square_column: int | None = None
) -> Callable[[Sequence[str]], Located]:
    """A function from the fields of a record to its coordinates. The columns are indexes from 0."""
    read = KINDS[notation].read
    if notation in ONE_CELL:
        return lambda fields: read(fields[latitude_column])
    columns = [column for column in (latitude_column, longitude_column, square_column) if column is not None]
    if decimal == ",":
        return lambda fields: read(*[fields[column].replace(",", ".") for column in columns])
    if square_column is not None:
        return lambda fields: read(*[fields[column] for column in columns])
    return lambda fields: read(fields[latitude_column], fields[longitude_column])


def read_cell(text: str, notation: Notation) -> Located:
    """The coordinates of a cell that holds both."""
    return KINDS[notation].read(text)
