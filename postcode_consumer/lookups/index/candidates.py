"""Which places can be the nearest one somewhere in a cell: a short list of them for each, instead of a search.

Cells are halved both ways until their lists are short. A list is narrowed by what holds for all of its cell, and so it
never loses a place that is the nearest one, or as good as that, to any location in the cell:

- Every location has a place within the distance from the cell's centre to its nearest place, and from the centre to
  the location: a place that is farther away than that from all of the cell is not the nearest one.
- The locations to which one place is nearer than another are a half-space. When all four corners of a cell are in it,
  the whole cell is, but for its curvature, for which there is a slack.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lookups.index.ellipsoid import Floats, earth_centred
from lookups.index.grid import COLUMNS, DEEPEST, ROWS, Cells, Integers, corner_of

#: Metres; how far one can look.
REACH = 20_000.0
#: Lists are not made shorter than this many places. Shorter ones cost more cells, and a search takes as long.
SHORT = 12
#: Degrees; no less than `REACH` wherever the country is.
_REACH_NORTHWARDS, _REACH_EASTWARDS = 0.2, 0.4
#: Metres; places whose chords differ by less are both kept: `search` measures those within a millimetre.
_NEARLY_EQUAL = 2e-3
#: Metres; of the curves along a meridian and along a parallel, here and on any ellipsoid like ours, at most.
_RADIUS = 6.42e6
#: Rows of cells, cells, and places in the lists of cells, that are looked at together: little memory, few calls.
_ROWS_AT_ONCE = 20
_CELLS_AT_ONCE = 500
_ENTRIES_AT_ONCE = 100_000
#: Lists of more places than this are first halved, unless they are all outside of their cell.
_LONG = 128


def cells_with_candidates(latitudes: Floats, longitudes: Floats) -> Iterator[Cells]:
    """All cells that have a place within `REACH`, each once and none in another; lists have at least one place.

    The places are in degrees. Only in the smallest cells there are, a list may be longer than `SHORT`.
    """
    axes = np.ascontiguousarray(earth_centred(latitudes, longitudes).T)
    parts = list(_topmost(latitudes, longitudes, axes))
    while parts:
        cells = _joined(parts)
        is_done = (cells.counts <= SHORT) | (cells.level == DEEPEST)
        yield cells.only(is_done)
        parts = list(_halved(cells.only(~is_done), axes))


def _joined(parts: Sequence[Cells]) -> Cells:
    """All of one level."""
    columns = ([getattr(part, name) for part in parts] for name in ("rows", "columns", "counts", "numbers"))
    return Cells(parts[0].level, *map(np.concatenate, columns))


def _topmost(latitudes: Floats, longitudes: Floats, axes: Floats) -> Iterator[Cells]:
    """The cells of the top level, from a tree."""
    tree = cKDTree(axes.T)
    rows = _near(latitudes, corner_of(0, np.arange(ROWS + 1), 0)[0], _REACH_NORTHWARDS)
    columns = _near(longitudes, corner_of(0, 0, np.arange(COLUMNS + 1))[1], _REACH_EASTWARDS)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        shape = _Shape(0, *map(np.ravel, np.meshgrid(rows[first : first + _ROWS_AT_ONCE], columns, indexing="ij")))
        bound = REACH + 2 * shape.radii.max(initial=0)
        nearest = tree.query(shape.centres, distance_upper_bound=bound)[0]
        found = np.flatnonzero(np.isfinite(nearest))
        for begin in range(0, len(found), _CELLS_AT_ONCE):
            some = found[begin : begin + _CELLS_AT_ONCE]
            reach = nearest[some] + 2 * shape.radii[some] + _NEARLY_EQUAL
            lists = tree.query_ball_point(shape.centres[some], reach, return_sorted=False)
            counts = np.fromiter(map(len, lists), np.int64, len(lists))
            numbers = np.fromiter(chain.from_iterable(lists), np.int32, counts.sum())
            yield _narrowed(Cells(0, shape.rows[some], shape.columns[some], counts, numbers), axes)


def _near(coordinates: Floats, borders: Floats, reach: float) -> Integers:
    """The rows, or columns, that have any place so near, by this coordinate alone: few of them, if there are few."""
    ordered = np.sort(coordinates)
    return np.flatnonzero(
        np.searchsorted(ordered, borders[:-1] - reach) < np.searchsorted(ordered, borders[1:] + reach, "right")
    )


def _halved(cells: Cells, axes: Floats) -> Iterator[Cells]:
    """The quarters of the cells."""
    ends = np.cumsum(cells.counts)
    first = 0
    while first < len(ends):
        begin = ends[first] - cells.counts[first]
        last = max(first + 1, int(np.searchsorted(ends, begin + _ENTRIES_AT_ONCE)))
        some, numbers = slice(first, last), cells.numbers[begin : ends[last - 1]]
        for south, west in np.ndindex(2, 2):
            rows, columns = 2 * cells.rows[some] + south, 2 * cells.columns[some] + west
            yield _narrowed(Cells(cells.level + 1, rows, columns, cells.counts[some], numbers), axes)
        first = last


class _Shape:
    """Where cells are."""

    def __init__(self, level: int, rows: Integers, columns: Integers) -> None:
        self.rows, self.columns = rows, columns
        self.centres = earth_centred(*corner_of(level, rows + 0.5, columns + 0.5))
        self.corners = [earth_centred(*corner_of(level, rows + n, columns + e)) - self.centres for n, e in _CORNERS]
        # No location of a cell is farther away from the flat patch between its corners. That is the error of linear
        # interpolation on a curve, both ways.
        sides = np.radians(np.subtract(corner_of(level, 1.0, 1.0), corner_of(level, 0.0, 0.0)))
        self.bulge = float((sides**2).sum()) / 8 * _RADIUS
        self.radii = np.sqrt(np.max([(corner**2).sum(axis=1) for corner in self.corners], axis=0)) + self.bulge


_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def _narrowed(cells: Cells, axes: Floats) -> Cells:
    """Without what cannot be the nearest place, and without the cells that are farther than `REACH` from all places."""
    shape = _Shape(cells.level, cells.rows, cells.columns)
    which = np.repeat(np.arange(len(cells.counts)), cells.counts)
    offsets = [axis[cells.numbers] - centre[which] for axis, centre in zip(axes, shape.centres.T, strict=True)]
    squares = _sum_of_products(offsets, offsets)
    nearest = np.sqrt(np.minimum.reduceat(squares, _firsts(cells.counts)))
    reach = np.where(nearest <= REACH + shape.radii + _NEARLY_EQUAL, nearest + 2 * shape.radii + _NEARLY_EQUAL, 0)
    kept = np.flatnonzero(squares <= (reach**2)[which])
    which = which[kept]
    counts = np.bincount(which, minlength=len(reach))
    # Where a list is long and places are all over the cell, it is too early.
    promising = (counts <= _LONG) | (nearest > shape.radii)
    chosen = np.flatnonzero(promising[which])
    if len(chosen):
        offsets = [offset[kept[chosen]] for offset in offsets]
        slack = (2 * shape.bulge + _NEARLY_EQUAL) * (reach + 2 * shape.radii)[which[chosen]]
        slack += (2 * shape.bulge + _NEARLY_EQUAL) * np.sqrt(squares[kept[chosen]])
        is_beaten = np.zeros(len(kept), bool)
        is_beaten[chosen] = _are_beaten(which[chosen], offsets, squares[kept[chosen]], shape.corners, slack)
        kept, which = kept[~is_beaten], which[~is_beaten]
        counts = np.bincount(which, minlength=len(reach))
    found = counts > 0
    return Cells(cells.level, cells.rows[found], cells.columns[found], counts[found], cells.numbers[kept])


def _are_beaten(
    which: Integers, offsets: Sequence[Floats], squares: Floats, corners: Sequence[Floats], slack: Floats
) -> NDArray[np.bool_]:
    """Whether some other candidate is nearer, all over the cell.

    `which` cell an entry belongs to, in order; `offsets` from its centre (x, y, z), and their `squares`; `slack`: by
    how much the squares of distances from the corners must differ.
    """
    is_first = np.diff(which, prepend=-1) != 0
    firsts = np.flatnonzero(is_first)
    dense = np.cumsum(is_first) - 1  # `which`, without the cells that have no entry here
    # The squares of the distances from each corner, less what is the same for all candidates of a cell.
    from_corners = [squares - _sum_of_products(offsets, [axis[which] for axis in (2 * corner).T]) for corner in corners]
    beaten = np.zeros(len(which), bool)
    for distances in (squares, *from_corners):
        nearest = np.flatnonzero(distances == np.minimum.reduceat(distances, firsts)[dense])
        rival = np.empty(len(firsts), np.intp)
        rival[dense[nearest]] = nearest
        is_farther = np.ones(len(which), bool)
        for from_corner in from_corners:
            is_farther &= from_corner - from_corner[rival][dense] >= slack
        beaten |= is_farther
    return beaten


def _sum_of_products(left: Sequence[Floats], right: Sequence[Floats]) -> Floats:
    total: Floats = left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
    return total


def _firsts(counts: Integers) -> Integers:
    return np.cumsum(counts) - counts
