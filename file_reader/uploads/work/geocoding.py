"""A claimed chunk: its pending rows → distinct locations → the fan-out → results in one fenced transaction.

The fan-out runs in a thread of its own, so that a worker can write one chunk while the next one is being answered.
"""

import asyncio
import functools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from uploads.models import AreaNames, ChunkState, RowStatus, area_id
from uploads.row_ids import row_id
from uploads.rows.bulk import (
    PendingRow,
    Result,
    bulk_create_areas,
    bulk_update_results,
    pending_rows,
)
from uploads.work.leases import ChunkLease, finish_upload, note_answer, note_outage, release_chunk
from uploads.work.postcode_client import Answer, FanOut, Location, OutageError, PostcodeClient, StoppedError

logger = logging.getLogger(__name__)

_STATUS = {
    "match": RowStatus.MATCH.value,
    "no_match": RowStatus.NO_MATCH.value,
    "failed": RowStatus.FAILED.value,
}
#: How long a chunk rests after the lookup of it went wrong for another reason than an outage.
_REST = timedelta(seconds=2)


@dataclass(frozen=True)
class ChunkLookup:
    """A claimed chunk whose pending rows are being looked up."""

    lease: ChunkLease
    rows: Sequence[PendingRow]
    #: On this process's monotonic clock.
    asked_at: float
    _looked_up: "Future[FanOut]"

    def outage(self) -> OutageError | None:
        """Until all is answered that will be; returns the outage that stopped it, if any."""
        looked_up = self._looked_up.result()
        if not isinstance(looked_up.error, OutageError):
            return None
        # Too many rows for the time that a lookup has: the rest goes on from here.
        return None if looked_up.error.reason == "lookup_timeout" and looked_up.answers else looked_up.error

    def commit(self, *, outage_delay: timedelta) -> None:
        """Waits, and commits the answers.

        What was answered is kept. The rest goes back without costing an attempt: after an outage `outage_delay` from
        now, and at once when the lookup had to stop or its time was over. Raises LeaseLostError when the chunk is
        somebody else's by now.
        """
        outage = self.outage()
        looked_up, lease = self._looked_up.result(), self.lease
        found = _Found(looked_up.answers.values())
        results = _results(self.rows, looked_up.answers, found)
        counts = Counter([result[1] for result in results])
        complete = len(results) == len(self.rows)
        goes_on = outage is None and isinstance(looked_up.error, StoppedError | OutageError)
        # Areas are the same whoever writes them, and all chunks have the same few: in the chunk's own transaction, a
        # worker that stands still would hold up all others.
        with transaction.atomic():
            bulk_create_areas(found.areas)
        with transaction.atomic():
            release_chunk(
                lease,
                state=ChunkState.DONE if complete else ChunkState.READY,
                matched=counts[RowStatus.MATCH],
                no_match=counts[RowStatus.NO_MATCH],
                failed=counts[RowStatus.FAILED],
                delay=outage_delay if outage else timedelta(0) if goes_on else _REST,
                costs_attempt=outage is None and not goes_on,
            )
            bulk_update_results(results)
        if outage:
            note_outage(lease.upload_id, reason=outage.reason, detail=str(outage))
        elif results:
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
                len(results),
                len(self.rows),
                looked_up.error,
            )

    def cancel(self) -> None:
        """Nobody wants the answers any more."""
        self._looked_up.cancel()


def ask_chunk(lease: ChunkLease, *, is_stopping: Callable[[], bool] = lambda: False) -> ChunkLookup:
    """Begins to look up what is pending in a claimed chunk; when `is_stopping` is true, it stops after the grace."""
    asked_at = time.monotonic()
    first = row_id(lease.upload_id, lease.first_row)
    rows = pending_rows(first, first + lease.row_count - 1)
    looked_up = asyncio.run_coroutine_threadsafe(_look_up(lease, rows, is_stopping), _loop())
    return ChunkLookup(lease, rows, asked_at, looked_up)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process, in a thread of its own: answers come in while others are written."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="lookups", daemon=True).start()
    return loop


async def _look_up(lease: ChunkLease, rows: Sequence[PendingRow], is_stopping: Callable[[], bool]) -> FanOut:
    locations: list[Location] = list(dict.fromkeys([(latitude, longitude) for _, latitude, longitude in rows]))
    if not locations:
        return FanOut()
    client = PostcodeClient(
        url=settings.POSTCODE_CONSUMER_URL,
        token=settings.INTERNAL_TOKEN,
        per_call=settings.LOCATIONS_PER_CALL,
        in_flight=settings.FAN_OUT,
        is_stopping=is_stopping,
        stop_grace=settings.STOP_GRACE_SECONDS,
    )
    return await client.reverse_geocode(
        locations,
        max_distance=lease.max_distance,
        seconds=settings.CHUNK_DEADLINE.total_seconds(),
        request_id=f"chunk-{lease.chunk_id}-{lease.fence}",
    )


class _Found:
    """What the answers say about areas, and the area of each postcode."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.areas: dict[AreaNames, int] = {}
        self.area_of: dict[str | None, int] = {}
        for answer in answers:
            details = answer.postcode_details
            if answer.postcode is None or details is None or answer.postcode in self.area_of:
                continue
            names = (details.country, details.region, details.admin_district, details.admin_ward)
            area = self.areas.get(names)
            if area is None:
                area = self.areas[names] = area_id(names)
            self.area_of[answer.postcode] = area


def _results(rows: Sequence[PendingRow], answers: dict[Location, Answer], found: _Found) -> list[Result]:
    return [
        (id_, _STATUS[answer.status], answer.reason, answer.postcode, answer.distance_m,
         found.area_of.get(answer.postcode))
        for id_, latitude, longitude in rows
        if (answer := answers.get((latitude, longitude))) is not None
    ]  # fmt: skip
