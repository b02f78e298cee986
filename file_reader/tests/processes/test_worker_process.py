"""`manage.py worker` as a process: it works, it is killed, it is told to stop."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import FILE, assert_every_row_has_its_answer, state_of
from tests.running import wait_for

from uploads.files.alive import last_signs
from uploads.files.locks import is_locked
from uploads.models import Chunk, ChunkState, Row, RowStatus, Upload

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., Any]


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


def test_a_frozen_worker_is_told_from_one_that_was_killed(api: Api, start_worker: StartWorker, data_dir: Path) -> None:
    worker = start_worker()
    file = data_dir / "run" / f"worker-alive.{socket.gethostname()}.{worker.pid}"
    wait_for(lambda: is_locked(file))
    worker.freeze()
    long_ago = time.time() - 100
    os.utime(file, (long_ago, long_ago))
    [(name, seconds)] = last_signs().items()
    assert name == f"{socket.gethostname()}:{worker.pid}"
    assert seconds == pytest.approx(100, abs=20)
    assert f'file_reader_worker_silent_seconds{{worker="{name}"}}' in api.get("/metrics").content.decode()
    worker.kill()
    assert last_signs() == {}


def test_a_worker_that_waits_for_answers_lives(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, data_dir: Path
) -> None:
    consumer.gate.clear()
    api.upload(FILE)
    start_worker()
    consumer.wait_for_calls(1)
    (file,) = (data_dir / "run").glob("worker-alive.*")
    for _ in range(2):  # the first may be of the round that began to wait
        os.utime(file, (0, 0))
        wait_for(lambda: file.stat().st_mtime > 0, seconds=20)
    assert not consumer.gate.is_set()


def test_fault_22_a_worker_that_is_told_to_stop_finishes_its_chunk_and_leaves_no_lease(
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


def test_fault_22_a_lookup_that_outlasts_the_grace_is_cut_off_and_what_was_answered_is_kept(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.faults = ["none", "hang"]  # of the two calls of the chunk
    upload = api.upload("lat,lon\n" + "".join(f"50.{number:04d},-0.1\n" for number in range(1_200)))
    worker = start_worker(FAN_OUT="1", LOCATIONS_PER_CALL="1000", STOP_GRACE_SECONDS="1", LEASE_SECONDS="600")
    consumer.wait_for_calls(2)
    worker.process.terminate()
    assert worker.process.wait(timeout=15) == 0
    chunk = Chunk.objects.get()
    assert (chunk.state, chunk.attempts, chunk.lease_until) == (ChunkState.READY, 0, None)
    shown = api.show(upload)
    assert (shown["rows"]["matched"], shown["rows"]["pending"]) == (1_000, 200)
    assert shown["waiting"] is None  # it is nobody's outage
    start_worker()
    wait_for(lambda: state_of(api, upload) == "done")
    assert len(consumer.asked) == 1_200 + 200
