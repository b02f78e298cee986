"""The third way to a page of rows: through the cells that a box or a circle touches, until the page is full."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from uploads.models import (
    LocationCell,
)
from uploads.row_ids import MAX_ROWS, ROW_BITS, row_id
from uploads.rows.by_place import Box, Ids, ids_within, touched_cells
from uploads.rows.scope import LAST_ID, MOST_IDS, RowScope, cut
from uploads.rows.spans import Span, Spans, within
from uploads.rows.walking import Walking

#: A box that touches more cells than this is a large one: it may well fill a page from the next rows.
_FEW_CELLS = 64
#: In the cells of a circle of 100 km are fewer. Larger boxes, and where there are more lists, are walked through.
_MOST_CELLS, _MOST_LISTS = 1_000, 10_000
#: Lists that are read at once: at first, and at most.
_FEW_LISTS, _MANY_LISTS = 64, 1_024


@dataclass(frozen=True)
class Searching:
    """Some of the rows that were loaded together after the other (`rows.by_place`)."""

    scope: RowScope

    def page(self, box: Box, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The page of rows in a box."""
        found: list[dict[str, Any]] = []
        cells, spans = touched_cells(box), self.scope.spans(reach)
        if len(cells) > _FEW_CELLS and spans:
            next_rows, reach = cut((spans[0][0], spans[-1][1]), backwards)
            found = self.scope.read_all(next_rows, limit, backwards)
            spans = within(reach, spans) if len(found) < limit else []
        if not spans:
            return found
        lists = _Lists.find(cells, spans) if len(cells) <= _MOST_CELLS else None
        if lists is None:
            return found + Walking(self.scope).page(reach, limit - len(found), backwards)
        enough = min(limit * 3 // 2, MOST_IDS)  # a circle fills 79 % of its box
        for ids in lists.ids_within(box, enough, backwards):
            found += self.scope.pick(ids, enough, limit - len(found), backwards)
            if len(found) >= limit:
                break
        return found


@dataclass(frozen=True)
class _Lists:
    """The lists of rows in some cells: of each step of loading some, by the first id of its rows."""

    spans: Spans
    cells: list[int]
    #: Each step's first id, its lists, and whether it may have rows in the spans.
    steps: list[tuple[int, int, bool]]

    @classmethod
    def find(cls, cells: list[int], spans: list[Span]) -> "_Lists | None":
        """Those that may have rows in these spans; None when they are too many."""
        # The step that the first span begins in may have begun anywhere in its upload.
        reach = row_id(spans[0][0] >> ROW_BITS, 0), spans[-1][1]
        # In the order of the index, so that no database thinks of another way.
        lists = LocationCell.objects.filter(cell__in=cells, first_id__range=reach).order_by("cell", "first_id")
        numbers = chain.from_iterable(lists.values_list("cell", "first_id")[: _MOST_LISTS + 1])
        found = np.fromiter(numbers, np.int64).reshape(-1, 2)
        if len(found) > _MOST_LISTS:
            return None
        firsts, counts = np.unique(found[:, 1], return_counts=True)
        # A step ends in its upload, and before the next one begins.
        lasts = np.minimum(firsts | MAX_ROWS, np.append(firsts[1:], LAST_ID) - 1)
        both = Spans(spans)
        columns = firsts.tolist(), counts.tolist(), both.meet(firsts, lasts).tolist()
        return cls(both, np.unique(found[:, 0]).tolist(), list(zip(*columns, strict=True)))

    def ids_within(self, box: Box, enough: int, backwards: bool) -> Iterator[Ids]:
        """The ids of the rows in the box, and of a few beside it, the nearest first, that many or more at once."""
        found: list[Ids] = []
        for part in self._parts(backwards):
            ids = self._ids_of(part, box)
            found.append(ids[::-1] if backwards else ids)
            if sum(map(len, found)) >= enough:
                yield np.concatenate(found)
                found = []
        if found:
            yield np.concatenate(found)

    def _parts(self, backwards: bool) -> Iterator[Span]:
        """Runs of steps to be read together, the nearest first: few at the beginning, as they may fill the page."""
        firsts: list[int] = []
        count, enough = 0, _FEW_LISTS
        for first, lists, is_wanted in reversed(self.steps) if backwards else self.steps:
            if is_wanted:
                firsts.append(first)
            if firsts:  # what lies between those that are wanted is read with them
                count += lists
            if count >= enough:
                yield min(firsts), max(firsts)
                firsts, count, enough = [], 0, min(4 * enough, _MANY_LISTS)
        if firsts:
            yield min(firsts), max(firsts)

    def _ids_of(self, part: Span, box: Box) -> Ids:
        lists = LocationCell.objects.filter(cell__in=self.cells, first_id__range=part).order_by("cell", "first_id")
        ids = ids_within(box, lists.values_list("first_id", "cell", "entries"))
        return ids[self.spans.meet(ids, ids)]
