"""What a worker does next, and the loop around it: the same for `manage.py worker` and for Celery's task."""

import gc
import logging
import math
import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection

from reader_config.problems import database_is_away
from uploads.models import ChunkState
from uploads.work.commands import collect_abandoned, purge_deleted
from uploads.work.geocoding import AskedChunk, ask_chunk
from uploads.work.leases import (
    ChunkLease,
    LeaseLostError,
    LoadLease,
    claim_chunk,
    claim_upload,
    fail_upload,
    release_chunk,
    release_upload,
    sweep,
)
from uploads.work.loading import Loader

logger = logging.getLogger(__name__)

#: How long postcode_consumer is left alone after outages, in seconds: 1, 2, 4, … up to this. Work resumes within it.
MAX_OUTAGE_PAUSE = 15.0
_GAVE_UP: dict[str, object] = {
    "type": "/problems/unreadable-file",
    "title": "The file cannot be read",
    "status": 422,
    "detail": "Reading the file ended without a word in every attempt. The operator's log says more.",
}
#: The seconds that a chunk is meant to take. `CHUNK_ROWS` is the most that it has: large ones are quicker to write, and
#: after a slow answer small ones let people see how the work goes on, and lose less when a worker dies.
CHUNK_SECONDS = 1.0
#: The rows of a chunk before it is known how quickly answers come, and at least.
FIRST_CHUNK_ROWS = 2_000
#: How often an idle worker looks for work, in seconds.
POLL_SECONDS = 0.25
_MAX_DATABASE_PAUSE = 5.0
_SWEEP_SECONDS = 5.0
_COLLECT_SECONDS = 600.0


