"""The keys that rows are found by: whole numbers in the order of what they stand for. No Django here.

Two rows may share a key and differ: a key leads to rows, and the condition itself is for the database.
"""

from zlib import crc32

import numpy as np
import numpy.typing as npt

#: Locations are counted in steps of 1/3200 of a degree of latitude and 3/6400 of a degree of longitude: some 30 m in
#: Britain. A cell is a field of 64 by 64 steps. The cells of a band, from west to east, follow each other, and so do
#: the places in a cell: what lies near each other mostly has keys near each other.
_STEPS_NORTHWARDS, _STEPS_EASTWARDS = 3_200.0, 6_400.0 / 3.0
#: Bits of a step in its cell, and of a cell in its band.
_STEP, _CELL = 6, 14
_STEP_MASK, _CELL_MASK = (1 << _STEP) - 1, (1 << _CELL) - 1

Keys = npt.NDArray[np.int64]
Degrees = npt.NDArray[np.float64]


def postcode_keys(postcodes: npt.NDArray[np.bytes_]) -> Keys:
    """Of postcodes in UTF-8 as an array of eight bytes each: these bytes as one number."""
    return np.ascontiguousarray(postcodes).view(">u8").astype("<u8").view(np.int64)


def postcode_key(postcode: str) -> int:
    """Of one postcode, or of its beginning."""
    return int(postcode_keys(np.array([postcode.encode("utf-8", "replace")], "S8"))[0])


def postcode_texts(keys: Keys) -> list[str]:
    """The postcodes with these keys: as much of each as stands in eight bytes."""
    if not len(keys):
        return []
    return b"\n".join(keys.astype(">i8").view("S8").tolist()).decode("utf-8", "replace").split("\n")


def reason_keys(reasons: npt.NDArray[np.bytes_]) -> Keys:
    """Of reasons in UTF-8: a checksum of each; 0 where there is none."""
    keys, having = np.zeros(len(reasons), np.int64), reasons != b""
    words, places = np.unique(reasons[having], return_inverse=True)
    keys[having] = np.array([crc32(word) for word in words.tolist()], np.int64)[places]
    return keys


def reason_key(reason: str) -> int:
    """Of one reason."""
    return crc32(reason.encode("utf-8", "replace"))


def cell_keys(latitudes: Degrees, longitudes: Degrees) -> Keys:
    """Of locations: their cells and their places in them. What lies beyond the world, as a box may reach, counts as at
    its edge."""
    # No step of this arithmetic turns an order round: what lies in a box has steps between those of its corners.
    y = np.floor((np.clip(latitudes, -90.0, 90.0) + 90.0) * _STEPS_NORTHWARDS).astype(np.int64)
    x = np.floor((np.clip(longitudes, -180.0, 180.0) + 180.0) * _STEPS_EASTWARDS).astype(np.int64)
    cells = y >> _STEP << _CELL | x >> _STEP
    return cells << 2 * _STEP | (y & _STEP_MASK) << _STEP | x & _STEP_MASK


def cell_range(south: float, north: float, west: float, east: float) -> tuple[int, int]:
    """The keys of a box's corners. All that lies in it is between them, and so is what lies beside it in its bands."""
    first, last = cell_keys(np.array([south, north]), np.array([west, east])).tolist()
    return first, last


def in_box(keys: Keys, first: int, last: int) -> npt.NDArray[np.bool_]:
    """Which of the places between the corners `first` and `last` are not beside the box."""
    corners = np.array([first, last])
    (west, east), (south, north) = _eastwards(corners), _northwards(corners)
    x = _eastwards(keys)
    inside: npt.NDArray[np.bool_] = (x >= west) & (x <= east)
    y = _northwards(keys[inside])
    inside[inside] = (y >= south) & (y <= north)
    return inside


def _eastwards(keys: Keys) -> Keys:
    return (keys >> 2 * _STEP & _CELL_MASK) << _STEP | keys & _STEP_MASK


def _northwards(keys: Keys) -> Keys:
    return keys >> _CELL + 2 * _STEP << _STEP | keys >> _STEP & _STEP_MASK
