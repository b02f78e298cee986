"""Where land is, in cells of some 10 km: enough to tell one reading of a file from another, not one place from another.

land.txt is the map: a line for each 0.1° of latitude from the north, a sign for each 0.15° of longitude from the west.
`#` has, or touches, land of Great Britain, Man or the Channel Islands, `=` of Northern Ireland, `+` other land, `.` is
sea. It is made by make_land from Natural Earth, which is in the public domain.
"""

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

MAP = Path(__file__).with_name("land.txt")
#: The limits of the map and the size of its cells (latitude, longitude), in degrees. As far to the east as to the west.
NORTH, SOUTH, WEST, EAST = 61.0, 49.0, -9.0, 9.0
STEP = (0.1, 0.15)
#: What is at a location; beyond the map everything is ELSEWHERE. The last two are of Great Britain, Man and the Channel
#: Islands: INLAND if the cells around it are, too.
SEA, ELSEWHERE, NORTHERN_IRELAND, COAST, INLAND = range(5)

Degrees = npt.NDArray[np.float64]


def land_at(latitudes: Degrees, longitudes: Degrees) -> npt.NDArray[np.uint8]:
    """What is at each location, one of the words above; ELSEWHERE for NaN."""
    cells = _cells()
    on_map = (latitudes > SOUTH) & (latitudes < NORTH) & (longitudes > WEST) & (longitudes < EAST)
    found = np.full(len(latitudes), ELSEWHERE, np.uint8)
    rows = ((NORTH - latitudes[on_map]) / STEP[0]).astype(np.intp)
    found[on_map] = cells[rows, ((longitudes[on_map] - WEST) / STEP[1]).astype(np.intp)]
    return found


def has_postcodes(land: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Where what `land_at` found has British postcodes, if anything has."""
    return land >= NORTHERN_IRELAND


def is_at_sea(latitude: float, longitude: float) -> bool:
    """The same for one location."""
    return bool(land_at(np.array([latitude]), np.array([longitude]))[0] == SEA)


@cache
def _cells() -> npt.NDArray[np.uint8]:
    cells = np.array([[".+=#".index(sign) for sign in line] for line in MAP.read_text().split()], np.uint8)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(cells, 1), (3, 3)).min((2, 3))
    return np.where(around == COAST, np.uint8(INLAND), cells)
