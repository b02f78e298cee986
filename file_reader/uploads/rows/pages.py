"""Pages of rows: those that a caller may see and asks for, in the order of their ids, beginning anywhere.

Nothing is counted and nothing is skipped: a page costs what the first one costs. There are three ways to its rows.

- **Walking** along the primary key until the page is full: for what many rows have. Of a status that few rows have, the
  index of those rows is walked along, from hit to hit; and rows are pending only in chunks that are open.
- **Gathering** the rows of some postcodes from the lists of their postcode areas (`uploads.rows.by_postcode`): their ids
  are all known then, and the page is cut out of them.
- **Searching** the cells that a box or a circle touches (`uploads.rows.by_place`): some of the rows that were loaded together
  after the other, until the page is full.

Which way it is follows from the question and from bounded looks at the data, not from the statistics of the database:
after a large upload it has none yet, and of the ways a wrong one takes a thousand times as long.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import chain, pairwise
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Q, QuerySet

from uploads.models import OPEN_CHUNK_STATES, Chunk, LocationCell, PostcodeList, Row, RowStatus, Upload, has_rare_status
from uploads.row_ids import MAX_ROWS, ROW_BITS, ids_of_upload, row_id
from uploads.rows.by_place import Box, Ids, ids_within, touched_cells
from uploads.rows.filters import ROW_FIELDS, Filters

#: An upload with fewer rows is walked through in any case: that takes milliseconds.
_FEW_ROWS = 10_000
#: More lists of postcode areas are not gathered from: some 200 million rows, or as many small uploads.
_MOST_GATHERED = 10_000
#: So many runs of uploads, and not what others have between them, are asked for; of more, everything is read.
_FEW_RUNS = 100
#: Walked through one after the other, before the next rows are looked at together: a statement for each small upload
#: would take longer.
_FEW_SPANS = 8
#: Ids that are read at once when leaping: at first, and at most. Some may be of uploads of others.
_FEW_HITS, _MANY_HITS = 250, 4_000
#: A box that touches more cells than this is a large one: it may well fill a page from the next rows.
_FEW_CELLS = 64
_NEXT_ROWS = 10_000
#: In the cells of a circle of 100 km are fewer. Larger boxes, and where there are more lists, are walked through.
_MOST_CELLS, _MOST_LISTS = 1_000, 10_000
#: Lists that are read at once: at first, and at most.
_FEW_LISTS, _MANY_LISTS = 64, 1_024
#: Rows that are looked at by their ids at once, at most: below the number of parameters that SQLite takes.
_MOST_IDS = 900
_LAST_ID = (1 << 63) - 1

#: What an index finds by itself.
_RARE = (RowStatus.NO_MATCH, RowStatus.FAILED, RowStatus.REJECTED)

#: The first and the last id of a run of rows.
Span = tuple[int, int]
_EVERYTHING: Span = (0, _LAST_ID)
_NOWHERE: Span = (0, -1)


@dataclass(frozen=True)
class RowPages:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    filters: Filters
    owner_id: int | None = None
    upload: Upload | None = None

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[dict[str, Any]]:
        """At most `limit` rows after the row with the id `position`, or before it, the nearest first."""
        reach = self._everything()
        if position is not None:
            reach = (reach[0], min(reach[1], position - 1)) if backwards else (max(reach[0], position + 1), reach[1])
        if reach[0] > reach[1]:
            return []
        ids = self._gather(reach)
        if ids is not None:
            return self._pick(ids[::-1] if backwards else ids, limit, limit, backwards)
        if self.filters.box and not self._has_few_rows():
            return self._search(self.filters.box, reach, limit, backwards)
        if self.filters.status in _RARE and self.owner_id is not None and not self.upload:
            return self._leap(reach, limit, backwards)
        return self._walk(reach, limit, backwards)

    def _has_few_rows(self) -> bool:
        return self.upload is not None and self.upload.rows_loaded <= _FEW_ROWS

    def count(self) -> int:
        """How many rows there are, for filters that only seek postcodes: quick, unless there is no other way."""
        ids, sought = self.ids(), self.filters.sought
        if ids is None or sought is None:
            return sum(self._rows().filter(id__range=span).count() for span in self._spans(self._everything()))
        if sought.are_regular:
            return len(ids)
        return sum(self._rows().filter(id__in=part).count() for part in _parts(ids, _MOST_IDS))

    def ids(self) -> Ids | None:
        """The ids of all rows with the postcodes that are sought, and maybe of others, in order.

        None when none are sought, or there are too many lists.
        """
        return self._gather(self._everything())

    def _everything(self) -> Span:
        return ids_of_upload(self.upload.pk) if self.upload else _EVERYTHING

    def _gather(self, reach: Span) -> Ids | None:
        """The ids there, in order, of the rows with the postcodes that are sought; None when these lead nowhere."""
        sought = self.filters.sought
        if sought is None or self._has_few_rows():
            return None
        spans = self._spans(reach)
        if not spans:
            return np.empty(0, np.int64)
        # The list that a span begins in may have begun anywhere in its upload.
        runs = [(row_id(first >> ROW_BITS, 0), last) for first, last in spans]
        if len(runs) > _FEW_RUNS:
            runs = [(runs[0][0], runs[-1][1])]
        in_runs = reduce(or_, (Q(first_id__range=run) for run in runs))
        lists = PostcodeList.objects.filter(in_runs, postcode_area__in=sought.areas)
        # In the order of the index, so that no database thinks of another way.
        in_order = lists.order_by("postcode_area", "first_id").values_list("first_id", "postcode_area", "entries")
        found = list(in_order[: _MOST_GATHERED + 1])
        if len(found) > _MOST_GATHERED:
            return None
        ids = sought.ids_in(found)
        return ids[Spans(spans).meet(ids, ids)]

    def _pick(self, ids: Ids, size: int, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The first of these rows that the filters let through; so many are looked at first."""
        found: list[dict[str, Any]] = []
        rows = self._rows()
        for part in _parts(ids, size):
            found += _read(rows.filter(id__in=part), limit - len(found), backwards)
            if len(found) >= limit:
                break
        return found

    def _visible(self, uploads: Iterable[int]) -> set[int]:
        """Of these uploads, those that may be shown."""
        visible = Upload.objects.visible_to(self.owner_id).filter(pk__in=uploads)
        return set(visible.values_list("pk", flat=True))

    def _rows(self) -> QuerySet[Row]:
        """Those that the filters let through, whoever sees them."""
        rows = Row.objects.filter(self.filters.where)
        if self.filters.status in _RARE:
            rows = rows.filter(has_rare_status())
        return rows

    def _search(self, box: Box, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The page of rows in a box."""
        found: list[dict[str, Any]] = []
        cells, spans = touched_cells(box), self._spans(reach)
        if len(cells) > _FEW_CELLS and spans:
            next_rows, reach = _cut((spans[0][0], spans[-1][1]), backwards)
            found = self._read_all(next_rows, limit, backwards)
            spans = _within(reach, spans) if len(found) < limit else []
        if not spans:
            return found
        lists = Lists.find(cells, spans) if len(cells) <= _MOST_CELLS else None
        if lists is None:
            return found + self._walk(reach, limit - len(found), backwards)
        enough = min(limit * 3 // 2, _MOST_IDS)  # a circle fills 79 % of its box
        for ids in lists.ids_within(box, enough, backwards):
            found += self._pick(ids, enough, limit - len(found), backwards)
            if len(found) >= limit:
                break
        return found

    def _leap(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The page of rows with a rare status: from hit to hit, whoever's, and over uploads that may not be shown."""
        found: list[int] = []
        rows, uploads = self._rows(), Upload.objects.visible_to(self.owner_id)
        in_order = rows.order_by("-id" if backwards else "id").values_list("id", flat=True)
        wanted = max(limit, _FEW_HITS)
        while len(found) < limit:
            hits = list(in_order.filter(id__range=reach)[:wanted])
            visible = self._visible({hit >> ROW_BITS for hit in hits})
            found += [hit for hit in hits if hit >> ROW_BITS in visible]
            if len(hits) < wanted:
                break
            upload = hits[-1] >> ROW_BITS
            if upload in visible:
                reach = (reach[0], hits[-1] - 1) if backwards else (hits[-1] + 1, reach[1])
            elif backwards:
                nearest = uploads.filter(pk__lt=upload).order_by("-pk").values_list("pk", flat=True).first()
                reach = (reach[0], -1 if nearest is None else row_id(nearest, MAX_ROWS))
            else:
                nearest = uploads.filter(pk__gt=upload).order_by("pk").values_list("pk", flat=True).first()
                reach = (_LAST_ID if nearest is None else row_id(nearest, 0), reach[1])
            wanted = min(2 * wanted, _MANY_HITS)
        return _read(rows.filter(id__in=found[:limit]), limit, backwards)

    def _walk(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        rows = self._rows()
        spans = self._spans(reach)[:: -1 if backwards else 1]
        while spans:
            for span in spans[:_FEW_SPANS]:
                found += _read(rows.filter(id__range=span), limit - len(found), backwards)
                if len(found) >= limit:
                    return found
            spans = spans[_FEW_SPANS:]
            if len(spans) > _FEW_SPANS:  # many small ones may follow: as many as are in the next rows, together
                reach = (reach[0], spans[0][1]) if backwards else (spans[0][0], reach[1])
                next_rows, reach = _cut(reach, backwards)
                found += self._read_all(next_rows, limit - len(found), backwards)
                spans = _within(reach, spans) if len(found) < limit else []
        return found

    def _read_all(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The first rows there of all uploads that may be shown; those of others are passed one by one."""
        rows = self._rows().filter(id__range=reach)
        if not self.upload:
            rows = rows.filter(upload__in=Upload.objects.visible_to(self.owner_id).values("pk"))
        return _read(rows, limit, backwards)

    def _spans(self, reach: Span) -> list[Span]:
        """Where in that reach rows are that may be shown, in ascending order."""
        spans: Iterable[Span]
        if self.filters.status == RowStatus.PENDING:
            spans = self._open_chunks(reach)
        elif self.upload:
            spans = [reach]
        elif self.owner_id is None:
            # Everybody's eyes see all but what is being deleted.
            gone = Upload.objects.filter(deleted_at__isnull=False).order_by("pk").values_list("pk", flat=True)
            edges = [-1, *gone, _LAST_ID >> ROW_BITS]
            spans = [(row_id(before + 1, 0), row_id(after, 0) - 1) for before, after in pairwise(edges)]
        else:
            reached = reach[0] >> ROW_BITS, reach[1] >> ROW_BITS
            uploads = Upload.objects.visible_to(self.owner_id).filter(pk__range=reached).order_by("pk")
            spans = map(ids_of_upload, uploads.values_list("pk", flat=True))
        return _within(reach, _joined(spans))

    def _open_chunks(self, reach: Span) -> Iterator[Span]:
        """The chunks that may have pending rows."""
        chunks = Chunk.objects.filter(
            state__in=OPEN_CHUNK_STATES, upload__gte=reach[0] >> ROW_BITS, upload__lte=reach[1] >> ROW_BITS
        )
        if self.upload:
            chunks = chunks.filter(upload=self.upload)
        else:
            chunks = chunks.filter(upload__in=Upload.objects.visible_to(self.owner_id).values("pk"))
        runs = chunks.order_by("upload_id", "first_row").values_list("upload_id", "first_row", "row_count")
        for upload_id, first_row, row_count in runs:
            first = row_id(upload_id, first_row)
            yield first, first + row_count - 1


class Spans:
    """Spans in ascending order, for many questions at once."""

    def __init__(self, spans: list[Span]) -> None:
        self._firsts, self._lasts = np.array(spans, np.int64).T

    def meet(self, firsts: Ids, lasts: Ids) -> npt.NDArray[np.bool_]:
        """Which of these runs of ids have some in the spans."""
        nearest = np.searchsorted(self._firsts, lasts, "right") - 1
        met: npt.NDArray[np.bool_] = (nearest >= 0) & (self._lasts[nearest] >= firsts)
        return met


@dataclass(frozen=True)
class Lists:
    """The lists of rows in some cells: of each step of loading some, by the first id of its rows."""

    spans: Spans
    cells: list[int]
    #: Each step's first id, its lists, and whether it may have rows in the spans.
    steps: list[tuple[int, int, bool]]

    @classmethod
    def find(cls, cells: list[int], spans: list[Span]) -> "Lists | None":
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
        lasts = np.minimum(firsts | MAX_ROWS, np.append(firsts[1:], _LAST_ID) - 1)
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


def _cut(reach: Span, backwards: bool) -> tuple[Span, Span]:
    """The next rows there, whoever sees them, and the others."""
    rows = Row.objects.filter(id__range=reach).order_by("-id" if backwards else "id")
    edge = rows.values_list("id", flat=True)[_NEXT_ROWS : _NEXT_ROWS + 1].first()
    if edge is None:
        return reach, _NOWHERE
    return ((edge, reach[1]), (reach[0], edge - 1)) if backwards else ((reach[0], edge), (edge + 1, reach[1]))


def _parts(ids: Ids, size: int) -> Iterator[list[int]]:
    """Runs of the ids, the first of that size: most of them are rows that are wanted, or few of all are."""
    start = 0
    while start < len(ids):
        yield ids[start : start + size].tolist()
        start, size = start + size, _MOST_IDS


def _read(rows: QuerySet[Row], limit: int, backwards: bool) -> list[dict[str, Any]]:
    return list(rows.order_by("-id" if backwards else "id").values(*ROW_FIELDS)[:limit])


def _within(reach: Span, spans: Iterable[Span]) -> list[Span]:
    """What these spans have of that one."""
    both = ((max(first, reach[0]), min(last, reach[1])) for first, last in spans)
    return [span for span in both if span[0] <= span[1]]


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The same rows in as few spans as possible; `spans` are in order."""
    first, last = -1, -2
    for span in spans:
        if span[0] == last + 1:
            last = span[1]
        else:
            if first >= 0:
                yield first, last
            first, last = span
    if first >= 0:
        yield first, last
