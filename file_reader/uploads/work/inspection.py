"""All that is known about the work on one upload, and what happens next: for people who look at one that seems stuck.

Bounded: it asks for sums over the chunks and for the first few of everything else, whatever the size of the upload.
Times are the database's, as those of the leases are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils.timezone import localtime

from uploads.models import (
    OPEN_CHUNK_STATES,
    OPEN_STATES,
    Chunk,
    ChunkState,
    Row,
    RowStatus,
    Upload,
    UploadState,
)
from uploads.progress import Counts, eta_of, progress_of, rows_per_second_of, waiting_of
from uploads.row_ids import ids_of_upload
from uploads.rows.bulk.per_call import counts_of
from uploads.rows.filters import rows_of
from uploads.work.indexing import claimable_indexes
from uploads.work.leases import LOADED_OF_AN_OWNER, claimable_chunks, claimable_uploads, is_past, uploads_to_load
from uploads.work.pauses import IDLE_POLL_SECONDS, MAX_OUTAGE_PAUSE

#: The most chunks of a kind that are listed, the most rows of a kind whose reasons are counted, and the most uploads
#: that are counted.
SHOWN_CHUNKS = 10
COUNTED_ROWS = 1_000
COUNTED_UPLOADS = 1_000
_AT_ONCE = f" at its next look, within {IDLE_POLL_SECONDS:.0f} s"
_AFTER_OUTAGE = f" within {MAX_OUTAGE_PAUSE:.0f} s, as workers do after an outage"
_RUNNING = ": is a worker running?"


@dataclass(frozen=True)
class Table:
    """Lines of text in columns; `note` says what is left out, if anything is."""

    title: str
    columns: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True)
class Inspection:
    """One upload at one moment. `facts` are pairs of a name and a text; `next` is sentences."""

    facts: list[tuple[str, str]]
    chunks: Table
    leases: Table
    again: Table
    unanswered: Table
    next: list[str]

    @property
    def tables(self) -> tuple[Table, ...]:
        return self.chunks, self.leases, self.again, self.unanswered


def inspect_upload(upload_id: int) -> Inspection:
    """Raises Upload.DoesNotExist; an upload that was deleted exists until a worker has removed its rows."""
    upload = Upload.objects.get(pk=upload_id)
    now = Upload.objects.values_list(Now(), flat=True).get(pk=upload_id)
    return _Inspector(upload, now, counts_of([upload])[upload_id]).inspection()


class _Inspector:
    def __init__(self, upload: Upload, now: datetime, counts: Counts) -> None:
        self.upload = upload
        self.now = now
        self.counts = counts
        self.chunks = Chunk.objects.filter(upload=upload)

    def inspection(self) -> Inspection:
        leased = self.chunks.filter(state=ChunkState.LEASED).order_by("lease_until")
        # An outage gives the attempt back: only the fence tells that the chunk was claimed. Cancelling raises it, too.
        was_claimed = Q(attempts__gt=0) | Q(fence__gt=0)
        again = self.chunks.filter(was_claimed, state=ChunkState.READY, upload__state__in=OPEN_STATES)
        return Inspection(
            facts=self._facts(),
            chunks=self._chunks_by_state(),
            leases=self._list("Leases", leased, "until", "lease_until"),
            again=self._list("To be done again", again.order_by("due_at"), "due", "due_at"),
            unanswered=self._unanswered(),
            next=self._next(),
        )

    # --- facts -----------------------------------------------------------------------------------------------------
    def _facts(self) -> list[tuple[str, str]]:
        upload, counts = self.upload, self.counts
        progress, rate = progress_of(upload, counts), rows_per_second_of(upload, counts)
        eta, waiting = eta_of(upload, counts, progress, rate), waiting_of(upload)
        error = upload.error or {}
        size = upload.table_size or upload.size
        facts = [
            ("upload", f"{upload.pk}, {upload.public_id}"),
            ("file", f"{upload.filename}, {upload.size:,} bytes"),
            ("state", f"deleted (was {upload.state})" if upload.deleted_at else upload.state),
            ("accepted", self._when(upload.created_at)),
            ("started", self._when(upload.started_at)),
            ("ended", self._when(upload.finished_at)),
            ("expires", self._when(upload.expires_at)),
            ("rows", ", ".join(f"{number:,} {name}" for name, number in counts.as_json().items())),
            ("progress", f"{progress:.2%}"),
            ("speed", f"{rate:,} rows/s" if rate else ""),
            ("ready in", f"about {_span(eta)}" if eta is not None else ""),
            ("loaded", f"{upload.rows_loaded:,} rows, {upload.bytes_loaded:,} of {size:,} bytes"),
            ("row index", self._row_index()),
            ("index lease" if upload.finished_at else "lease to load", self._when(upload.lease_until) or "none"),
            ("attempts", f"{upload.attempts} of {settings.MAX_ATTEMPTS} to load; fence {upload.fence}"),
            ("waiting", f"since {self._when(waiting['since'])}: {waiting['detail']}" if waiting else ""),
            ("because of", waiting["reason"] if waiting else ""),
            ("error", ": ".join(str(error[key]) for key in ("type", "detail") if error.get(key))),
            ("now", f"{_clock(self.now, None)}, by the database's clock"),
        ]
        return [(name, text) for name, text in facts if text]

    def _row_index(self) -> str:
        """Only what has ended has one."""
        upload = self.upload
        if upload.indexed_at:
            return f"written {self._when(upload.indexed_at)}"
        return f"{upload.rows_indexed:,} of {upload.rows_loaded:,} rows" if upload.finished_at else ""

    def _chunks_by_state(self) -> Table:
        sums = self.chunks.order_by().values_list("state").annotate(Count("pk"), Sum("row_count"))
        found = {state: (f"{chunks:,}", f"{rows:,}") for state, chunks, rows in sums}
        lines = [(state, *found[state]) for state in ChunkState.values if state in found]
        return Table("Chunks by state", ("state", "chunks", "rows"), lines)

    def _list(self, title: str, chunks: QuerySet[Chunk], moment_is: str, moment: str) -> Table:
        shown = list(chunks[: SHOWN_CHUNKS + 1])
        note = f"The first {SHOWN_CHUNKS} of {chunks.count():,}." if len(shown) > SHOWN_CHUNKS else ""
        lines = [
            (f"{chunk.pk}-{chunk.fence}", span_of(chunk), self._when(getattr(chunk, moment)), str(chunk.attempts))
            for chunk in shown[:SHOWN_CHUNKS]
        ]
        return Table(title, ("chunk", "rows", moment_is, "attempts"), lines, note)

    def _unanswered(self) -> Table:
        lines: list[tuple[str, ...]] = []
        cut = []
        for status, total in ((RowStatus.FAILED, self.counts.failed), (RowStatus.REJECTED, self.counts.rejected)):
            rows = self._first_rows(status)
            examples = {row.reason: row for row in reversed(rows)}
            for reason, number in Counter(row.reason for row in rows).most_common():
                row = examples[reason]
                line = "" if row.line is None else f"{row.line:,}"
                lines.append((status.label, reason or "", f"{number:,}", f"{row.number:,}", line))
            if total > COUNTED_ROWS:
                cut.append(f"the first {COUNTED_ROWS:,} of {total:,} {status.label} rows")
        note = f"Counted: {' and '.join(cut)}." if cut else ""
        return Table("Rows without an answer", ("status", "reason", "rows", "such as row", "line"), lines, note)

    def _first_rows(self, status: RowStatus) -> list[Row]:
        rows = Row.objects.filter(status=status, id__range=ids_of_upload(self.upload.pk))
        return list(rows.only("id", "reason", "line").order_by("id")[:COUNTED_ROWS])

    # --- what happens next -----------------------------------------------------------------------------------------
    def _next(self) -> list[str]:
        upload, failed = self.upload, self.counts.failed
        if upload.deleted_at:
            return [self._next_of_deleted()]
        index = self._next_of_index()
        again = [f"A retry would ask again for {failed:,} failed {'row' if failed == 1 else 'rows'}."] if failed else []
        if upload.state == UploadState.DONE:
            return ["Nothing: it is done.", *index, *again]
        if upload.state == UploadState.FAILED:
            read = "Nothing: the file could not be read to its end. The rows before the fault have been asked for."
            return [read, *index, *again]
        if upload.state == UploadState.CANCELLED:
            return ["Nothing: it was cancelled. The rows that had their answer keep it.", *index]
        if upload.paused_at:
            return [f"Nothing: it was paused {self._when(upload.paused_at)}. What workers have in hand is finished."]
        said = self._next_of_loading() if upload.state != UploadState.GEOCODING else []
        if self.chunks.filter(state__in=OPEN_CHUNK_STATES).exists():
            said += self._next_of_chunks()
        elif upload.state == UploadState.GEOCODING:
            said.append("Nothing is left to look up; a worker ends it within seconds: is a worker running?")
        return said

    def _next_of_deleted(self) -> str:
        upload = self.upload
        first = next(iter(rows_of(upload).order_by("id").only("id")[:1]), None)
        left = 0 if first is None else upload.rows_loaded + 1 - first.number  # they are removed in order
        return (
            f"It was deleted {self._when(upload.deleted_at)}. Workers remove it, beside other work: {left:,} rows are"
            " left, then its file. The log says when it is gone: is a worker running?"
        )

    def _next_of_index(self) -> list[str]:
        """Of what has ended."""
        upload = self.upload
        if upload.indexed_at:
            return []
        if not claimable_indexes().filter(pk=upload.pk).exists():
            return [f"A worker writes its row index; {self._leased_until(upload.lease_until)}"]
        when = f"{_AT_ONCE}{_RUNNING}"
        return [f"Its rows are walked through until they have an index; a worker writes that{when}"]

    def _next_of_loading(self) -> list[str]:
        upload = self.upload
        if not uploads_to_load().filter(pk=upload.pk).exists():
            return [f"A worker loads the file; {self._leased_until(upload.lease_until)}"]
        queue = list(claimable_uploads().values_list("pk", flat=True)[:COUNTED_UPLOADS])
        if upload.pk in queue:
            before = queue.index(upload.pk)
            when = f" after {before:,} other{'s' if before > 1 else ''}" if before else _AT_ONCE
        elif len(queue) == COUNTED_UPLOADS:
            when = f" after more than {COUNTED_UPLOADS:,} others"
        else:
            when = f" when one of the {LOADED_OF_AN_OWNER} that are being loaded for its owner is loaded"
        when += _RUNNING
        if upload.attempts >= settings.MAX_ATTEMPTS:
            return [f"Loading ended without a word in every attempt; a worker will end it as failed{when}"]
        if upload.state == UploadState.RECEIVED:
            return [f"A worker will load the file{when}"]
        return [f"Nobody loads the file; a worker will go on from row {upload.rows_loaded + 1:,}{when}"]

    def _next_of_chunks(self) -> list[str]:
        said = []
        waiting = waiting_of(self.upload)
        if waiting:
            said.append(f"Nobody could answer since {self._when(waiting['since'])}: {waiting['detail']}")
        leased = self.chunks.filter(state=ChunkState.LEASED).exclude(is_past("lease_until")).order_by("lease_until")
        held = leased.first()
        if held is not None:
            said.append(f"A worker looks up {_rows_of(held)}; {self._leased_until(held.lease_until)}")
        due = claimable_chunks().filter(upload=self.upload).first()
        if due is not None:
            said.append(self._next_of_due(due, _AFTER_OUTAGE if waiting else _AT_ONCE))
        elif held is None:
            resting = self.chunks.filter(state=ChunkState.READY).order_by("due_at").first()
            if resting is not None:
                said.append(f"Workers take {_rows_of(resting)} at {self._when(resting.due_at)}.")
        return said

    def _next_of_due(self, chunk: Chunk, soon: str) -> str:
        first = claimable_chunks().first()
        when = (f" after those of upload {first.upload_id}" if first and first.pk != chunk.pk else soon) + _RUNNING
        if chunk.attempts < settings.MAX_ATTEMPTS:
            return f"A worker will take {_rows_of(chunk)}{when}"
        if chunk.row_count == 1:
            return f"The attempts are used up: a worker will mark {_rows_of(chunk)} as failed{when}"
        return f"The attempts are used up: a worker will split {_rows_of(chunk)} in two{when}"

    def _leased_until(self, moment: datetime | None) -> str:
        return f"leased until {self._when(moment)}; if the worker died, another takes over then."

    def _when(self, moment: datetime | None) -> str:
        """The time, and how far it is from now."""
        if moment is None:
            return ""
        left = (moment - self.now).total_seconds()
        return f"{_clock(moment, self.now)}, " + (f"in {_span(left)}" if left > 0 else f"{_span(-left)} ago")


def span_of(chunk: Chunk) -> str:
    """Its first and its last row, or its only one."""
    first, last = f"{chunk.first_row:,}", f"{chunk.last_row:,}"
    return first if chunk.row_count == 1 else f"{first}–{last}"


def _rows_of(chunk: Chunk) -> str:
    return f"{'row' if chunk.row_count == 1 else 'rows'} {span_of(chunk)}"


def _clock(moment: datetime, now: datetime | None) -> str:
    """The day is left out when it is today."""
    local = localtime(moment)
    is_today = now is not None and local.date() == localtime(now).date()
    return local.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S %Z")


def _span(seconds: float) -> str:
    """Two units at most."""
    whole = int(seconds)
    for size, unit, part, part_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {part_unit}"
    return f"{whole} s"
