"""What a worker does next."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from service_kit.database_errors import database_is_away
from service_kit.logs import work_for
from uploads import counters
from uploads.models import ChunkState, Upload
from uploads.problems import body_of
from uploads.reading.errors import ReadingError
from uploads.rows.bulk import forget_areas
from uploads.work import sources
from uploads.work.delivering import deliver_all_due, due_deliveries
from uploads.work.geocoding import ChunkLookup, ask_chunk
from uploads.work.housekeeping import purge_deleted
from uploads.work.indexing import IndexLease, claim_index, release_index, write_segment
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
from uploads.work.minutes import write_minute
from uploads.work.pauses import MAX_OUTAGE_PAUSE

logger = logging.getLogger(__name__)

_GAVE_UP = ReadingError("Reading the file ended without a word in every attempt. The operator's log says more.")
#: We size chunks so that their answers take about this long, in seconds, whatever else the machine does. `CHUNK_ROWS`
#: is the most that one has: large ones are quicker to write; after a slow answer small ones let people see how the work
#: goes on, and lose less when a worker dies.
TARGET_ANSWER_SECONDS = 1.0
#: The rows of a chunk before it is known how quickly answers come, and at least.
FIRST_CHUNK_ROWS = 2_000
_SWEEP_SECONDS = 5.0
_DELIVER_SECONDS = 1.0
_MINUTE_SECONDS = 60.0
#: The most uploads that a worker loads in turn; beside them it begins those of at most so many bytes, which take a step
#: or two.
MAX_LOADERS = 8
SMALL_BYTES = 1 << 16


class Worker:
    """Loads and geocodes in turn, so that the first rows have answers while a long file is still being loaded.

    While it loads or writes, the answers to the next chunk come in. It has two chunks at most.
    In each round it begins a new upload, if there is one, and goes on with that one of its others whose turn is next.
    It writes one segment of a row index, and removes one slice of what was deleted.

    Once `is_stopping` is true, nothing new is begun, and a lookup in flight gets `STOP_GRACE_SECONDS`.
    """

    def __init__(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self.is_stopping = is_stopping
        #: Called in every round, and every second while answers are waited for.
        self.show_life: Callable[[], None] = lambda: None
        #: As of the last `run_once`: there is no upload in which anything could fall due.
        self.nothing_is_open = False
        self._loaders: dict[LoadLease, Loader] = {}
        # The chunk that is next, and the one whose answers come in.
        self._claimed: ChunkLease | None = None
        self._asked: ChunkLookup | None = None
        # The row index that is being written.
        self._indexed: IndexLease | None = None
        self._unreleased: list[ChunkLease | LoadLease | IndexLease] = []
        self._rows_per_second = 0.0
        self._outages = 0
        self._geocode_from = 0.0
        self._delivering: threading.Thread | None = None
        self._deliver_from = 0.0
        self._ingesting: threading.Thread | None = None
        self._sweep_from = 0.0
        self._minute_from = 0.0

    def run_once(self) -> bool:
        """Does the next piece of work; False when there was nothing to do.

        Raises what `database_is_away` knows: call `database_was_away`, and then again.
        """
        self.show_life()
        self._release()
        self._sweep()
        # One statement instead of three and two transactions.
        holds_nothing = not (self._loaders or self._claimed or self._asked or self._indexed)
        self.nothing_is_open = holds_nothing and not _is_anything_open()
        if self.nothing_is_open:
            return False
        loaded = self._load()
        geocoded = self._geocode()
        indexed = self._index()
        purged = self._purge()
        return loaded or geocoded or indexed or purged

    def stop(self) -> None:
        """Ends gracefully: what is in flight is waited for and kept, and no lease is left behind."""
        if self._asked is not None:
            self._geocode(is_last=True)
        self.database_was_away()
        self._release()
        write_minute(if_idle=False)

    def database_was_away(self) -> None:
        """Drops what is in memory: the database knows better. Leases are released as soon as it answers."""
        self._unreleased += self._loaders
        if self._claimed is not None:
            self._unreleased.append(self._claimed)
        if self._asked is not None:
            self._unreleased.append(self._asked.lease)
            self._asked.cancel()
        if self._indexed is not None:
            self._unreleased.append(self._indexed)
        self._claimed = self._asked = self._indexed = None
        forget_areas()
        for lease in list(self._loaders):
            self._forget(lease)

    def _release(self) -> None:
        while self._unreleased:
            lease = self._unreleased[-1]
            with work_for(lease.request_id):
                self._let_go(lease)
            self._unreleased.pop()

    def _let_go(self, lease: ChunkLease | LoadLease | IndexLease) -> None:
        try:
            if isinstance(lease, LoadLease):
                release_upload(lease)
            elif isinstance(lease, IndexLease):
                release_index(lease)
            else:
                release_chunk(lease, state=ChunkState.READY, costs_attempt=False)
                counters.CHUNKS.labels("given_back").inc()
                logger.info("chunk given back chunk=%s-%s upload=%s", lease.chunk_id, lease.fence, lease.upload_id)
        except LeaseLostError as error:
            logger.info("lease was over: %s", error)

    def _load(self) -> bool:
        """A step of a new upload, which therefore waits for one step of others at most, and a step of the upload whose
        turn is next."""
        for loader in list(self._loaders.values()):
            with self._trouble_with(loader.lease):
                loader.hold()
        held = list(self._loaders.values())
        has_begun = self._begin_upload(at_most_bytes=None if len(held) < MAX_LOADERS else SMALL_BYTES)
        if held:
            self._step(min(held, key=lambda loader: loader.turn))
        return has_begun or bool(held)

    def _begin_upload(self, *, at_most_bytes: int | None) -> bool:
        lease = claim_upload(at_most_bytes=at_most_bytes)
        if lease is None:
            return False
        with self._trouble_with(lease):
            if lease.attempts > settings.MAX_ATTEMPTS:
                fail_upload(lease, error=body_of(_GAVE_UP))
            else:
                self._loaders[lease] = Loader(lease)
                self._step(self._loaders[lease])
        return True

    def _step(self, loader: Loader) -> None:
        with self._trouble_with(loader.lease):
            with counters.TURN_SECONDS.labels("load").time():
                may_be_more = loader.step(self._chunk_rows())
            if not may_be_more:
                self._forget(loader.lease)

    def _forget(self, lease: LoadLease) -> None:
        if loader := self._loaders.pop(lease, None):
            loader.close()

    @contextmanager
    def _trouble_with(self, lease: LoadLease) -> Iterator[None]:
        """What goes wrong with the loading of one upload keeps nobody from the next."""
        with work_for(lease.request_id):
            try:
                yield
            except LeaseLostError as error:
                counters.LEASES_LOST.labels("file").inc()
                logger.warning("stale write refused: %s", error)
                self._forget(lease)
            except Exception as error:
                if database_is_away(error):
                    if lease not in self._loaders:
                        self._unreleased.append(lease)
                    raise
                # The disk, or the shared folder, may come back: the lease runs out, and attempts are counted.
                logger.exception("the uploaded file cannot be loaded")
                self._forget(lease)

    def _chunk_rows(self) -> int:
        return min(settings.CHUNK_ROWS, max(FIRST_CHUNK_ROWS, int(self._rows_per_second * TARGET_ANSWER_SECONDS)))

    def _geocode(self, *, is_last: bool = False) -> bool:
        """Writes a chunk, once it is answered; unless it is to be the last, the next one is asked about meanwhile."""
        if self._asked is None and self._claimed is None:
            self._claim()
        self._ask()
        asked, self._asked = self._asked, None
        if asked is None:
            return False
        with work_for(asked.lease.request_id):
            self._write(asked, is_last=is_last)
        return True

    def _write(self, asked: ChunkLookup, *, is_last: bool) -> None:
        pause = min(MAX_OUTAGE_PAUSE, 2.0**self._outages) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        try:
            while not asked.is_answered():
                self.show_life()
                # However slowly answers come, what was deleted goes.
                if is_last or not self._purge():
                    asked.wait(seconds=1.0)
            outage = asked.outage()
            if outage is None:
                self._outages = 0
                if not is_last:
                    self._claim()
                    self._ask(unless_repeated=True)
            else:
                self._outages = min(self._outages + 1, 10)
                self._geocode_from = time.monotonic() + pause
            self._rows_per_second = asked.rows_per_second() or self._rows_per_second
            with counters.TURN_SECONDS.labels("write").time():
                asked.commit(outage_delay=timedelta(seconds=pause))
        except LeaseLostError as error:
            counters.LEASES_LOST.labels("chunk").inc()
            logger.warning("stale write refused: %s", error)
        except Exception as error:
            if database_is_away(error):
                self._unreleased.append(asked.lease)
                raise
            counters.CHUNKS.labels("failed").inc()
            logger.exception(
                "chunk failed chunk=%s-%s upload=%s first_row=%s",
                asked.lease.chunk_id,
                asked.lease.fence,
                asked.lease.upload_id,
                asked.lease.first_row,
            )
            release_chunk(asked.lease, state=ChunkState.READY, delay=timedelta(seconds=1))

    def _claim(self) -> None:
        if not self.is_stopping() and time.monotonic() >= self._geocode_from:
            self._claimed = claim_chunk()

    def _ask(self, *, unless_repeated: bool = False) -> None:
        """Begins to look up what is claimed. What killed a worker before must not take another chunk with it."""
        if self._claimed and not (unless_repeated and self._claimed.attempts > 1):
            self._asked = ask_chunk(self._claimed, is_stopping=self.is_stopping)
            self._claimed = None

    def _index(self) -> bool:
        """Writes one segment of the row index of an upload that has ended."""
        if self._indexed is None:
            self._indexed = claim_index()
        if self._indexed is None:
            return False
        with work_for(self._indexed.request_id):
            self._write_segment(self._indexed)
        return True

    def _write_segment(self, lease: IndexLease) -> None:
        try:
            with counters.TURN_SECONDS.labels("index").time():
                self._indexed = write_segment(lease)
        except LeaseLostError as error:
            counters.LEASES_LOST.labels("index").inc()
            logger.warning("stale write refused: %s", error)
            self._indexed = None
        except Exception as error:
            if database_is_away(error):
                raise
            # Its rows are walked through, and when the lease is over, somebody tries again.
            logger.exception("the row index cannot be written upload=%s", lease.upload_id)
            self._indexed = None

    def _purge(self) -> bool:
        """Removes one slice of what was deleted."""
        began = time.perf_counter()
        try:
            found = purge_deleted()
        except OSError as error:
            logger.warning("the file of a deleted upload cannot be removed: %s", error)
            return False
        if found:
            counters.TURN_SECONDS.labels("purge").observe(time.perf_counter() - began)
        return found

    def _sweep(self) -> None:
        now = time.monotonic()
        if now >= self._deliver_from:
            self._deliver_from = now + _DELIVER_SECONDS
            self._deliver()
        if now >= self._sweep_from:
            self._sweep_from = now + _SWEEP_SECONDS
            sweep()
            self._ingest()
        if now >= self._minute_from:
            self._minute_from = now + _MINUTE_SECONDS
            write_minute()

    def _deliver(self) -> None:
        """Has webhooks sent by a thread: no receiver keeps chunks waiting. It is no daemon: what is sent is noted."""
        is_busy = self._delivering is not None and self._delivering.is_alive()
        if not is_busy and not self.is_stopping() and due_deliveries().exists():
            self._delivering = threading.Thread(target=deliver_all_due, args=[self.is_stopping], name="deliver")
            self._delivering.start()

    def _ingest(self) -> None:
        """Has sources that are due looked at by a thread, as webhooks are sent."""
        is_busy = self._ingesting is not None and self._ingesting.is_alive()
        if not is_busy and not self.is_stopping() and sources.are_due():
            self._ingesting = threading.Thread(target=sources.look_at_all_due, args=[self.is_stopping], name="ingest")
            self._ingesting.start()


def _is_anything_open() -> bool:
    """Whether there may be something to do, now or when its time comes. Else there is not until somebody makes work."""
    return Upload.objects.filter(Q(indexed_at=None, paused_at=None) | Q(deleted_at__isnull=False)).exists()
