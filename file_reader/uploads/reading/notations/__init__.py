"""How coordinates are written, and what reads each way: text to degrees, or to the reason why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from uploads.reading.notations.degrees import as_number, has_letter, read_coordinates
from uploads.reading.notations.grids import GRID_EASTING, GRID_NORTHING, LEAST_GRID, read_grid
from uploads.reading.notations.located import REASONS, UK_LATITUDE, UK_LONGITUDE, Located, is_in_uk
from uploads.reading.notations.one_cell import read_geojson, read_lat_lon, read_lon_lat, read_wkt
from uploads.reading.notations.texts import MAX_CHARS, NULLS

__all__ = ["GRID_EASTING", "GRID_NORTHING", "KINDS", "LEAST_GRID", "MAX_CHARS", "NULLS", "ONE_CELL", "REASONS",
           "UK_LATITUDE", "UK_LONGITUDE", "Kind", "Located", "Notation", "as_number", "has_letter", "is_in_uk",
           "locator", "read_cell", "read_coordinates", "read_grid"]  # fmt: skip


class Notation(StrEnum):
    """How a file writes coordinates: in two columns, or both in one cell."""

    DEGREES = "degrees"  # two columns, decimal degrees
    OSGB36 = "osgb36"  # two columns, metres on the British National Grid
    LAT_LON = "lat_lon"  # one cell: 51.5, -0.1 or (51.5, -0.1)
    LON_LAT = "lon_lat"  # the same, longitude first
    WKT = "wkt"  # one cell: POINT (-0.1 51.5)
    GEOJSON = "geojson"  # one cell: {"type": "Point", "coordinates": [-0.1, 51.5]}


@dataclass(frozen=True)
class Kind:
    """How a notation is read: `read` takes the text of that many `columns`, of two the northern one first."""

    columns: int
    read: Callable[..., Located]
    #: What it is called in a sentence.
    words: str


KINDS = {
    Notation.DEGREES: Kind(2, read_coordinates, "degrees"),
    Notation.OSGB36: Kind(2, read_grid, "eastings and northings of the British National Grid"),
    Notation.LAT_LON: Kind(1, read_lat_lon, "pairs of latitude and longitude"),
    Notation.LON_LAT: Kind(1, read_lon_lat, "pairs of longitude and latitude"),
    Notation.WKT: Kind(1, read_wkt, "WKT"),
    Notation.GEOJSON: Kind(1, read_geojson, "GeoJSON"),
}
#: Both coordinates are in one cell.
ONE_CELL = frozenset(notation for notation, kind in KINDS.items() if kind.columns == 1)


def locator(
    notation: Notation, latitude_column: int, longitude_column: int, decimal: str
) -> Callable[[Sequence[str]], Located]:
    """A function from the fields of a record to its coordinates. The columns are indexes from 0."""
    read = KINDS[notation].read
    if notation in ONE_CELL:
        return lambda fields: read(fields[latitude_column])
    if decimal == ",":
        return lambda fields: read(_with_point(fields[latitude_column]), _with_point(fields[longitude_column]))
    return lambda fields: read(fields[latitude_column], fields[longitude_column])


def read_cell(text: str, notation: Notation) -> Located:
    """The coordinates of a cell that holds both."""
    return KINDS[notation].read(text)


def _with_point(text: str) -> str:
    return text.replace(",", ".")
