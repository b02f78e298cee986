"""Work done in the tests' own process, and time that passes at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models.functions import Now

from uploads.models import OPEN_STATES, Chunk, ChunkState, Upload
from uploads.work.geocoding import ask_chunk
from uploads.work.leases import ChunkLease
from uploads.work.postcode_client import OutageError
from uploads.work.worker import Worker

T = TypeVar("T")


def work_until_idle(worker: Worker | None = None) -> None:
    """Lets a worker do what there is to do now."""
    worker = worker or Worker()
    end = time.monotonic() + 60
    while worker.run_once():
        assert time.monotonic() < end, "the worker does not come to rest"
    worker.stop()


def work_until_ended() -> None:
    """Works until every upload has ended and what is deleted is gone; waits and pauses pass at once."""
    end = time.monotonic() + 60
    while Upload.objects.filter(state__in=OPEN_STATES, deleted_at=None).exists() or _deleted():
        assert time.monotonic() < end, f"still open: {list(Upload.objects.values('state', 'error'))}"
        work_until_idle()
        time_passes()


def _deleted() -> bool:
    return Upload.objects.exclude(deleted_at=None).exists()


def time_passes() -> None:
    """Whatever waits for its time is due."""
    Chunk.objects.filter(state=ChunkState.READY).update(due_at=Now())


def leases_run_out() -> None:
    """As if every claimant had been silent for longer than its lease."""
    past = Now() - timedelta(seconds=1)
    Chunk.objects.filter(state=ChunkState.LEASED).update(lease_until=past)
    Upload.objects.exclude(lease_until=None).update(lease_until=past)


def geocode_chunk(lease: ChunkLease, *, outage_delay: timedelta) -> OutageError | None:
    """What a worker does with a claimed chunk; the outage that stopped it, if any."""
    asked = ask_chunk(lease)
    asked.commit(outage_delay=outage_delay)
    return asked.outage()


def in_thread(function: Callable[..., T], *arguments: Any) -> "Future[T]":
    """Runs a function in a thread with a database connection of its own."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001 (it is raised again where the result is asked for)
            future.set_exception(error)
        finally:
            connection.close()

    threading.Thread(target=run).start()
    return future
