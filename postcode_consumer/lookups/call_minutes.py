"""What came of the calls upstream, minute by minute, for the charts of the admin.

Each process adds up in memory; its keeper writes one line for each minute in which there were calls. What a process has
not written when it is killed is missing in the charts, and nowhere else.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import F, Max, Sum

from lookups.errors import CallFailedError, OverloadedError, TimedOutError
from lookups.models import CallMinute

OUTCOMES = ("answered", "refused", "timed_out", "failed")
#: Minutes; the charts show a day, and a little more is kept.
_KEPT = 25 * 60


@dataclass
class _Minute:
    minute: int
    answered: int = 0
    refused: int = 0
    timed_out: int = 0
    failed: int = 0
    seconds: float = 0.0
    longest: float = 0.0


_lock = threading.Lock()
#: Those that are not written yet; calls are added to the last.
_minutes: list[_Minute] = []


@contextmanager
def counted_call() -> Iterator[None]:
    """Counts one call by how it ends, with the time that it takes."""
    started, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "answered"
    except CallFailedError as error:
        outcome = _outcome(error)
        raise
    finally:
        _add(outcome, time.monotonic() - started)


def _outcome(error: CallFailedError) -> str:
    if isinstance(error, OverloadedError):
        return "refused"
    return "timed_out" if isinstance(error, TimedOutError) else "failed"


def _add(outcome: str, seconds: float) -> None:
    now = _this_minute()
    with _lock:
        if not _minutes or _minutes[-1].minute != now:
            _minutes.append(_Minute(now))
            del _minutes[:-_KEPT]  # while the database is away
        minute = _minutes[-1]
        setattr(minute, outcome, getattr(minute, outcome) + 1)
        minute.seconds += seconds
        minute.longest = max(minute.longest, seconds)


def is_any_unwritten() -> bool:
    """Whether `write` will have something to write, now or when this minute is over."""
    return bool(_minutes)


def write(*, is_last: bool = False) -> None:
    """Writes down the minutes that are over, and with `is_last` this one, too; removes those of yesterday."""
    now = _this_minute()
    with _lock:
        over = [minute for minute in _minutes if is_last or minute.minute < now]
        _minutes[:] = [minute for minute in _minutes if minute not in over]
    if not over:
        return
    try:
        CallMinute.objects.bulk_create(CallMinute(**asdict(minute)) for minute in over)
        CallMinute.objects.filter(minute__lt=now - _KEPT).delete()
    except BaseException:
        with _lock:
            _minutes[:0] = over
        raise


def by_steps(first_minute: int, step: int) -> list[dict[str, Any]]:
    """The calls from that minute on, added up by `step` minutes; `place` counts the steps from 0, those without calls
    are left out. `seconds` are those of all calls, `most` those of the longest."""
    found = CallMinute.objects.filter(minute__gte=first_minute).order_by()
    sums = {name: Sum(name) for name in (*OUTCOMES, "seconds")}
    steps = found.annotate(place=(F("minute") - first_minute) / step).values("place")
    return [dict(one) for one in steps.annotate(**sums, most=Max("longest"))]


def _this_minute() -> int:
    return int(time.time()) // 60
