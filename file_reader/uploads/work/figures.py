"""What all workers together do just now, and did in the last day: for the front page of the admin."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, Sum

from uploads.models import Chunk, ChunkState, Upload, UploadState, WorkMinute
from uploads.work.lease_sql import IS_OPEN
from uploads.work.minutes import RESULTS

#: A chart has a column for each ten minutes of a day.
STEP, STEPS = 10, 144
#: Minutes; a worker that has written none of these is gone.
_ALIVE = 2


@dataclass(frozen=True)
class Queue:
    """Chunks and their rows; `dead` are those of uploads that are still there."""

    ready: int
    ready_rows: int
    leased: int
    leased_rows: int
    dead: int


@dataclass(frozen=True)
class WorkerFigures:
    """A worker, its leases, and the rows that it wrote in its last minutes."""

    name: str
    leases: int
    rows: int


def queue() -> Queue:
    """Of all uploads together."""

    def chunks(state: ChunkState) -> dict[str, Any]:
        of_state = Q(state=state)
        return {
            state.value: Count("pk", filter=of_state),
            f"{state}_rows": Sum("row_count", filter=of_state, default=0),
        }

    found = Chunk.objects.filter(IS_OPEN).aggregate(**chunks(ChunkState.READY), **chunks(ChunkState.LEASED))
    dead = Chunk.objects.filter(state=ChunkState.DEAD, failed__gt=0).count()  # by the index of those that failed
    return Queue(**found, dead=dead)


def uploads_at_work() -> dict[str, int]:
    """How many uploads there are in each state that is no end."""
    open_uploads = Upload.objects.filter(indexed_at=None)
    is_there = Q(deleted_at=None)
    return open_uploads.aggregate(
        received=Count("pk", filter=is_there & Q(state=UploadState.RECEIVED, paused_at=None)),
        loading=Count("pk", filter=is_there & Q(state=UploadState.LOADING, paused_at=None)),
        geocoding=Count("pk", filter=is_there & Q(state=UploadState.GEOCODING, paused_at=None)),
        waiting=Count("pk", filter=is_there & Q(waiting_since__isnull=False, finished_at=None, paused_at=None)),
        paused=Count("pk", filter=is_there & Q(paused_at__isnull=False)),
    )


def workers() -> list[WorkerFigures]:
    """Those that were there in the last two minutes, and whoever holds a lease, by name."""
    leases = dict(Chunk.objects.filter(IS_OPEN, state=ChunkState.LEASED).values_list("worker").annotate(Count("pk")))
    minutes = WorkMinute.objects.filter(minute__gte=_this_minute() - _ALIVE).values("worker")
    rows = {one["worker"]: one["rows"] for one in minutes.annotate(rows=sum(map(Sum, RESULTS[1:]), Sum(RESULTS[0])))}
    return [WorkerFigures(name, leases.get(name, 0), rows.get(name, 0)) for name in sorted({*leases, *rows})]


def rows_by_steps() -> tuple[int, dict[str, list[int]]]:
    """The rows of the last day by result, for each ten minutes; the first minute, and the numbers."""
    first = (_this_minute() // STEP - STEPS + 1) * STEP
    steps = WorkMinute.objects.filter(minute__gte=first).annotate(place=(F("minute") - first) / STEP).values("place")
    rows = {result: [0] * STEPS for result in RESULTS}
    for step in steps.annotate(**{f"sum_{result}": Sum(result) for result in RESULTS}):
        for result in RESULTS:
            rows[result][min(step["place"], STEPS - 1)] = step[f"sum_{result}"]
    return first, rows


def rows_a_second(workers: Sequence[WorkerFigures]) -> float:
    """How many rows they wrote a second, over the last minutes."""
    return sum(worker.rows for worker in workers) / (_ALIVE * 60)


def _this_minute() -> int:
    return int(time.time()) // 60
