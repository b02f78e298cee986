"""A grid of cells over the country, fine where places are dense: the way from a location to its candidates.

Cells of the top level are all of one size. Each is divided into 2^level × 2^level small ones, and each of these has the
start of its list in `lists`: how many candidates there are, then their numbers. Small cells may share a list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookups.country import EAST, NORTH, SOUTH, WEST
from lookups.index.ellipsoid import Floats

#: Degrees of a cell of the top level; 1.7 km both ways in the middle of the country.
_HEIGHT, _WIDTH = 1 / 64, 1 / 40
ROWS, COLUMNS = round((NORTH - SOUTH) / _HEIGHT), round((EAST - WEST) / _WIDTH)
#: How often a cell of the top level may be halved: to 14 m.
DEEPEST = 7
_LEVEL_BITS = 3

Unsigned = NDArray[np.uint32]
Numbers = NDArray[np.int32]
Integers = NDArray[np.int64]


def corner_of(level: int, rows: Any, columns: Any) -> tuple[Any, Any]:
    """Latitude and longitude of the south-western corner of cells, in degrees."""
    return SOUTH + rows * (_HEIGHT / 2**level), WEST + columns * (_WIDTH / 2**level)


@dataclass(frozen=True)
class Cells:
    """Cells of one level, each with its candidates: `numbers` of places, those of all cells in a row."""

    level: int
    rows: Integers
    columns: Integers
    counts: Integers
    numbers: Numbers

    def only(self, chosen: NDArray[np.bool_]) -> "Cells":
        """Those that are chosen."""
        numbers = self.numbers[np.repeat(chosen, self.counts)]
        return Cells(self.level, self.rows[chosen], self.columns[chosen], self.counts[chosen], numbers)


@dataclass(frozen=True)
class Grid:
    """Plain arrays of uint32."""

    #: For each cell of the top level, row by row: where its small cells begin in `cells`, and below it, in three bits,
    #: its level.
    tops: Unsigned
    #: For each small cell, row by row: where its list begins in `lists`.
    cells: Unsigned
    #: The list at 0, of cells from which all places are out of reach, has the place 0.
    lists: Unsigned

    def find(self, latitudes: Floats, longitudes: Floats) -> tuple[Integers, Integers]:
        """For each location in the country, where its candidates begin in `lists`, and how many they are."""
        finest = 1 << DEEPEST
        # What lies exactly on the northern or eastern border belongs to the last cell.
        rows = np.minimum(((latitudes - SOUTH) * (finest / _HEIGHT)).astype(np.int64), ROWS * finest - 1)
        columns = np.minimum(((longitudes - WEST) * (finest / _WIDTH)).astype(np.int64), COLUMNS * finest - 1)
        tops = self.tops[(rows >> DEEPEST) * COLUMNS + (columns >> DEEPEST)].astype(np.int64)
        levels = tops & ((1 << _LEVEL_BITS) - 1)
        shifts = DEEPEST - levels
        inside = (((rows & (finest - 1)) >> shifts) << levels) + ((columns & (finest - 1)) >> shifts)
        starts = self.cells[(tops >> _LEVEL_BITS) + inside]
        return starts.astype(np.int64) + 1, self.lists[starts].astype(np.int64)


def grid_of(all_cells: Iterable[Cells]) -> Grid:
    """The grid of these cells, of which none lies in another."""
    kept = list(all_cells)
    levels = np.zeros(ROWS * COLUMNS, np.int64)
    for cells in kept:
        np.maximum.at(levels, _tops(cells), cells.level)
    sizes = 4**levels
    offsets = np.cumsum(sizes) - sizes
    starts = np.zeros(sizes.sum(), np.uint32)
    lists = [np.array([1, 0], np.uint32)]
    end = 2
    for cells in kept:
        lists.append(_with_counts(cells))
        begins = np.cumsum(cells.counts + 1) - (cells.counts + 1) + end
        end += len(lists[-1])
        tops = _tops(cells)
        for level in np.unique(levels[tops]).tolist():
            some = levels[tops] == level
            side = 1 << (level - cells.level)  # as many small cells, both ways, are in each of these
            mask = (1 << cells.level) - 1
            rows, columns = (cells.rows[some] & mask) * side, (cells.columns[some] & mask) * side
            corners = offsets[tops[some]] + (rows << level) + columns
            square = ((np.arange(side) << level)[:, None] + np.arange(side)).ravel()
            starts[corners[:, None] + square] = begins[some, None]
    return Grid((offsets << _LEVEL_BITS | levels).astype(np.uint32), starts, np.concatenate(lists))


def _tops(cells: Cells) -> Integers:
    """The numbers of the cells of the top level in which these are."""
    tops: Integers = (cells.rows >> cells.level) * COLUMNS + (cells.columns >> cells.level)
    return tops


def _with_counts(cells: Cells) -> Unsigned:
    """Their lists, each behind its length."""
    places = np.insert(cells.numbers, np.cumsum(cells.counts) - cells.counts, cells.counts)
    return places.astype(np.uint32)
