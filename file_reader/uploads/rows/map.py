"""The map of an upload: in which cells how many rows lie, and what became of them, also while the work goes on."""

import math
from typing import NamedTuple

import numpy as np

from uploads.errors import ParameterError
from uploads.models import RowStatus
from uploads.rows.bulk.questions import Questions, question
from uploads.rows.cells import (
    LARGEST,
    MOST_CELLS,
    NOWHERE,
    PER_DEGREE,
    UNCHANGED,
    Numbers,
    Statuses,
    Window,
    count_rows,
    merged,
)
from uploads.rows.filters import Box, Filters

#: Rows whose cells are read at once.
_ROWS_AT_ONCE = 1 << 20
_WORLD = Box(-90.0, 90.0, -180.0, 180.0)
#: In the order of the interface.
_COLUMNS = RowStatus.MATCH, RowStatus.NO_MATCH, RowStatus.FAILED, RowStatus.REJECTED, RowStatus.PENDING


class UploadMap(NamedTuple):
    """`cells` are column, row, and the rows by status; `outside` are the rows that are in none of them. Degrees."""

    size: float
    cells: list[list[int]]
    outside: int


def map_of(upload_id: int, size: int, filters: Filters) -> UploadMap:
    """The map of an upload in cells of `size` smallest ones. If there were too many, in cells twice as wide, or four
    times … Of the filters, `status` and `box` count: all of a cell that touches the box.

    Raises RowQueryTimeoutError.
    """
    window = _window(filters.box, size) if filters.box else None
    with question() as ask:
        statuses = _statuses(ask, upload_id)
        pairs, rows = _counts(ask, upload_id, statuses, filters.status, size, window)
    asked = len(statuses) if filters.status is None else int((statuses == filters.status).sum())
    factor = 1
    while len(cells := merged(pairs, rows, factor)) > MOST_CELLS:
        factor *= 2
    columns = [0, 1, *(2 + status for status in _COLUMNS)]
    return UploadMap(size * factor / PER_DEGREE, cells[:, columns].tolist(), asked - int(rows.sum()))


def parse_size(text: str) -> int:
    """How many smallest cells a cell of that size in degrees is wide. Raises ParameterError."""
    try:
        size = float(text) * PER_DEGREE if text.isascii() and "_" not in text else math.nan
    except ValueError:
        size = math.nan
    if not (0.5 < size <= LARGEST) or abs(size - round(size)) > 1e-6:
        raise ParameterError("size", f"Accepted: degrees, from {1 / PER_DEGREE} to 90, in steps of {1 / PER_DEGREE}.")
    return round(size)


def _window(box: Box, size: int) -> Window:
    """The cells of that size that touch a box, as far as it is of this world."""
    south, north, west, east = (math.floor(degrees * PER_DEGREE) // size for degrees in box.within(_WORLD))
    return west, south, east, north


def _statuses(ask: Questions, upload_id: int) -> Statuses:
    """Of each row, what became of it."""
    statuses = np.full(ask.rows_loaded(upload_id), RowStatus.PENDING.value, np.uint8)
    for first_row, body in ask.map_statuses(upload_id):
        said = np.frombuffer(body, np.uint8)
        part = statuses[first_row - 1 : first_row - 1 + len(said)]
        np.copyto(part, said, where=said != UNCHANGED)
    return statuses


def _counts(
    ask: Questions, upload_id: int, statuses: Statuses, only: int | None, size: int, window: Window | None
) -> tuple[Numbers, Numbers]:
    """What `count_rows` finds in all parts. A rejected row is in no cell: `statuses` has it then."""
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for first in range(1, len(statuses) + 1, _ROWS_AT_ONCE):
        parts = [
            (np.frombuffer(body, "<u4"), statuses[first_row - 1 : first_row - 1 + len(body) // 4])
            for first_row, body in ask.map_cells(upload_id, first, first + _ROWS_AT_ONCE - 1)
        ]
        for cells, of_cells in parts:
            of_cells[cells == NOWHERE] = RowStatus.REJECTED
        if parts:
            cells, of_cells = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            if only is not None:
                cells, of_cells = cells[of_cells == only], of_cells[of_cells == only]
            found.append(count_rows(cells, of_cells, size, window))
    pairs, rows = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return pairs, rows
