"""A fair queue: every chunk has a turn, and workers take the smallest.

This is start-time fair queueing. A chunk gets its turn when it is made. It costs its upload as many turns as it has
rows, times the uploads of its owner that are at work: owners have equal shares, whatever they send. Who comes late
begins where the queue is just then: he neither waits for what was made before, nor catches up on what others have had.
Nothing is counted that all workers would have to lock in turn (docs/decisions/0023).
"""

from django.db.models import Max, QuerySet

from uploads.models import GEOCODABLE_STATES, OPEN_STATES, Chunk, ChunkState, Upload
from uploads.work.lease_sql import IS_OPEN


def next_turn() -> int:
    """Where the queue is: the smallest turn that waits. If none waits, the end of all that open uploads were given.

    Chunks that are being looked up do not count: one that kills its workers stays behind for minutes.
    """
    waiting = Chunk.objects.filter(
        IS_OPEN,
        state=ChunkState.READY,
        upload__state__in=GEOCODABLE_STATES,
        upload__deleted_at=None,
        upload__paused_at=None,
    )
    turn = waiting.order_by("turn", "id").values_list("turn", flat=True).first()
    if turn is None:
        turn = _at_work().filter(state__in=OPEN_STATES).aggregate(last=Max("turn"))["last"]
    return turn or 0


def price_of_a_row(owner_id: int | None) -> int:
    """The turns that a row costs: one for each upload of the owner that is at work. Without an owner (AUTH=off) one."""
    if owner_id is None:
        return 1
    return max(1, _at_work().filter(owner=owner_id, state__in=GEOCODABLE_STATES).count())


def _at_work() -> QuerySet[Upload]:
    # What is open has no index: the condition leads to the few that are open.
    return Upload.objects.filter(indexed_at=None, deleted_at=None, paused_at=None)
