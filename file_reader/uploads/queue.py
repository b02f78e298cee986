"""What there is to do, for `/metrics` and for people: one statement, however many uploads have ended."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, F, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Now

from uploads.models import ENDED_STATES, OPEN_CHUNK_STATES, OPEN_STATES, Chunk, ChunkState, Delivery, Upload

#: The states of uploads that somebody works on, or waits for: those of the interface; `indexing` of one that has ended
#: and has no row index yet, `removing` of a deleted one.
UPLOAD_STATES = ("received", "loading", "geocoding", "waiting", "paused", "indexing", "removing")
#: `ready` chunks wait for a worker, or rest; the lease of an `overdue` one is over, and nobody has taken it yet.
CHUNK_STATES = ("ready", "leased", "overdue")


class Waiting(NamedTuple):
    """How much of one kind and state there is. `rows` are those of chunks."""

    number: int = 0
    rows: int = 0
    #: How long the first of them has been so, in seconds.
    seconds: float = 0.0


def queue() -> dict[tuple[str, str], Waiting]:
    """By kind (`upload`, `chunk`, `delivery`) and state. Of what is not there, nothing is said."""
    now = datetime.now(UTC)
    return {
        (kind, state): Waiting(count, rows, max(0.0, (now - since).total_seconds()))
        for kind, state, count, rows, since in _uploads().union(_chunks(), _deliveries(), all=True)
        if since is not None  # deliveries are one group, which may be empty
    }


def _uploads() -> Any:
    shown = Case(
        When(deleted_at__isnull=False, then=Value("removing")),
        When(state__in=ENDED_STATES, then=Value("indexing")),
        When(paused_at__isnull=False, then=Value("paused")),
        When(waiting_since__isnull=False, then=Value("waiting")),
        default=F("state"),
        output_field=CharField(),
    )
    # Those that have ended and are not gone have `indexed_at`, or get it soon.
    uploads = Upload.objects.filter(Q(indexed_at=None) | Q(deleted_at__isnull=False))
    since = Case(
        When(deleted_at__isnull=False, then=F("deleted_at")),
        When(state__in=OPEN_STATES, then=Coalesce("waiting_since", "created_at")),
        default=Coalesce("finished_at", "created_at"),
    )
    return _told(uploads, "upload", shown, since, Value(0))


def _chunks() -> Any:
    is_overdue = Q(state=ChunkState.LEASED, lease_until__lt=Now())
    shown = Case(When(is_overdue, then=Value("overdue")), default=F("state"), output_field=CharField())
    since = Case(When(is_overdue, then=F("lease_until")), When(state=ChunkState.READY, then=F("due_at")), default=Now())
    return _told(Chunk.objects.filter(state__in=OPEN_CHUNK_STATES), "chunk", shown, since, F("row_count"))


def _deliveries() -> Any:
    return _told(Delivery.objects.filter(due_at__isnull=False), "delivery", Value("waiting"), F("created_at"), Value(0))


def _told(found: Any, kind: str, shown: Any, since: Any, rows: Any) -> Any:
    """A query set: kind, state, how many, their rows, and the first moment."""
    groups = found.annotate(kind=Value(kind), shown=shown).values("kind", "shown")
    told = groups.annotate(count=Count("pk"), rows=Sum(rows), since=Min(since))
    return told.order_by().values_list("kind", "shown", "count", "rows", "since")