class Worker:
    """Loads and geocodes in turn, so that the first rows have answers while a long file is still being loaded.

    While it loads or writes, the answers to the next chunk come in. It has two chunks at most.

    Once `is_stopping` is true, nothing new is begun, and a lookup in flight gets `STOP_GRACE_SECONDS`.
    """

    def __init__(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self.is_stopping = is_stopping
        self._loader: Loader | None = None
        # The chunk that is next, and the one whose answers come in.
        self._claimed: ChunkLease | None = None
        self._asked: AskedChunk | None = None
        self._unreleased: list[ChunkLease | LoadLease] = []
        self._rows_per_second = 0.0
        self._outages = 0
        self._geocode_from = 0.0
        self._sweep_from = 0.0
        self._collect_from = 0.0

    def run_once(self) -> bool:
        """Does the next piece of work; False when there was nothing to do.

        Raises what `database_is_away` knows: call `database_was_away`, and then again.
        """
        self._release()
        self._sweep()
        loaded = self._load()
        geocoded = self._geocode()
        return loaded or geocoded or purge_deleted()

    def stop(self) -> None:
        """Ends gracefully: what is in flight is waited for and kept, and no lease is left behind."""
        if self._asked is not None:
            self._geocode(is_last=True)
        self.database_was_away()
        self._release()

    def database_was_away(self) -> None:
        """Drops what is in memory: the database knows better. Leases are released as soon as it answers."""
        if self._loader is not None:
            self._unreleased.append(self._loader.lease)
        if self._claimed is not None:
            self._unreleased.append(self._claimed)
        if self._asked is not None:
            self._unreleased.append(self._asked.lease)
            self._asked.drop()
        self._claimed = self._asked = None
        self._forget()

    def _release(self) -> None:
        while self._unreleased:
            lease = self._unreleased[-1]
            try:
                if isinstance(lease, LoadLease):
                    release_upload(lease)
                else:
                    release_chunk(lease, state=ChunkState.READY, costs_attempt=False)
            except LeaseLostError as error:
                logger.info("lease was over: %s", error)
            self._unreleased.pop()

    def _forget(self) -> None:
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _load(self) -> bool:
        lease = None
        try:
            if self._loader is None:
                lease = claim_upload()
                if lease is None:
                    return False
                if lease.attempts > settings.MAX_ATTEMPTS:
                    fail_upload(lease, error=_GAVE_UP)
                    return True
                self._loader = Loader(lease)
            if not self._loader.step(self._chunk_rows()):
                self._forget()
        except LeaseLostError as error:
            logger.warning("stale write refused: %s", error)
            self._forget()
        except Exception as error:
            if database_is_away(error):
                if lease is not None and self._loader is None:
                    self._unreleased.append(lease)
                raise
            # The disk, or the shared folder, may come back: the lease runs out, and attempts are counted.
            logger.exception("the uploaded file cannot be loaded")
            self._forget()
        return True

    def _chunk_rows(self) -> int:
        return min(settings.CHUNK_ROWS, max(FIRST_CHUNK_ROWS, int(self._rows_per_second * CHUNK_SECONDS)))

    def _geocode(self, *, is_last: bool = False) -> bool:
        """Writes a chunk, once it is answered; unless it is to be the last, the next one is asked about meanwhile."""
        if self._asked is None and self._claimed is None:
            self._claim()
        self._ask()
        asked, self._asked = self._asked, None
        if asked is None:
            return False
        pause = min(MAX_OUTAGE_PAUSE, 2.0**self._outages) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        try:
            outage = asked.wait()
            if outage is None:
                self._outages = 0
                if not is_last:
                    self._claim()
                    self._ask(unless_repeated=True)
            else:
                self._outages = min(self._outages + 1, 10)
                self._geocode_from = time.monotonic() + pause
            asked.write(outage_delay=timedelta(seconds=pause))
            if outage is None:
                self._rows_per_second = asked.lease.row_count / max(time.monotonic() - asked.asked_at, 1e-3)
        except LeaseLostError as error:
            logger.warning("stale write refused: %s", error)
        except Exception as error:
            if database_is_away(error):
                self._unreleased.append(asked.lease)
                raise
            logger.exception("chunk failed upload=%s first_row=%s", asked.lease.upload_id, asked.lease.first_row)
            release_chunk(asked.lease, state=ChunkState.READY, delay=timedelta(seconds=1))
        return True

    def _claim(self) -> None:
        if not self.is_stopping() and time.monotonic() >= self._geocode_from:
            self._claimed = claim_chunk()

    def _ask(self, *, unless_repeated: bool = False) -> None:
        """Begins to look up what is claimed. What killed a worker before must not take another chunk with it."""
        if self._claimed and not (unless_repeated and self._claimed.attempts > 1):
            self._asked = ask_chunk(self._claimed, is_stopping=self.is_stopping)
            self._claimed = None

    def _sweep(self) -> None:
        now = time.monotonic()
        if now >= self._sweep_from:
            self._sweep_from = now + _SWEEP_SECONDS
            sweep()
        if now >= self._collect_from:
            self._collect_from = now + _COLLECT_SECONDS
            try:
                collect_abandoned()
            except OSError as error:  # what cannot be removed is waste, and no reason to stop working
                logger.warning("abandoned files cannot be collected: %s", error)


def work(
    worker: Worker,
    *,
    until_idle: bool = False,
    seconds: float = math.inf,
    on_first_work: Callable[[], None] = lambda: None,
) -> None:
    """Lets a worker do piece after piece until its process is asked to stop; no lease is left behind.

    It also ends when there is nothing to do (with `until_idle`), and after so many seconds, the piece in hand excepted.
    `on_first_work` is called once there was something to do. While the database is away, it waits for it.
    """
    # Rows are hundreds of thousands of tuples at a time, and none of them is part of a cycle.
    gc.set_threshold(100_000, 20, 20)
    end = time.monotonic() + seconds
    worked, trouble = False, 0

    def is_over() -> bool:
        return worker.is_stopping() or time.monotonic() >= end

    while not is_over():
        try:
            found = worker.run_once()
            trouble = 0
        except Exception as error:
            if not database_is_away(error):
                raise
            # The database restarts, or its disk is full: what was not committed is done again.
            trouble = min(trouble + 1, 10)
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
            _pause(POLL_SECONDS, unless=is_over)
    try:
        worker.stop()
    except Exception as error:
        if not database_is_away(error):
            raise
        logger.warning("the database is away, leases are left to run out: %s", error)


def _pause(seconds: float, *, unless: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not unless():
        time.sleep(min(left, POLL_SECONDS))
