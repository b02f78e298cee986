"""The row index of an upload that has ended: which entries a row has, and how rows are looked up in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from uploads.models import AREA_BITS, IndexKind, RowStatus
from uploads.row_ids import ROW_BITS, row_number
from uploads.rows.blocks import Block, pack, unpack
from uploads.rows.bulk.index import RowColumns
from uploads.rows.bulk.questions import KnownUpload, Questions, Segment, Span
from uploads.rows.filters import Filters, Lead
from uploads.rows.keys import cell_keys, in_columns, postcode_keys

#: Rows that are looked at by their ids at once, at most.
_MOST_IDS = 900
#: Blocks that are read at once, at first: those of many segments when few are touched in each, or of one.
_FEW_BLOCKS = 16
#: A lead with so many times the blocks of the best is none.
_POOR = 16

Ids = npt.NDArray[np.int64]


def segment_blocks(columns: RowColumns, first_row: int) -> Iterator[tuple[IndexKind, Block]]:
    """The blocks of rows that follow each other. Most rows are matches: these have no entry by their status."""
    numbers = np.arange(first_row, first_row + len(columns.statuses), dtype=np.uint32)
    postcodes = postcode_keys(columns.postcodes)
    located = ~np.isnan(columns.latitudes)
    for kind, having, keys in (
        (IndexKind.STATUS, columns.statuses != RowStatus.MATCH, columns.statuses),
        (IndexKind.AREA, columns.areas >= 0, columns.areas >> AREA_BITS),
        (IndexKind.POSTCODE, postcodes != 0, postcodes),
        (IndexKind.CELL, located, cell_keys(*np.where(located, [columns.latitudes, columns.longitudes], 0.0))),
    ):
        for block in pack(keys[having], numbers[having]):
            yield kind, block


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
        leads, batches = self._plan(uploads)
        for batch in batches:
            found += self._rows_in(batch, leads, limit - len(found))
            if len(found) >= limit:
                break
        return found

    def count(self, uploads: list[KnownUpload]) -> int:
        """The number of all rows that are asked for, where one key says it all."""
        (lead, *_), batches = self._plan(uploads)
        return sum(len(self._ids(lead, batch)) for batch in batches)

    def _plan(self, uploads: list[KnownUpload]) -> tuple[list[Lead], list[list[Segment]]]:
        """The leads, the best one first, and the segments that all of them lead to, those to be read together."""
        leads = self.filters.leads
        segments = [segment for upload in uploads for segment in self._segments(upload)]
        blocks: list[dict[Segment, int]] = [{} for _ in leads]
        for number, upload, segment, count in self.ask.touched(leads, segments):
            blocks[number][upload, segment] = count
        wanted = [segment for segment in segments if all(segment in of_lead for of_lead in blocks)]
        totals = [sum(of_lead[segment] for segment in wanted) for of_lead in blocks]
        order = sorted(range(len(leads)), key=lambda number: totals[number])
        best = blocks[order[0]]
        used = [leads[number] for number in order if totals[number] <= _POOR * totals[order[0]]]
        return used, _batches(wanted, [best[segment] for segment in wanted])

    def _segments(self, upload: KnownUpload) -> list[Segment]:
        size = settings.INDEX_SEGMENT_ROWS
        first, last = 1, upload.rows_loaded
        if self.reach[0] >> ROW_BITS == upload.id:
            first = max(first, row_number(self.reach[0]))
        if self.reach[1] >> ROW_BITS == upload.id:
            last = min(last, row_number(self.reach[1]))
        found = [(upload.id, 1 + size * number) for number in range((first - 1) // size, (last - 1) // size + 1)]
        return found[::-1] if self.backwards else found

    def _rows_in(self, batch: list[Segment], leads: list[Lead], limit: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        ids, further = self._ids(leads[0], batch), leads[1:]
        size = min(limit * 3 // 2, _MOST_IDS)  # a circle fills 79 % of its box
        while len(ids) and len(found) < limit:
            found += self.ask.rows_of(
                self.filters, ids[:size].tolist(), limit - len(found), backwards=self.backwards
            )
            ids, size = ids[size:], _MOST_IDS
            if len(ids) > size and len(found) < limit and further:
                # So few of these rows were wanted that it is better to know which ones another lead has, too.
                ids = ids[np.isin(ids, self._ids(further[0], batch), assume_unique=True)]
                further = further[1:]
        return found

    def _ids(self, lead: Lead, batch: list[Segment]) -> Ids:
        """The rows that a lead leads to, in the direction of reading."""
        ids, keys = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for upload, first_key, block_rows, block_keys in self.ask.blocks(lead, batch):
            numbers, found = unpack(first_key, block_rows, block_keys, lead.first_key, lead.last_key)
            ids.append(numbers.astype(np.int64) | upload << ROW_BITS)
            keys.append(found)
        every = np.concatenate(ids)
        wanted = (every >= self.reach[0]) & (every <= self.reach[1])
        if lead.kind == IndexKind.CELL:
            wanted &= in_columns(np.concatenate(keys), lead.first_key, lead.last_key)
        found_ids = np.sort(every[wanted])
        return found_ids[::-1] if self.backwards else found_ids


def _batches(segments: list[Segment], blocks: list[int]) -> list[list[Segment]]:
    """Runs of segments, each with more blocks than the one before: a page may be full after the first."""
    batches: list[list[Segment]] = []
    room, most = 0, _FEW_BLOCKS
    for segment, count in zip(segments, blocks, strict=True):
        if room <= 0:
            batches.append([])
            room, most = most, 4 * most
        batches[-1].append(segment)
        room -= count
    return batches
