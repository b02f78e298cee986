"""The cells of the map: fields of a grid of degrees, and how many rows of each status lie in them. No Django here.

A row keeps the number of its smallest cell, of 0.005°. A larger cell is a whole number of these in each direction, so
that rows are in it by their exact locations.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

#: The smallest cells in a degree.
PER_DEGREE = 200
#: The largest cells, in smallest ones: 90°.
LARGEST = 90 * PER_DEGREE
#: The cells of a map, at most.
MOST_CELLS = 80_000
#: The cell of a row without a location, and the status of one that is as it was before.
NOWHERE, UNCHANGED = 0xFFFF_FFFF, 0xFF

#: Cells are numbered from the south-west corner of the world, band by band; its north and east edges have their own.
_SOUTH, _WEST = 90 * PER_DEGREE, 180 * PER_DEGREE
_IN_A_BAND = 2 * _WEST + 1
_STATUSES = 5

Cells = npt.NDArray[np.uint32]
Statuses = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
#: Columns and rows of cells: the first column, the first row, the last column, the last row.
Window = tuple[int, int, int, int]


def cells_of(latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]) -> Cells:
    """The numbers of the smallest cells of locations in degrees."""
    j, i = (np.floor(degrees * float(PER_DEGREE)).astype(np.int64) for degrees in (latitudes, longitudes))
    return _numbered(i, j).astype(np.uint32)


def _numbered(i: npt.NDArray[Any], j: npt.NDArray[Any]) -> Numbers:
    numbers: Numbers = (j + _SOUTH).astype(np.int64) * _IN_A_BAND + (i + _WEST)
    return numbers


def count_rows(cells: Cells, statuses: Statuses, size: int, window: Window | None) -> tuple[Numbers, Numbers]:
    """Of rows with a location: each pair of status and cell of `size` smallest ones, as one number, and how often it is
    there; only of the cells in the window, if there is one."""
    located = cells != NOWHERE
    statuses = statuses[located]
    j, i = (part.astype(np.int32) for part in np.divmod(cells[located], np.uint32(_IN_A_BAND)))
    j, i = (j - _SOUTH) // size, (i - _WEST) // size
    if window:
        west, south, east, north = window
        inside = (i >= west) & (i <= east) & (j >= south) & (j <= north)
        i, j, statuses = i[inside], j[inside], statuses[inside]
    return np.unique(_numbered(i, j) * _STATUSES + statuses, return_counts=True)


def merged(pairs: Numbers, rows: Numbers, factor: int) -> Numbers:
    """What `count_rows` has found, in cells so many times as wide: column, row, and the rows of each status."""
    cells, statuses = np.divmod(pairs, _STATUSES)
    j, i = np.divmod(cells, _IN_A_BAND)
    numbers, place = np.unique(_numbered((i - _WEST) // factor, (j - _SOUTH) // factor), return_inverse=True)
    of_status = np.bincount(place * _STATUSES + statuses, rows, _STATUSES * len(numbers)).astype(np.int64)
    j, i = np.divmod(numbers, _IN_A_BAND)
    return np.column_stack([i - _WEST, j - _SOUTH, of_status.reshape(-1, _STATUSES)])
