"""Pages of rows: those that a caller may see and asks for, in the order of their ids, beginning anywhere.

Rows of uploads that have ended are looked up in their index, all others are walked through: they are few, or being
worked on. Upload after upload, until the page is full. Nothing is counted and nothing is skipped: a page costs what the
first one costs.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

from uploads.models import Upload
from uploads.row_ids import MAX_ROWS, ROW_BITS, ids_of_upload, row_id
from uploads.rows.bulk.questions import KnownUpload, Questions, Span, question
from uploads.rows.filters import ROW_FIELDS, Filters
from uploads.rows.index import Lookup

#: Uploads that are looked at together: at first, and at most.
_FEW_UPLOADS, _MANY_UPLOADS = 50, 1_000
#: Runs of rows that are walked through by one statement, at most.
_MOST_RUNS = 50
_COUNTED_ROWS = 1_000
_EVERYTHING: Span = (0, (1 << 63) - 1)


class RowPages:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    def __init__(self, filters: Filters, owner_id: int | None = None, upload: Upload | None = None) -> None:
        self._filters = filters
        self._owner_id = owner_id
        self._everything = ids_of_upload(upload.pk) if upload else _EVERYTHING

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[dict[str, Any]]:
        """At most `limit` rows after the row with the id `position`, or before it, the nearest first.

        Raises RowQueryTimeoutError.
        """
        first, last = self._everything
        if position is not None:
            first, last = (first, min(last, position - 1)) if backwards else (max(first, position + 1), last)
        if self._filters.are_contradictory or first > last:
            return []
        with question() as ask:
            return self._page(ask, (first, last), limit, backwards)

    def count(self) -> int:
        """How many rows there are: quick for a postcode. Raises RowQueryTimeoutError."""
        if self._filters.are_contradictory:
            return 0
        reach, total = self._everything, 0
        with question() as ask:
            if self._filters.is_key:
                return self._count_by_key(ask)
            while page := self._page(ask, reach, _COUNTED_ROWS, backwards=False):
                reach, total = (page[-1]["id"] + 1, reach[1]), total + len(page)
        return total

    def _count_by_key(self, ask: Questions) -> int:
        total, lookup = 0, Lookup(ask, self._filters, self._everything)
        for is_indexed, uploads in self._runs(ask, self._everything, backwards=False):
            if is_indexed:
                total += lookup.count(uploads)
                continue
            spans = self._spans(ask, uploads, self._everything)
            for at in range(0, len(spans), _MOST_RUNS):
                total += ask.count_in(self._filters, spans[at : at + _MOST_RUNS])
        return total

    def _page(self, ask: Questions, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        lookup = Lookup(ask, self._filters, reach, backwards)
        for is_indexed, uploads in self._runs(ask, reach, backwards):
            wanted = limit - len(found)
            rows = lookup.rows(uploads, wanted) if is_indexed else self._walk(ask, uploads, reach, wanted, backwards)
            names = {upload.id: UUID(str(upload.public_id)) for upload in uploads} if rows else {}
            found += [dict(zip(ROW_FIELDS, (row[0], names[row[0] >> ROW_BITS], *row[1:]), strict=True)) for row in rows]
            if len(found) >= limit:
                break
        return found

    def _runs(self, ask: Questions, reach: Span, backwards: bool) -> Iterator[tuple[bool, list[KnownUpload]]]:
        """The uploads that may be shown, in the direction of reading, by whether their rows are looked up."""
        first, last = reach[0] >> ROW_BITS, reach[1] >> ROW_BITS
        has_leads, size = bool(self._filters.leads), _FEW_UPLOADS
        while first <= last:
            uploads = ask.uploads(self._owner_id, (first, last), size, backwards=backwards)
            for is_indexed, run in groupby(uploads, lambda upload: has_leads and bool(upload.is_indexed)):
                yield is_indexed, list(run)
            if len(uploads) < size:
                break
            first, last = (first, uploads[-1].id - 1) if backwards else (uploads[-1].id + 1, last)
            size = min(4 * size, _MANY_UPLOADS)

    # --- walking ---------------------------------------------------------------------------------------------------
    def _walk(
        self, ask: Questions, uploads: list[KnownUpload], reach: Span, limit: int, backwards: bool
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        spans = self._spans(ask, uploads, reach)[:: -1 if backwards else 1]
        size = 1
        while spans and len(found) < limit:
            found += ask.rows_in(self._filters, spans[:size], limit - len(found), backwards=backwards)
            spans, size = spans[size:], min(4 * size, _MOST_RUNS)
        return found

    def _spans(self, ask: Questions, uploads: list[KnownUpload], reach: Span) -> list[Span]:
        """Where rows of these uploads may be that are asked for, in ascending order."""
        filters, ids = self._filters, sorted(upload.id for upload in uploads)
        if filters.status is None and filters.reason is None and not filters.wants_postcode:
            runs = [(row_id(upload, 1), row_id(upload, MAX_ROWS)) for upload in ids]
        else:
            runs = []
            for upload, first_row, row_count in ask.promising_chunks(filters, ids):
                first = row_id(upload, first_row)
                begins = runs.pop()[0] if runs and runs[-1][1] == first - 1 else first
                runs.append((begins, first + row_count - 1))
        within = [(max(first, reach[0]), min(last, reach[1])) for first, last in runs]
        return [span for span in within if span[0] <= span[1]]
