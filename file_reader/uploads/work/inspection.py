"""All that is known about the work on one upload, and what happens next: for people who look at one that seems stuck.

Bounded: it asks for sums over the chunks and for the first few of everything else, whatever the size of the upload.
Times are the database's, as those of the leases are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, Sum
from django.db.models.functions import Now

from uploads.models import OPEN_CHUNK_STATES, OPEN_STATES, Chunk, ChunkState, Row, RowStatus, Upload, UploadQuerySet
from uploads.progress import Counts, eta_of, progress_of, rows_per_second_of, waiting_of
from uploads.row_ids import ids_of_upload
from uploads.work.in_words import clock_time, moment_in_words, name_of, span_in_words, span_of
from uploads.work.leases import is_past
from uploads.work.next_steps import NextSteps

#: The most chunks of a kind that are listed, the most rows of a kind whose reasons are counted.
SHOWN_CHUNKS = 50
COUNTED_ROWS = 1_000


@dataclass(frozen=True)
class Table:
    """Lines of text in columns; `note` says what is left out, if anything is."""

    title: str
    columns: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    note: str = ""


NO_TABLE = Table("", (), [])


@dataclass(frozen=True)
class Inspection:
    """One upload at one moment. `facts` are pairs of a name and a text; `next` is sentences."""

    counts: Counts
    facts: list[tuple[str, str]]
    chunks: Table
    leases: Table
    again: Table
    broken: Table
    unanswered: Table
    next: list[str]

    @property
    def tables(self) -> tuple[Table, ...]:
        return self.chunks, self.leases, self.again, self.broken, self.unanswered


def inspect_upload(upload_id: int) -> Inspection:
    """Raises Upload.DoesNotExist; an upload that was deleted exists until a worker has removed its rows."""
    return inspect(with_the_time(Upload.objects.filter(pk=upload_id)).get())


def with_the_time(uploads: UploadQuerySet) -> UploadQuerySet:
    """These uploads as `inspect` wants them: each knows what time the database has, and whether its lease is over."""
    return uploads.annotate(now=Now(), lease_is_over=ExpressionWrapper(is_past("lease_until"), BooleanField()))


def inspect(upload: Upload, *, with_rows: bool = True) -> Inspection:
    """An upload that `with_the_time` has read; the reasons of its rows only if they are wanted."""
    return _Inspector(upload).inspection(with_rows=with_rows)


class _Inspector:
    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.now: datetime = upload.now  # type: ignore[attr-defined] # `with_the_time`
        self.chunks = Chunk.objects.filter(upload=upload)
        self.sums = self._sums()
        whole = [sums[1:] for state, sums in self.sums.items() if state != ChunkState.SPLIT]
        self.counts = Counts(*map(sum, zip((0,) * 5, *whole, strict=True)))

    def inspection(self, *, with_rows: bool) -> Inspection:
        leased = self._first([ChunkState.LEASED], "lease_until")
        # An outage gives the attempt back: only the fence tells that the chunk was claimed. Cancelling raises it, too.
        was_claimed = Q(attempts__gt=0) | Q(fence__gt=0)
        is_at_work = self.upload.state in OPEN_STATES
        again = self._first([ChunkState.READY], "due_at", was_claimed) if is_at_work else []
        steps = NextSteps(
            self.upload,
            self.now,
            failed=self.counts.failed,
            leased=leased,
            is_any_open=any(state in self.sums for state in OPEN_CHUNK_STATES),
        )
        return Inspection(
            counts=self.counts,
            facts=self._facts(),
            chunks=self._chunks_by_state(),
            leases=self._list("Leases", leased, "until", "lease_until", "worker"),
            again=self._list("To be done again", again, "due", "due_at", "last worker"),
            broken=self._broken(),
            unanswered=self._unanswered() if with_rows else NO_TABLE,
            next=steps.foretell(),
        )

    def _sums(self) -> dict[str, tuple[int, ...]]:
        """By state: chunks, rows, and rows by outcome in the order of `Counts`."""
        outcomes = (Sum("matched"), Sum("no_match"), Sum("failed"), Sum("rejected"))
        sums = self.chunks.order_by().values_list("state").annotate(Count("pk"), Sum("row_count"), *outcomes)
        return {state: tuple(numbers) for state, *numbers in sums}

    def _first(self, states: Sequence[ChunkState], order: str, condition: Q | None = None) -> list[Chunk]:
        """The first chunks in these states, one more than are shown; nobody is asked for what there is none of."""
        if not any(state in self.sums for state in states):
            return []
        return list(self.chunks.filter(condition or Q(), state__in=states).order_by(order)[: SHOWN_CHUNKS + 1])

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
            ("ready in", f"about {span_in_words(eta)}" if eta is not None else ""),
            ("loaded", f"{upload.rows_loaded:,} rows, {upload.bytes_loaded:,} of {size:,} bytes"),
            ("row index", self._row_index()),
            ("index lease" if upload.finished_at else "lease to load", self._when(upload.lease_until) or "none"),
            ("attempts", f"{upload.attempts} of {settings.MAX_ATTEMPTS} to load; fence {upload.fence}"),
            ("waiting", f"since {self._when(waiting['since'])}: {waiting['detail']}" if waiting else ""),
            ("because of", waiting["reason"] if waiting else ""),
            ("error", ": ".join(str(error[key]) for key in ("type", "detail") if error.get(key))),
            ("now", f"{clock_time(self.now, None)}, by the database's clock"),
        ]
        return [(name, text) for name, text in facts if text]

    def _row_index(self) -> str:
        """Only what has ended has one."""
        upload = self.upload
        if upload.indexed_at:
            return f"written {self._when(upload.indexed_at)}"
        return f"{upload.rows_indexed:,} of {upload.rows_loaded:,} rows" if upload.finished_at else ""

    def _chunks_by_state(self) -> Table:
        lines = [
            (state, *(f"{number:,}" for number in self.sums[state][:2]))
            for state in ChunkState.values
            if state in self.sums
        ]
        return Table("Chunks by state", ("state", "chunks", "rows"), lines)

    def _list(self, title: str, chunks: Sequence[Chunk], moment_is: str, moment: str, who: str) -> Table:
        note = f"The first {SHOWN_CHUNKS}." if len(chunks) > SHOWN_CHUNKS else ""
        lines = [
            (name_of(chunk), span_of(chunk), self._when(getattr(chunk, moment)), str(chunk.attempts), chunk.worker)
            for chunk in chunks[:SHOWN_CHUNKS]
        ]
        return Table(title, ("chunk", "rows", moment_is, "attempts", who), lines, note)

    def _broken(self) -> Table:
        """What killed its workers: the rows that were given up, and the chunks that were halved on the way to them."""
        chunks = self._first([ChunkState.DEAD, ChunkState.SPLIT], "-id")
        note = f"The last {SHOWN_CHUNKS}." if len(chunks) > SHOWN_CHUNKS else ""
        lines = [(name_of(chunk), span_of(chunk), chunk.state, chunk.worker) for chunk in chunks[:SHOWN_CHUNKS]]
        return Table("Dead and split", ("chunk", "rows", "state", "last worker"), lines, note)

    def _unanswered(self) -> Table:
        lines: list[tuple[str, ...]] = []
        cut = []
        for status, total in ((RowStatus.FAILED, self.counts.failed), (RowStatus.REJECTED, self.counts.rejected)):
            rows = self._first_rows(status) if total else []
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

    def _when(self, moment: datetime | None) -> str:
        return moment_in_words(moment, self.now)
