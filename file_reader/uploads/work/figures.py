"""What all workers together do just now, and did in the last day: for the front page of the admin."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
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


def queue_and_workers() -> tuple[Queue, list[WorkerFigures]]:
    """The open chunks of all uploads together; the workers that were there in the last two minutes, and whoever holds a
    lease, by name."""
    held = Chunk.objects.filter(IS_OPEN).order_by().values_list("state", "worker")
    ready = leased = ready_rows = leased_rows = 0
    leases: Counter[str] = Counter()
    for state, worker, chunks, rows in held.annotate(Count("pk"), Sum("row_count")):
        if state == ChunkState.LEASED:
            leased, leased_rows = leased + chunks, leased_rows + rows
            leases[worker] += chunks
        else:
            ready, ready_rows = ready + chunks, ready_rows + rows
    dead = Chunk.objects.filter(state=ChunkState.DEAD, failed__gt=0).count()  # by the index of those that failed
    return Queue(ready, ready_rows, leased, leased_rows, dead), _workers(leases)


def _workers(leases: Mapping[str, int]) -> list[WorkerFigures]:
    minutes = WorkMinute.objects.filter(minute__gte=_this_minute() - _ALIVE).values("worker")
    rows = {one["worker"]: one["rows"] for one in minutes.annotate(rows=sum(map(Sum, RESULTS[1:]), Sum(RESULTS[0])))}
    return [WorkerFigures(name, leases.get(name, 0), rows.get(name, 0)) for name in sorted({*leases, *rows})]


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


def rows_by_steps() -> tuple[int, dict[str, list[int]]]:
    """The rows of the last day by result, for each ten minutes; the first minute, and the numbers."""
    first = (_this_minute() // STEP - STEPS + 1) * STEP
    steps = WorkMinute.objects.filter(minute__gte=first).annotate(place=(F("minute") - first) / STEP).values("place")
    rows = {result: [0] * STEPS for result in RESULTS}
    sums: Any = steps.annotate(**{f"sum_{result}": Sum(result) for result in RESULTS})
    for step in sums:
        for result in RESULTS:
            rows[result][min(step["place"], STEPS - 1)] = step[f"sum_{result}"]
    return first, rows


def rows_a_second(workers: Sequence[WorkerFigures]) -> float:
    """How many rows they wrote a second, over the last minutes."""
    return sum(worker.rows for worker in workers) / (_ALIVE * 60)


def _this_minute() -> int:
    return int(time.time()) // 60
