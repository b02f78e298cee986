"""What all workers together do just now, and did in the last day: for the front page of the admin."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Sum

from uploads.models import Chunk, ChunkState, WorkMinute
from uploads.work.lease_sql import IS_OPEN
from uploads.work.minutes import RESULTS

#: A chart has a column for each ten minutes of a day.
STEP, STEPS = 10, 144
#: Minutes; a worker that has written none of these is gone.
_ALIVE = 2


@dataclass(frozen=True)
class WorkerFigures:
    """A worker, its leases, and the rows that it wrote in its last minutes."""

    name: str
    leases: int
    rows: int


def dead_chunks() -> int:
    """How many chunks of uploads that are still there were given up."""
    return Chunk.objects.filter(state=ChunkState.DEAD, failed__gt=0).count()  # by the index of those that failed


def workers() -> list[WorkerFigures]:
    """Those that were there in the last two minutes, and whoever holds a lease, by name."""
    held = Chunk.objects.filter(IS_OPEN, state=ChunkState.LEASED).order_by().values_list("worker")
    leases = dict(held.annotate(Count("pk")))
    minutes = WorkMinute.objects.filter(minute__gte=_this_minute() - _ALIVE).values("worker")
    rows = {one["worker"]: one["rows"] for one in minutes.annotate(rows=sum(map(Sum, RESULTS[1:]), Sum(RESULTS[0])))}
    return [WorkerFigures(name, leases.get(name, 0), rows.get(name, 0)) for name in sorted({*leases, *rows})]


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
