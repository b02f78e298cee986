"""postcode_consumer is away, or silent, while real workers need it; the numbers are those of docs/faults.md."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import FILE, ROWS, assert_every_row_has_its_answer, assert_invariant, state_of
from tests.running import WorkerProcess, wait_for
from tests.working import time_passes

from uploads.models import Chunk, ChunkState
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
PUT_BACK = "chunk put back"
STALE = "stale write refused"
#: Seconds within which the work must have resumed, whatever the outage lasted.
RESUMED_WITHIN = 30


def outage(api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, *, seconds: float) -> None:
    """A worker's work, with an outage of at least so long before it; no attempt is used, nothing is answered."""
    consumer.stop()
    upload = api.upload(FILE)
    worker = start_worker(CHUNK_ROWS="50")
    end = time.monotonic() + seconds
    wait_for(lambda: worker.log().count(PUT_BACK) >= 2 and time.monotonic() > end, seconds=seconds + 30)
    assert set(Chunk.objects.filter(state=ChunkState.READY).values_list("attempts", flat=True)) == {0}
    assert api.show(upload)["rows"]["pending"] == ROWS
    consumer.start()
    wait_for(lambda: state_of(api, upload) == "done", seconds=RESUMED_WITHIN)
    assert_every_row_has_its_answer(api, upload)
    assert set(Chunk.objects.values_list("attempts", flat=True)) == {1}


def test_fault_10_while_it_is_down_no_attempt_is_used_and_the_work_resumes_when_it_is_back(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    outage(api, start_worker, consumer, seconds=0)


@pytest.mark.storm
def test_fault_10_down_for_60_s(api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer) -> None:
    outage(api, start_worker, consumer, seconds=60)


def test_fault_10_however_often_it_was_down_nothing_waits_longer_than_the_work_may_take_to_resume(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    consumer.stop()
    api.upload("lat,lon\n51.5,-0.1\n")
    worker = Worker()
    for _ in range(20):
        worker._geocode_from = 0.0
        time_passes()
        assert worker.run_once()
        assert worker._geocode_from - time.monotonic() < RESUMED_WITHIN
        assert not Chunk.objects.filter(due_at__gt=Now() + timedelta(seconds=RESUMED_WITHIN)).exists()
    assert Chunk.objects.filter(fence=20, attempts=0, due_at__gt=Now() + timedelta(seconds=5)).exists()


def test_fault_13_a_lookup_that_does_not_end_is_given_up_while_the_lease_still_holds(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.faults = ["hang"]
    upload = api.upload(FILE)
    workers = [start_worker(LEASE_SECONDS="4"), start_worker(LEASE_SECONDS="4")]
    consumer.wait_for_calls(1)
    lease_until = Chunk.objects.get().lease_until
    wait_for(lambda: any(PUT_BACK in worker.log() for worker in workers))
    assert Chunk.objects.annotate(now=Now()).get().now < lease_until
    assert_invariant()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    # Given back once and then done, with no attempt used: nobody took it over, nobody was too late.
    assert Chunk.objects.values_list("fence", "attempts").get() == (2, 1)
    assert not any(STALE in worker.log() for worker in workers)
