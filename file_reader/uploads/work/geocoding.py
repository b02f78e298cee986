"""A claimed chunk: its pending rows → distinct locations → the fan-out → results in one fenced transaction.

The fan-out runs in a thread of its own, so that a worker can write one chunk while the next one is being answered.
"""

import asyncio
import atexit
import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction

from uploads import counters
from uploads.models import ChunkState, RowStatus, area_id
from uploads.row_ids import row_id
from uploads.rows.bulk import (
    Matches,
    PendingRows,
    Unmatched,
    bulk_create_areas,
    bulk_update_results,
    pending_rows,
)
from uploads.work.leases import ChunkLease, finish_upload, note_answer, note_outage, release_chunk
from uploads.work.minutes import count_rows
from uploads.work.postcode_client import (
    REASONS,
    STATUSES,
    UNANSWERED,
    Answers,
    FanOut,
    OutageError,
    PostcodeClient,
    PostcodeServiceError,
    StoppedError,
)

logger = logging.getLogger(__name__)

#: The status of a row by that of its answer.
_ROW_STATUS = np.array([{status.label: status.value for status in RowStatus}[word] for word in STATUSES])
#: How long a chunk rests after the lookup of it went wrong for another reason than an outage.
_REST = timedelta(seconds=2)


@dataclass(frozen=True)
class ChunkLookup:
    """A claimed chunk whose pending rows are being looked up."""

    lease: ChunkLease
    rows: PendingRows
    #: The number of each row's location among those that are asked for.
    _location: npt.NDArray[np.intp]
    _looked_up: "Future[FanOut]"

    def is_answered(self) -> bool:
        """Whether nobody would wait who asks for the outcome now."""
        return self._looked_up.done()

    def wait(self, *, seconds: float) -> None:
        """Until all is answered, or for so long."""
        wait([self._looked_up], seconds)

    def outage(self) -> OutageError | None:
        """Until all is answered that will be; returns the outage that stopped it, if any."""
        looked_up = self._looked_up.result()
        if not isinstance(looked_up.error, OutageError):
            return None
        # Too many rows for the time that a lookup has: the rest goes on from here.
        has_answers = bool((looked_up.answers.status != UNANSWERED).any())
        return None if looked_up.error.reason == "lookup_timeout" and has_answers else looked_up.error

    def rows_per_second(self) -> float | None:
        """How quickly the answers came; None when not all did, or none was asked for."""
        looked_up = self._looked_up.result()
        if looked_up.error is not None or not len(self.rows.ids):
            return None
        return len(self.rows.ids) / max(looked_up.seconds, 1e-3)

    def commit(self, *, outage_delay: timedelta) -> None:
        """Waits, and commits the answers.

        What was answered is kept. The rest goes back without costing an attempt: after an outage `outage_delay` from
        now, and at once when the lookup had to stop or its time was over. Raises LeaseLostError when the chunk is
        somebody else's by now.
        """
        outage = self.outage()
        looked_up, lease = self._looked_up.result(), self.lease
        matches, others = self._results(looked_up.answers)
        answered, failed = len(matches.ids) + len(others), sum(row.status == RowStatus.FAILED for row in others)
        complete = answered == len(self.rows.ids)
        goes_on = outage is None and isinstance(looked_up.error, StoppedError | OutageError)
        bulk_create_areas(looked_up.answers.areas)
        with transaction.atomic():
            release_chunk(
                lease,
                state=ChunkState.DONE if complete else ChunkState.READY,
                matched=len(matches.ids),
                no_match=len(others) - failed,
                failed=failed,
                delay=outage_delay if outage else timedelta(0) if goes_on else _REST,
                costs_attempt=outage is None and not goes_on,
            )
            bulk_update_results(matches, others)
        count_rows(matched=len(matches.ids), no_match=len(others) - failed, failed=failed)
        counters.LOOKUP_SECONDS.labels(_outcome(looked_up.error)).observe(looked_up.seconds)
        counters.CHUNKS.labels("done" if complete else "put_back").inc()
        if outage:
            note_outage(lease.upload_id, reason=outage.reason, detail=str(outage))
        elif answered:
            note_answer(lease)
        if complete:
            finish_upload(lease.upload_id)
        else:
            logger.warning(
                "chunk put back chunk=%s-%s upload=%s first_row=%s answered=%s of=%s why=%s",
                lease.chunk_id,
                lease.fence,
                lease.upload_id,
                lease.first_row,
                answered,
                len(self.rows.ids),
                looked_up.error,
            )

    def cancel(self) -> None:
        """Nobody wants the answers any more."""
        self._looked_up.cancel()

    def _results(self, answers: Answers) -> tuple[Matches, list[Unmatched]]:
        """From the answers to locations to those of rows."""
        place = answers.place[self._location]
        matched = np.flatnonzero(place >= 0)
        place = place[matched]
        area_ids = np.array([area_id(names) for names in answers.areas], np.int64)
        matches = Matches(
            self.rows.ids[matched],
            answers.postcodes[place],
            answers.distance[self._location[matched]],
            area_ids[answers.area[place]],
        )
        status = answers.status[self._location]
        other = np.flatnonzero((status != STATUSES.index("match")) & (status != UNANSWERED))
        others = zip(
            self.rows.ids[other].tolist(),
            _ROW_STATUS[status[other]].tolist(),
            map(REASONS.__getitem__, answers.reason[self._location[other]].tolist()),
            strict=True,
        )
        return matches, list(map(Unmatched._make, others))


def _outcome(error: PostcodeServiceError | None) -> str:
    if error is None:
        return "answered"
    if isinstance(error, OutageError):
        return error.reason
    return "stopped" if isinstance(error, StoppedError) else "refused"


def ask_chunk(lease: ChunkLease, *, is_stopping: Callable[[], bool] = lambda: False) -> ChunkLookup:
    """Begins to look up what is pending in a claimed chunk; when `is_stopping` is true, it stops after the grace."""
    first = row_id(lease.upload_id, lease.first_row)
    rows = pending_rows(first, first + lease.row_count - 1)
    pairs = np.empty(len(rows.ids), np.complex128)
    pairs.real, pairs.imag = rows.latitudes, rows.longitudes
    distinct, location = np.unique(pairs, return_inverse=True)
    looked_up = asyncio.run_coroutine_threadsafe(_look_up(lease, distinct, is_stopping), _loop())
    return ChunkLookup(lease, rows, location, looked_up)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, in a thread of its own: answers come in while others are written."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="lookups", daemon=True).start()
    return loop


@functools.cache
def _client(url: str, token: str, per_call: int, in_flight: int) -> PostcodeClient:
    """The one of this process, so that its connections stay open from one chunk to the next."""
    client = PostcodeClient(url, token, per_call=per_call, in_flight=in_flight)
    atexit.register(lambda: asyncio.run_coroutine_threadsafe(client.close(), _loop()).result(timeout=1))
    return client


async def _look_up(lease: ChunkLease, locations: npt.NDArray[np.complex128], is_stopping: Callable[[], bool]) -> FanOut:
    client = _client(
        settings.POSTCODE_CONSUMER_URL, settings.INTERNAL_TOKEN, settings.LOCATIONS_PER_CALL, settings.FAN_OUT
    )
    return await client.reverse_geocode(
        locations.real,
        locations.imag,
        max_distance=lease.max_distance,
        seconds=settings.CHUNK_DEADLINE.total_seconds(),
        request_id=lease.request_id or f"chunk-{lease.chunk_id}-{lease.fence}",
        is_stopping=is_stopping,
        stop_grace=settings.STOP_GRACE_SECONDS,
    )
