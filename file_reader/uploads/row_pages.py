"""Pages of rows: those that a caller may see and asks for, in the order of their ids, beginning anywhere.

Nothing is counted and nothing is skipped: a page costs what the first one costs. There are two ways to its rows.

- **Walking** along the primary key until the page is full: for what many rows have. Of a status that few rows have, the
  index of those rows is walked along; and rows are pending only in chunks that are open.
- **Gathering** what few rows have and an index finds: all of these, sorted here.

Which way it is follows from the question and from bounded looks at the data, not from the statistics of the database:
after a large upload it has none yet, and of the two ways the wrong one takes a thousand times as long.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from uploads.models import (
    MAX_ROWS,
    OPEN_CHUNK_STATES,
    ROW_BITS,
    Chunk,
    Row,
    RowStatus,
    Upload,
    has_rare_status,
    row_id,
)
from uploads.queries import ROW_FIELDS, Filters

#: An upload with fewer rows is walked through in any case: that takes milliseconds.
_FEW_ROWS = 10_000
#: What more rows than this have is not gathered. They would be found soon enough by walking, too.
_MOST_GATHERED = 10_000
#: Walked through one after the other; of the uploads beyond, all at once.
_MOST_SPANS = 20
_LAST_ID = (1 << 63) - 1

#: The first and the last id of a run of rows.
Span = tuple[int, int]
_EVERYTHING: Span = (0, _LAST_ID)


@dataclass(frozen=True)
class RowPages:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    filters: Filters
    owner_id: int | None = None
    upload: Upload | None = None

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[dict[str, Any]]:
        """At most `limit` rows after the row with the id `position`, or before it, the nearest first."""
        reach = _EVERYTHING
        if position is not None:
            reach = (0, position - 1) if backwards else (position + 1, _LAST_ID)
        ids = self._gather()
        return self._walk(reach, limit, backwards) if ids is None else self._pick(ids, reach, limit, backwards)

    def _gather(self) -> list[int] | None:
        """The sorted ids of all rows that are asked for; None when there are too many, or no index finds them."""
        if self.filters.sought is None or (self.upload and self.upload.rows_loaded <= _FEW_ROWS):
            return None
        # In the order of that index, so that no database thinks of another way.
        rows = Row.objects.filter(self.filters.sought, self.filters.where).order_by("postcode")
        ids = list(rows.values_list("id", flat=True)[: _MOST_GATHERED + 1])
        return sorted(ids) if len(ids) <= _MOST_GATHERED else None

    def _pick(self, ids: list[int], reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The page of these rows."""
        ids = ids[bisect_left(ids, reach[0]) : bisect_right(ids, reach[1])]
        if self.upload:
            span = _of_upload(self.upload.pk)
            ids = ids[bisect_left(ids, span[0]) : bisect_right(ids, span[1])]
        else:
            uploads = Upload.objects.visible_to(self.owner_id).filter(pk__in={id_ >> ROW_BITS for id_ in ids})
            visible = set(uploads.values_list("pk", flat=True))
            ids = [id_ for id_ in ids if id_ >> ROW_BITS in visible]
        found = Row.objects.filter(self.filters.where, id__in=ids[-limit:] if backwards else ids[:limit])
        return _read(found, limit, backwards)

    def _walk(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        rows = Row.objects.filter(self.filters.where)
        if self.filters.sought is not None:
            rows = rows.filter(self.filters.sought)
        if self.filters.status in (RowStatus.NO_MATCH, RowStatus.FAILED, RowStatus.REJECTED):
            rows = rows.filter(has_rare_status())
        for number, span in enumerate(self._spans(reach, backwards)):
            if number == _MOST_SPANS:
                rest = (0, span[1]) if backwards else (span[0], _LAST_ID)
                rest = (max(rest[0], reach[0]), min(rest[1], reach[1]))
                visible = Upload.objects.visible_to(self.owner_id).values("pk")
                found += _read(rows.filter(upload__in=visible, id__range=rest), limit - len(found), backwards)
                break
            both = max(span[0], reach[0]), min(span[1], reach[1])
            if both[0] <= both[1]:
                found += _read(rows.filter(id__range=both), limit - len(found), backwards)
            if len(found) >= limit:
                break
        return found

    def _spans(self, reach: Span, backwards: bool) -> Iterator[Span]:
        """Where the rows are, in the order in which they are wanted."""
        spans: Iterable[Span]
        if self.filters.status == RowStatus.PENDING:
            spans = self._open_chunks(reach)
        elif self.upload:
            spans = [_of_upload(self.upload.pk)]
        elif self.owner_id is None:
            # Everybody's eyes see all but what is being deleted.
            gone = Upload.objects.filter(deleted_at__isnull=False).order_by("pk").values_list("pk", flat=True)
            edges = [-1, *gone, _LAST_ID >> ROW_BITS]
            spans = [(row_id(before + 1, 0), row_id(after, 0) - 1) for before, after in pairwise(edges)]
        else:
            reached = reach[0] >> ROW_BITS, reach[1] >> ROW_BITS
            uploads = Upload.objects.visible_to(self.owner_id).filter(pk__range=reached).order_by("pk")
            spans = map(_of_upload, uploads.values_list("pk", flat=True))
        runs = list(_joined(spans))
        return iter(runs[::-1] if backwards else runs)

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


def _read(rows: QuerySet[Row], limit: int, backwards: bool) -> list[dict[str, Any]]:
    return list(rows.order_by("-id" if backwards else "id").values(*ROW_FIELDS)[:limit])


def _of_upload(upload_id: int) -> Span:
    return row_id(upload_id, 0), row_id(upload_id, MAX_ROWS)


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
