"""Which columns are the latitude and the longitude: by number, by name, or without a header by their values."""

from collections.abc import Sequence

from uploads.reading.coordinates import read_coordinates
from uploads.reading.errors import ColumnsError

_LATITUDE = frozenset(
    [
        "lat",
        "latitude",
        "lats",
        "lat_deg",
        "latitude_deg",
        "latitude_wgs84",
        "lat_wgs84",
        "wgs84_lat",
        "wgs84_latitude",
        "y_lat",
        "ylat",
        "lat_y",
        "geo_lat",
        "decimallatitude",
        "decimal_latitude",
        "location_latitude",
        "point_lat",
        "breitengrad",
        "geografische_breite",
        "latitud",
        "latitudine",
        "breddegrad",
    ]
)
_LONGITUDE = frozenset(
    [
        "lon",
        "lng",
        "long",
        "longitude",
        "lons",
        "lon_deg",
        "lng_deg",
        "longitude_deg",
        "longitude_wgs84",
        "lon_wgs84",
        "wgs84_lon",
        "wgs84_longitude",
        "x_lon",
        "x_lng",
        "xlon",
        "lon_x",
        "geo_lon",
        "geo_lng",
        "geo_long",
        "decimallongitude",
        "decimal_longitude",
        "location_longitude",
        "point_lon",
        "längengrad",
        "laengengrad",
        "geografische_länge",
        "longitud",
        "longitudine",
        "lengdegrad",
    ]
)
#: Where British locations lie, in degrees: the two ranges do not overlap, so values tell the columns apart.
_UK_LATITUDE = (49.0, 61.5)
_UK_LONGITUDE = (-9.5, 2.6)
_SHOWN_COLUMNS = 1_000
_SHOWN_CHARS = 100
#: The share of values in those ranges that makes a column without a name a coordinate column.
_ENOUGH = 0.6


def _normal(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").replace(".", " ").split())


def looks_like_header(first: Sequence[str], latitude: str | None, longitude: str | None) -> bool:
    """Whether the first record names columns: a known or declared name, or no number in any field."""
    names = {_normal(field) for field in first}
    declared = {_normal(name) for name in (latitude, longitude) if name and not _is_column_number(name)}
    if declared or names & (_LATITUDE | _LONGITUDE):
        return True
    return not any(_is_number(field) for field in first)


def _is_column_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _is_number(field: str) -> bool:
    return not isinstance(read_coordinates(field.replace(",", ".").strip("'"), "0"), str)


def find(
    *,
    header: Sequence[str] | None,
    width: int,
    data: Sequence[Sequence[str]],
    latitude: str | None,
    longitude: str | None,
) -> tuple[int, int]:
    """The indexes (from 0) of the latitude and the longitude column.

    Raises ColumnsError when one is missing or when there are several candidates.
    """
    # Bounded: an answer that shows the columns must not be as large as the file.
    seen: list[str | int] = [name.strip()[:_SHOWN_CHARS] for name in (header or ())[:_SHOWN_COLUMNS]]
    if header is None:
        seen = list(range(1, min(width, _SHOWN_COLUMNS) + 1))
    if header is None and latitude is None and longitude is None:
        return _by_values(data, width, seen)
    found = (
        _named("latitude", latitude, header, width, _LATITUDE, seen),
        _named("longitude", longitude, header, width, _LONGITUDE, seen),
    )
    if found[0] == found[1]:
        raise ColumnsError("Latitude and longitude cannot be the same column.", columns_seen=seen)
    return found


def _named(
    what: str,
    declared: str | None,
    header: Sequence[str] | None,
    width: int,
    known: frozenset[str],
    seen: Sequence[str | int],
) -> int:
    names = [_normal(name) for name in header or ()]
    wanted = known if declared is None else {_normal(declared)}
    candidates = [index for index, name in enumerate(names) if name in wanted]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise ColumnsError(
            f"Several columns could be the {what}. Say which one with {what}=<column number>.",
            columns_seen=seen,
            candidates=[index + 1 for index in candidates],
        )
    # Longer ones are no column's number, and int() refuses thousands of digits.
    if declared is not None and _is_column_number(declared) and 1 <= int(declared) <= width:
        return int(declared) - 1
    if declared is not None:
        raise ColumnsError(f"There is no column {declared!r} for the {what}.", columns_seen=seen)
    raise ColumnsError(
        f"No column was recognised as the {what}. Say which one with {what}=<name or number>.", columns_seen=seen
    )


def _by_values(data: Sequence[Sequence[str]], width: int, seen: Sequence[str | int]) -> tuple[int, int]:
    latitudes = [column for column in range(width) if _share_within(data, column, _UK_LATITUDE) >= _ENOUGH]
    longitudes = [column for column in range(width) if _share_within(data, column, _UK_LONGITUDE) >= _ENOUGH]
    if len(latitudes) == 1 and len(longitudes) == 1:
        return latitudes[0], longitudes[0]
    raise ColumnsError(
        "The file has no header, and its values do not tell which columns are the latitude and the longitude."
        " Say it with latitude=<column number> and longitude=<column number>.",
        columns_seen=seen,
        candidates=[column + 1 for column in sorted({*latitudes, *longitudes})],
    )


def _share_within(data: Sequence[Sequence[str]], column: int, limits: tuple[float, float]) -> float:
    values = [record[column] for record in data if column < len(record) and record[column].strip()]
    numbers = [read_coordinates("0", value) for value in values]
    within = sum(not isinstance(pair, str) and limits[0] <= pair[1] <= limits[1] for pair in numbers)
    return within / len(values) if values else 0.0
