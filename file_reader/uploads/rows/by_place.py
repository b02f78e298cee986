"""Where rows are: the cells of a grid, and short lists of the rows in each, of which a box finds its own.

The grid lies over the British Isles; a location outside it counts as one at its edge. A location becomes two whole
numbers, and so do the corners of a box, by the same arithmetic, which never turns an order round: whatever lies in the
box lies between the corners' numbers, also at edges and poles. What lies there may still be up to a quantum (0.2 m)
outside, or, beyond the grid, anywhere: the condition itself is for the database.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

#: The grid in degrees, and its cells: about 11 km by 10 km, in which 80,000 rows of the whole country make 2,000 lists.
_SOUTH, _WEST = 48.0, -12.0
_HEIGHT, _WIDTH = 0.1, 0.15
_CELLS_NORTHWARDS, _CELLS_EASTWARDS = 140, 107
#: Quanta in a cell, along each side.
_BITS = 16
_QUANTA = 1 << _BITS
_MOST_NORTHWARDS, _MOST_EASTWARDS = (_CELLS_NORTHWARDS << _BITS) - 1, (_CELLS_EASTWARDS << _BITS) - 1
#: One row of a list: how far its id is from the list's first id, and its place in the cell in quanta.
_ENTRY = np.dtype([("offset", "<u4"), ("y", "<u2"), ("x", "<u2")])

#: The list of a cell as it is stored: first id, cell, entries.
CellEntries = tuple[int, int, bytes]
#: Ids in ascending order.
Ids = npt.NDArray[np.int64]


class Box(NamedTuple):
    """Degrees; its edges belong to it."""

    south: float
    north: float
    west: float
    east: float

    def within(self, other: "Box") -> "Box":
        """What both have in common."""
        return Box(
            max(self.south, other.south),
            min(self.north, other.north),
            max(self.west, other.west),
            min(self.east, other.east),
        )


def entries_by_cell(located: Sequence[tuple[int, int, float, float]]) -> list[CellEntries]:
    """The lists of some rows of one upload (id, upload, latitude, longitude), by the id of the first of them."""
    first_id = located[0][0]
    ids = np.fromiter(map(itemgetter(0), located), np.int64, len(located))
    latitudes, longitudes = (np.fromiter(map(itemgetter(place), located), float, len(located)) for place in (2, 3))
    y = _quanta(latitudes, _SOUTH, _HEIGHT, _MOST_NORTHWARDS)
    x = _quanta(longitudes, _WEST, _WIDTH, _MOST_EASTWARDS)
    # 16 bits and stable: sorted by radix, and within a cell still in the order of the ids.
    cells = ((y >> _BITS) * _CELLS_EASTWARDS + (x >> _BITS)).astype(np.uint16)
    order = np.argsort(cells, kind="stable")
    cells = cells[order]
    entries = np.empty(len(located), _ENTRY)
    entries["offset"], entries["y"], entries["x"] = (ids - first_id)[order], y[order], x[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    together = entries.tobytes()
    edges = [*(starts * _ENTRY.itemsize).tolist(), len(together)]
    return [
        (first_id, cell, together[start:end])
        for cell, start, end in zip(cells[starts].tolist(), edges, edges[1:], strict=False)
    ]


def _quanta(degrees: Any, origin: float, size: float, most: int) -> npt.NDArray[np.uint32]:
    quanta: npt.NDArray[np.uint32] = np.clip((degrees - origin) * (_QUANTA / size), 0, most).astype(np.uint32)
    return quanta


def _quanta_of(box: Box) -> tuple[int, int, int, int]:
    with np.errstate(over="ignore"):  # a box may reach far beyond the world
        y = _quanta(np.array(box[:2]), _SOUTH, _HEIGHT, _MOST_NORTHWARDS)
        x = _quanta(np.array(box[2:]), _WEST, _WIDTH, _MOST_EASTWARDS)
    return int(y[0]), int(y[1]), int(x[0]), int(x[1])


def touched_cells(box: Box) -> list[int]:
    """The cells that the box touches."""
    south, north, west, east = (quanta >> _BITS for quanta in _quanta_of(box))
    return [y * _CELLS_EASTWARDS + x for y in range(south, north + 1) for x in range(west, east + 1)]


def ids_within(box: Box, lists: Iterable[tuple[int, int, bytes | memoryview]]) -> Ids:
    """The ids of all rows in the box, and of a few beside it, out of the lists of the cells that it touches."""
    found = list(lists)
    if not found:
        return np.empty(0, np.int64)
    firsts, cells, texts = zip(*found, strict=True)
    entries = np.frombuffer(b"".join(texts), _ENTRY)
    lengths = [len(text) // _ENTRY.itemsize for text in texts]
    rows, columns = np.divmod(np.array(cells, np.int32), _CELLS_EASTWARDS)
    south, north, west, east = _quanta_of(box)
    inside = np.ones(len(entries), bool)
    for name, sides, least, most in (("y", rows, south, north), ("x", columns, west, east)):
        # The box's sides as seen from each cell, in its own quanta.
        lowest = np.clip(least - (sides << _BITS), 0, _QUANTA - 1).astype(np.uint16)
        highest = np.clip(most - (sides << _BITS), 0, _QUANTA - 1).astype(np.uint16)
        inside &= (entries[name] >= np.repeat(lowest, lengths)) & (entries[name] <= np.repeat(highest, lengths))
    chosen = np.flatnonzero(inside)
    ids = np.array(firsts, np.int64)[np.searchsorted(np.cumsum(lengths), chosen, "right")]
    return np.sort(ids + entries["offset"][chosen])
