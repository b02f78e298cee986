"""The loop around a worker: the same for `manage.py worker` and for Celery's task."""

import gc
import logging
import math
import time
from collections.abc import Callable

from django.db import connection

from service_kit.database_errors import database_is_away
from uploads import counters
from uploads.files.alive import SignOfLife
from uploads.work.bell import Bell
from uploads.work.pauses import IDLE_POLL_SECONDS, POLL_SECONDS
from uploads.work.worker import Worker

logger = logging.getLogger(__name__)

_MAX_DATABASE_PAUSE = 5.0


def work(
    worker: Worker,
    *,
    bell: Bell | None = None,
    idle_poll_seconds: float = IDLE_POLL_SECONDS,
    until_idle: bool = False,
    seconds: float = math.inf,
    on_first_work: Callable[[], None] = lambda: None,
) -> None:
    """Lets a worker do piece after piece until its process is asked to stop; no lease is left behind.

    It also ends when there is nothing to do (with `until_idle`), and after so many seconds, the piece in hand excepted.
    `on_first_work` is called once there was something to do. An idle worker looks when its bell rings, if it has one,
    and every now and then. While the database is away, it waits for it.
    """
    # Rows are hundreds of thousands of tuples at a time, and none of them is part of a cycle.
    gc.set_threshold(100_000, 20, 20)
    end = time.monotonic() + seconds
    worked, trouble = False, 0
    life = SignOfLife()
    worker.show_life = life.show

    def is_over() -> bool:
        return worker.is_stopping() or time.monotonic() >= end

    while not is_over():
        try:
            found = worker.run_once()
            counters.ROUNDS.labels("yes" if found else "no").inc()
            trouble = 0
        except Exception as error:
            if not database_is_away(error):
                raise
            # The database restarts, or its disk is full: what was not committed is done again.
            trouble = min(trouble + 1, 10)
            counters.DATABASE_TROUBLE.inc()
            logger.warning("database trouble, trying again: %s", error)
            worker.database_was_away()
            connection.close()
            _pause(min(_MAX_DATABASE_PAUSE, 0.2 * 2**trouble), unless=is_over)
            continue
        if found and not worked:
            worked = True
            on_first_work()
        if not found and until_idle:
            break
        if not found:
            may_rest = worker.nothing_is_open and bell is not None and bell.works
            _pause(idle_poll_seconds if may_rest else POLL_SECONDS, unless=is_over, bell=bell)
    try:
        worker.stop()
    except Exception as error:
        if not database_is_away(error):
            raise
        logger.warning("the database is away, leases are left to run out: %s", error)
    finally:
        life.close()


def _pause(seconds: float, *, unless: Callable[[], bool], bell: Bell | None = None) -> None:
    """Pauses in short slices, so that a stop is noticed; ends early when the bell says so."""
    wait = time.sleep if bell is None else bell.wait
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not unless():
        if wait(min(left, POLL_SECONDS)):
            return
