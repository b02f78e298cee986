"""The cells of the map: fields of a grid of degrees, and how many rows of each status lie in them. No Django here.

A row keeps the number of its smallest cell, of 0.005°. A larger cell is a whole number of these in each direction, so
that rows are in it by their exact locations.
"""

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
#: The columns (i), rows (j), statuses and numbers of rows.
Counts = tuple[Numbers, Numbers, Numbers, Numbers]


def cells_of(latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]) -> Cells:
    """The numbers of the smallest cells of locations in degrees."""
    j, i = (np.floor(degrees * float(PER_DEGREE)).astype(np.int64) for degrees in (latitudes, longitudes))
    return ((j + _SOUTH) * _IN_A_BAND + i + _WEST).astype(np.uint32)


def count_rows(cells: Cells, statuses: Statuses) -> tuple[Numbers, Numbers]:
    """Of rows with a location: each pair of cell and status that is there, as one number, and how often it is."""
    located = cells != NOWHERE
    return np.unique(cells[located].astype(np.int64) * _STATUSES + statuses[located], return_counts=True)


def unpacked(pairs: Numbers, rows: Numbers) -> Counts:
    """What `count_rows` has found, in the smallest cells."""
    cells, statuses = np.divmod(pairs, _STATUSES)
    j, i = np.divmod(cells, _IN_A_BAND)
    return i - _WEST, j - _SOUTH, statuses, rows


def within(counts: Counts, size: int, first: tuple[int, int], last: tuple[int, int]) -> Counts:
    """What is in the cells of a size, in smallest ones, from the column and row `first` to `last`."""
    i, j, _, _ = counts
    (west, south), (east, north) = first, last
    inside = (i // size >= west) & (i // size <= east) & (j // size >= south) & (j // size <= north)
    i, j, statuses, rows = (column[inside] for column in counts)
    return i, j, statuses, rows


def merged(counts: Counts, size: int) -> npt.NDArray[np.int64]:
    """The cells of that size, in smallest ones, that have rows: column, row, and the rows of each status."""
    i, j, statuses, rows = counts
    numbers, place = np.unique((j // size + _SOUTH) * _IN_A_BAND + i // size + _WEST, return_inverse=True)
    of_status = np.bincount(place * _STATUSES + statuses, rows, _STATUSES * len(numbers)).astype(np.int64)
    j, i = np.divmod(numbers, _IN_A_BAND)
    return np.column_stack([i - _WEST, j - _SOUTH, of_status.reshape(-1, _STATUSES)])
