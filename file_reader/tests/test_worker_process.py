"""`manage.py worker` as a process: it works, it is killed, it is told to stop."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, postcode_at
from tests.processes import wait_for
from tests.working import leases_run_out

from uploads.models import Chunk, ChunkState, Row, RowStatus, Upload

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., Any]
FILE = "lat,lon\n" + "".join(f"50.{number:03d},-0.1\n" for number in range(200))


def state_of(api: Api, upload: dict[str, Any]) -> str:
    return str(api.show(upload)["state"])


def assert_every_row_has_its_answer(api: Api, upload: dict[str, Any]) -> None:
    rows = api.rows(upload)
    assert [row["row"] for row in rows] == list(range(1, 201))
    assert [row["postcode"] for row in rows] == [postcode_at(50 + number / 1_000, -0.1) for number in range(200)]
    assert api.show(upload)["rows"]["matched"] == 200


def test_a_worker_does_the_work(api: Api, start_worker: StartWorker) -> None:
    upload = api.upload(FILE)
    worker = start_worker(CHUNK_ROWS="30")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    assert worker.terminate() == 0


def test_two_workers_share_the_work(api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(FILE)
    start_worker(CHUNK_ROWS="5")
    start_worker(CHUNK_ROWS="5")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    assert len(consumer.asked) == 200


def test_a_worker_killed_in_the_middle_of_a_chunk_leaves_nothing_half_done(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    worker = start_worker(CHUNK_ROWS="30")
    consumer.wait_for_calls(1)
    worker.kill()
    consumer.gate.set()
    assert not Row.objects.exclude(status=RowStatus.PENDING).exists()
    assert Chunk.objects.filter(state=ChunkState.LEASED).count() == 1
    leases_run_out()
    start_worker(CHUNK_ROWS="30")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


def test_the_work_of_a_killed_worker_is_taken_over_when_its_lease_has_run_out(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    worker = start_worker(LEASE_SECONDS="2")
    consumer.wait_for_calls(1)
    worker.kill()
    consumer.gate.set()
    start_worker(LEASE_SECONDS="2")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


def test_a_worker_that_is_told_to_stop_finishes_its_chunk_and_leaves_no_lease(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    worker = start_worker(CHUNK_ROWS="10")
    consumer.wait_for_calls(1)
    worker.process.terminate()
    consumer.gate.set()
    assert worker.process.wait(timeout=30) == 0
    assert Row.objects.filter(status=RowStatus.MATCH).count() == 10
    assert not Chunk.objects.filter(state=ChunkState.LEASED).exists()
    # 40 rows are loaded: the upload's own lease is over too, and the next worker need not wait for it.
    assert Upload.objects.get().state == "loading"
    start_worker(CHUNK_ROWS="10")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


def test_work_resumes_when_the_consumer_is_back(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.stop()
    upload = api.upload(FILE)
    start_worker()
    wait_for(lambda: Chunk.objects.filter(state=ChunkState.READY, fence__gt=0).exists())
    assert api.show(upload)["rows"]["pending"] == 200
    consumer.start()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


def test_an_upload_deleted_while_a_worker_looks_it_up_disappears(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    start_worker()
    consumer.wait_for_calls(1)
    assert api.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    consumer.gate.set()
    wait_for(lambda: not Upload.objects.exists())
    assert (Row.objects.count(), Chunk.objects.count()) == (0, 0)
