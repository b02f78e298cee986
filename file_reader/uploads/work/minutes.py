"""What workers did, minute by minute: the charts of the admin are drawn from it, and it tells which workers there are.

Each worker adds up in memory, and writes one line a minute, also when it had nothing to do. What a worker has not
written when it is killed is missing in the charts, and nowhere else.
"""

import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from uploads import counters
from uploads.models import WorkMinute

#: The charts show a day; a little more is kept.
_KEPT = timedelta(hours=25)
RESULTS = ("matched", "no_match", "failed", "rejected")

_rows: Counter[str] = Counter()


def name_of_this_worker() -> str:
    """Machine and process."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def count_rows(**rows: int) -> None:
    """Adds rows by their result (`RESULTS`), after they were committed, for the charts and for `/metrics`. To be called
    by the worker's thread."""
    _rows.update(rows)
    for result, count in rows.items():
        counters.ROWS.labels(result).inc(count)


def write_minute(*, if_idle: bool = True) -> None:
    """Writes down what was counted since the last time; without `if_idle` only if there was something."""
    if not if_idle and not _rows.total():
        return
    WorkMinute.objects.create(
        minute=int(time.time()) // 60, worker=name_of_this_worker(), **{result: _rows[result] for result in RESULTS}
    )
    _rows.clear()


def remove_old_minutes(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Removes the minutes that no chart shows any more."""
    old = WorkMinute.objects.filter(minute__lt=int((timezone.now() - _KEPT).timestamp()) // 60)
    return old.count() if dry_run else old.delete()[0]
