"""The database cannot write while a real worker works on it; the numbers are those of docs/faults.md.

A database that restarts is fault 7, in /tests/whole_stack/test_database.py.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.db import connection
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import FILE, ROWS, assert_every_row_has_its_answer, assert_invariant, everything, state_of
from tests.running import WorkerProcess, wait_for

from uploads.models import Chunk, Row, Upload

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
TROUBLE = "database trouble"
#: Seconds; far more than the test takes: whoever waits for a lease to run out is too late.
LONG_LEASE = "600"
#: Bytes; room for the worker's log, and for hardly a page of the database.
ROOM = 8_192
_DISK_FULL = """
CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON uploads_row EXECUTE FUNCTION disk_full();
"""


@contextmanager
def full_disk(worker: WorkerProcess) -> Iterator[None]:
    """What the worker writes to the database finds no room: by the limit of its files' size, or of the table's."""
    if connection.vendor == "sqlite":
        process = psutil.Process(worker.pid)
        process.rlimit(psutil.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))
        yield
        process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return
    with connection.cursor() as cursor:
        cursor.execute(_DISK_FULL)
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION disk_full CASCADE")


def wait_for_trouble(worker: WorkerProcess) -> None:
    """It has tried, has tried again, and pauses."""
    before = worker.log().count(TROUBLE)
    wait_for(lambda: worker.log().count(TROUBLE) >= before + 2)


def test_fault_17_disk_full_while_loading_is_rolled_back_paused_and_resumed(
    api: Api, start_worker: StartWorker
) -> None:
    worker = start_worker(LEASE_SECONDS=LONG_LEASE)
    wait_for(lambda: "worker started" in worker.log())
    with full_disk(worker):
        upload = api.upload(FILE)
        wait_for_trouble(worker)
        assert (Row.objects.count(), Chunk.objects.count(), Upload.objects.get().rows_loaded) == (0, 0, 0)
        assert api.show(upload)["error"] is None
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)
    assert_every_row_has_its_answer(api, upload)


def test_fault_17_disk_full_while_results_are_written_is_rolled_back_paused_and_resumed(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload(FILE)
    consumer.gate.clear()
    worker = start_worker(LEASE_SECONDS=LONG_LEASE)
    consumer.wait_for_calls(1)
    before = everything()["Row"]
    with full_disk(worker):
        consumer.gate.set()
        wait_for_trouble(worker)
        assert everything()["Row"] == before
        assert api.show(upload)["rows"]["pending"] == ROWS
        assert_invariant()
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)
    assert_every_row_has_its_answer(api, upload)
    assert Chunk.objects.get().attempts == 1  # nobody's fault, and no attempt
