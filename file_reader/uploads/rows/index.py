"""The row index of an upload that has ended: which entries a row has, and how rows are looked up in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from uploads.models import AREA_BITS, IndexKind, RowStatus
from uploads.row_ids import row_id
from uploads.rows.blocks import ENTRIES, Block, keys_of, pack, rows_between
from uploads.rows.bulk.index import RowColumns
from uploads.rows.bulk.questions import KnownUpload, Questions, Segment, Span
from uploads.rows.filters import Filters, Lead
from uploads.rows.keys import cell_keys, in_box, postcode_keys, reason_keys

#: Rows that are looked at by their ids at once, at most.
_MOST_IDS = 900
#: Blocks that are read at once, at first and at most, unless one segment has more: some 10 kB each.
_FEW_BLOCKS, _MANY_BLOCKS = 16, 256
#: A lead with so many times the blocks of the best is none.
_POOR = 8

Ids = npt.NDArray[np.int64]


def segment_blocks(columns: RowColumns, first_row: int) -> Iterator[tuple[IndexKind, Block]]:
    """The blocks of rows that follow each other. Most rows are matches: these have no entry by their status."""
    numbers = np.arange(first_row, first_row + len(columns.statuses), dtype=np.uint32)
    postcodes = postcode_keys(columns.postcodes)
    located = ~np.isnan(columns.latitudes)
    for kind, having, keys in (
        (IndexKind.STATUS, columns.statuses != RowStatus.MATCH, columns.statuses),
        (IndexKind.REASON, columns.reasons != b"", reason_keys(columns.reasons)),
        (IndexKind.AREA, columns.areas >= 0, columns.areas >> AREA_BITS),
        (IndexKind.POSTCODE, postcodes != 0, postcodes),
        (IndexKind.CELL, located, cell_keys(*np.where(located, [columns.latitudes, columns.longitudes], 0.0))),
    ):
        for block in pack(keys[having], numbers[having]):
            yield kind, block


@dataclass(frozen=True)
class _Plan:
    """How rows are looked up: the leads, the best one first, and the segments that all of them lead to."""

    leads: list[Lead]
    #: Those to be read together, and whether most rows there are sought: then they are walked through.
    batches: list[tuple[list[Segment], bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Lookup:
    """Looks up the rows of uploads that have their index, within the reach and in one direction."""

    ask: Questions
    filters: Filters
    reach: Span
    backwards: bool = False

    def rows(self, uploads: list[KnownUpload], limit: int) -> list[tuple[Any, ...]]:
        """The first rows that are asked for, `limit` at most."""
        found: list[tuple[Any, ...]] = []
        plan = self._plan(uploads)
        for batch, is_dense in plan.batches:
            wanted = limit - len(found)
            found += self._walk_through(batch[0], wanted) if is_dense else self._look_up(plan.leads, batch, wanted)
            if len(found) >= limit:
                break
        return found

    def count(self, uploads: list[KnownUpload]) -> int:
        """The number of all rows that are asked for, where one key says it all."""
        plan = self._plan(uploads)
        return sum(len(self._ids(plan.leads[0], batch)) for batch, _ in plan.batches)

    # --- planning --------------------------------------------------------------------------------------------------
    def _plan(self, uploads: list[KnownUpload]) -> _Plan:
        leads = self.filters.leads
        rows_of = dict(segment for upload in uploads for segment in self._segments(upload))
        if not rows_of:
            return _Plan(leads)
        blocks: list[dict[Segment, int]] = [{} for _ in leads]
        for number, upload_id, first_row, count in self.ask.touched(leads, rows_of):
            blocks[number][upload_id, first_row] = count
        segments = [segment for segment in rows_of if all(segment in of_lead for of_lead in blocks)]
        totals = [sum(of_lead[segment] for segment in segments) for of_lead in blocks]
        best, *others = sorted(range(len(leads)), key=lambda number: totals[number])
        used = [best, *(number for number in others if totals[number] <= _POOR * totals[best])]
        # Of cells, a block may have only those beside a box. Of another kind, all but two of the blocks are filled.
        may_be_dense = len(leads) == 1 and leads[best].kind != IndexKind.CELL
        plan = _Plan([leads[number] for number in used])
        room, most = 0, _FEW_BLOCKS
        for segment in segments:
            count = blocks[best][segment]
            if may_be_dense and 2 * (count - 2) * ENTRIES > rows_of[segment]:
                plan.batches.append(([segment], True))
                room = 0
                continue
            if room <= 0:  # each time more than before: a page may be full after the first
                plan.batches.append(([], False))
                room, most = most, min(4 * most, _MANY_BLOCKS)
            plan.batches[-1][0].append(segment)
            room -= count
        return plan

    def _segments(self, upload: KnownUpload) -> list[tuple[Segment, int]]:
        """Each with the number of its rows, in the direction of reading."""
        size, found = settings.INDEX_SEGMENT_ROWS, []
        for first in range(1, upload.rows_loaded + 1, size):
            rows = min(size, upload.rows_loaded + 1 - first)
            if row_id(upload.id, first) <= self.reach[1] and row_id(upload.id, first + rows - 1) >= self.reach[0]:
                found.append(((upload.id, first), rows))
        return found[::-1] if self.backwards else found

    # --- finding ---------------------------------------------------------------------------------------------------
    def _walk_through(self, segment: Segment, limit: int) -> list[tuple[Any, ...]]:
        first = row_id(*segment)
        span = max(first, self.reach[0]), min(first + settings.INDEX_SEGMENT_ROWS - 1, self.reach[1])
        return self.ask.rows_in(self.filters, [span], limit, backwards=self.backwards)

    def _look_up(self, leads: list[Lead], batch: list[Segment], limit: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        ids, further = self._ids(leads[0], batch), leads[1:]
        size = min(limit * 3 // 2, _MOST_IDS)  # a circle fills 79 % of its box
        while len(ids) and len(found) < limit:
            found += self.ask.rows_of(self.filters, ids[:size].tolist(), limit - len(found), backwards=self.backwards)
            ids, size = ids[size:], _MOST_IDS
            if len(ids) > size and len(found) < limit and further:
                # So few of these rows were wanted that it is better to know which ones another lead has, too.
                ids = ids[np.isin(ids, self._ids(further[0], batch), assume_unique=True)]
                further = further[1:]
        return found

    def _ids(self, lead: Lead, batch: list[Segment]) -> Ids:
        """The rows that a lead leads to, in the direction of reading."""
        blocks, sought = self.ask.blocks(lead, batch), (lead.first_key, lead.last_key)
        if lead.kind == IndexKind.CELL:
            parts = [rows for _, _, rows, _ in blocks]
            keys = np.concatenate([keys_of(first, rows, keys) for _, first, rows, keys in blocks])
            wanted = in_box(keys, *sought)
        else:
            parts = [rows_between(first, rows, keys, *sought) for _, first, rows, keys in blocks]
            wanted = np.ones(sum(map(len, parts)) // 4, bool)
        firsts = np.array([row_id(upload, 0) for upload, *_ in blocks], np.int64)
        ids = np.repeat(firsts, [len(part) // 4 for part in parts]) + np.frombuffer(b"".join(parts), "<u4")
        wanted &= (ids >= self.reach[0]) & (ids <= self.reach[1])
        found = np.sort(ids[wanted])
        return found[::-1] if self.backwards else found
