"""The rows that a caller may see and asks for; the three ways to a page of them all begin here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet

from uploads.models import (
    OPEN_CHUNK_STATES,
    Chunk,
    Row,
    RowStatus,
    Upload,
    has_rare_status,
)
from uploads.row_ids import ROW_BITS, ids_of_upload, row_id
from uploads.rows.by_place import Ids
from uploads.rows.filters import ROW_FIELDS, Filters
from uploads.rows.spans import Span, joined, within

#: An upload with fewer rows is walked through in any case: that takes milliseconds.
_FEW_ROWS = 10_000
#: Rows of all callers that are looked at together.
_NEXT_ROWS = 10_000
#: Rows that are looked at by their ids at once, at most: below the number of parameters that SQLite takes.
MOST_IDS = 900
LAST_ID = (1 << 63) - 1

#: What an index finds by itself.
RARE = (RowStatus.NO_MATCH, RowStatus.FAILED, RowStatus.REJECTED)
EVERYTHING: Span = (0, LAST_ID)
_NOWHERE: Span = (0, -1)


@dataclass(frozen=True)
class RowScope:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    filters: Filters
    owner_id: int | None = None
    upload: Upload | None = None

    def has_few_rows(self) -> bool:
        return self.upload is not None and self.upload.rows_loaded <= _FEW_ROWS

    def everything(self) -> Span:
        return ids_of_upload(self.upload.pk) if self.upload else EVERYTHING

    def rows(self) -> QuerySet[Row]:
        """Those that the filters let through, whoever sees them."""
        rows = Row.objects.filter(self.filters.where)
        if self.filters.status in RARE:
            rows = rows.filter(has_rare_status())
        return rows

    def visible(self, uploads: Iterable[int]) -> set[int]:
        """Of these uploads, those that may be shown."""
        visible = Upload.objects.visible_to(self.owner_id).filter(pk__in=uploads)
        return set(visible.values_list("pk", flat=True))

    def spans(self, reach: Span) -> list[Span]:
        """Where in that reach rows are that may be shown, in ascending order."""
        spans: Iterable[Span]
        if self.filters.status == RowStatus.PENDING:
            spans = self._open_chunks(reach)
        elif self.upload:
            spans = [reach]
        elif self.owner_id is None:
            # Everybody's eyes see all but what is being deleted.
            gone = Upload.objects.filter(deleted_at__isnull=False).order_by("pk").values_list("pk", flat=True)
            edges = [-1, *gone, LAST_ID >> ROW_BITS]
            spans = [(row_id(before + 1, 0), row_id(after, 0) - 1) for before, after in pairwise(edges)]
        else:
            reached = reach[0] >> ROW_BITS, reach[1] >> ROW_BITS
            uploads = Upload.objects.visible_to(self.owner_id).filter(pk__range=reached).order_by("pk")
            spans = map(ids_of_upload, uploads.values_list("pk", flat=True))
        return within(reach, joined(spans))

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

    def read_all(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The first rows there of all uploads that may be shown; those of others are passed one by one."""
        rows = self.rows().filter(id__range=reach)
        if not self.upload:
            rows = rows.filter(upload__in=Upload.objects.visible_to(self.owner_id).values("pk"))
        return read(rows, limit, backwards)

    def pick(self, ids: Ids, size: int, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The first of these rows that the filters let through; so many are looked at first."""
        found: list[dict[str, Any]] = []
        rows = self.rows()
        for part in parts_of(ids, size):
            found += read(rows.filter(id__in=part), limit - len(found), backwards)
            if len(found) >= limit:
                break
        return found


def cut(reach: Span, backwards: bool) -> tuple[Span, Span]:
    """The next rows there, whoever sees them, and the others."""
    rows = Row.objects.filter(id__range=reach).order_by("-id" if backwards else "id")
    edge = rows.values_list("id", flat=True)[_NEXT_ROWS : _NEXT_ROWS + 1].first()
    if edge is None:
        return reach, _NOWHERE
    return ((edge, reach[1]), (reach[0], edge - 1)) if backwards else ((reach[0], edge), (edge + 1, reach[1]))


def parts_of(ids: Ids, size: int) -> Iterator[list[int]]:
    """Runs of the ids, the first of that size: most of them are rows that are wanted, or few of all are."""
    start = 0
    while start < len(ids):
        yield ids[start : start + size].tolist()
        start, size = start + size, MOST_IDS


def read(rows: QuerySet[Row], limit: int, backwards: bool) -> list[dict[str, Any]]:
    return list(rows.order_by("-id" if backwards else "id").values(*ROW_FIELDS)[:limit])
