"""The keys that rows are found by: whole numbers in the order of what they stand for. No Django here.

Two rows may share a key and differ: a key leads to rows, and the condition itself is for the database.
"""

import numpy as np
import numpy.typing as npt

#: The cells of a grid over the whole world, about 2 km by 2 km in Britain: fields of 1/50 of a degree of latitude and
#: 3/100 of a degree of longitude. Those of one band, from west to east, have keys that follow each other.
_BANDS_PER_DEGREE, _COLUMNS_PER_DEGREE = 50.0, 100.0 / 3.0
_COLUMNS = 12_001

Keys = npt.NDArray[np.int64]
Degrees = npt.NDArray[np.float64]


def postcode_keys(postcodes: npt.NDArray[np.bytes_]) -> Keys:
    """Of postcodes in UTF-8 as an array of eight bytes each: these bytes as one number."""
    return np.ascontiguousarray(postcodes).view(">u8").astype("<u8").view(np.int64)


def postcode_key(postcode: str) -> int:
    """Of one postcode, or of its beginning."""
    return int(postcode_keys(np.array([postcode.encode("utf-8", "replace")], "S8"))[0])


def cell_keys(latitudes: Degrees, longitudes: Degrees) -> Keys:
    """Of locations: their cells. What lies beyond the world, as a box may reach, counts as at its edge."""
    # No step of this arithmetic turns an order round: what lies in a box has a cell between those of its corners.
    bands = np.floor((np.clip(latitudes, -90.0, 90.0) + 90.0) * _BANDS_PER_DEGREE)
    columns = np.floor((np.clip(longitudes, -180.0, 180.0) + 180.0) * _COLUMNS_PER_DEGREE)
    return bands.astype(np.int64) * _COLUMNS + columns.astype(np.int64)


def cell_range(south: float, north: float, west: float, east: float) -> tuple[int, int]:
    """The keys of a box's corners. All between them are its cells, and those beside it in its bands."""
    first, last = cell_keys(np.array([south, north]), np.array([west, east])).tolist()
    return first, last


def in_columns(keys: Keys, first: int, last: int) -> npt.NDArray[np.bool_]:
    """Which cells are not beside the box whose corners have the keys `first` and `last`."""
    columns = keys % _COLUMNS
    inside: npt.NDArray[np.bool_] = (columns >= first % _COLUMNS) & (columns <= last % _COLUMNS)
    return inside
