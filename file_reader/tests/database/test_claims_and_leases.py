"""Who may work on what: claims, leases and fences, also of two workers at once."""

import time
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import geocode_chunk, in_thread, leases_run_out, time_passes, work_until_ended

from uploads.models import Chunk, ChunkState, Row, RowStatus, Upload, UploadState
from uploads.work import leases as engine
from uploads.work.commands import cancel_upload, delete_upload, retry_upload
from uploads.work.leases import ChunkLease, LeaseLostError, claim_chunk, claim_upload
from uploads.work.loading import Loader
from uploads.work.worker import Worker

NO_DELAY = timedelta(0)
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def small_chunks(settings: Any) -> None:
    settings.CHUNK_ROWS = 2


def load(rows: int = 4) -> Json:
    """An upload whose rows are all in the database, none of them looked up."""
    upload = Api().upload("lat,lon\n" + "".join(f"51.{number + 1},-0.1\n" for number in range(rows)))
    lease = claim_upload()
    assert lease is not None
    loader = Loader(lease)
    while loader.step(2):
        pass
    loader.close()
    return upload


def claim() -> ChunkLease:
    lease = claim_chunk()
    assert lease is not None
    return lease


def _geocode(lease: ChunkLease) -> None:
    geocode_chunk(lease, outage_delay=NO_DELAY)


def written() -> int:
    return Row.objects.exclude(status=RowStatus.PENDING).count()


@pytest.mark.django_db
def test_chunks_are_claimed_in_order_and_once() -> None:
    load(rows=5)
    claimed = [(lease.first_row, lease.row_count) for lease in iter(claim_chunk, None)]
    assert claimed == [(1, 2), (3, 2), (5, 1)]


@pytest.mark.django_db
def test_there_is_nothing_to_claim_without_work() -> None:
    assert claim_chunk() is None
    assert claim_upload() is None


@pytest.mark.django_db
def test_an_upload_is_claimed_for_loading_once(api: Api) -> None:
    api.upload("lat,lon\n51.5,-0.1\n")
    assert claim_upload() is not None
    assert claim_upload() is None


@pytest.mark.django_db
def test_a_lease_lasts_for_its_time_by_the_databases_clock(settings: Any) -> None:
    settings.LEASE = timedelta(seconds=100)
    load(rows=1)
    claim()
    chunk = Chunk.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (now,) = cursor.fetchone()
    if isinstance(now, str):
        now = datetime.fromisoformat(f"{now}+00:00")
    assert chunk.lease_until is not None
    assert 95 <= (chunk.lease_until - now).total_seconds() <= 105


@pytest.mark.django_db
def test_a_chunk_that_is_not_due_waits() -> None:
    load(rows=1)
    engine.release_chunk(claim(), state=ChunkState.READY, delay=timedelta(seconds=60))
    assert claim_chunk() is None
    time_passes()
    assert claim_chunk() is not None


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["cancel/", ""])
def test_the_chunks_of_an_upload_that_people_ended_are_not_claimed(action: str) -> None:
    upload = load()
    path = f"{UPLOADS}{upload['id']}/{action}"
    Api().post(path) if action else Api().delete(path)
    assert claim_chunk() is None
    assert claim_upload() is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_claim_different_chunks(consumer: FakePostcodeConsumer) -> None:
    load(rows=40)
    futures = [in_thread(lambda: [lease.chunk_id for lease in iter(claim_chunk, None)]) for _ in range(4)]
    claimed = [chunk_id for future in futures for chunk_id in future.result(timeout=60)]
    assert sorted(claimed) == sorted(Chunk.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_claim_an_upload_once(api: Api) -> None:
    api.upload("lat,lon\n51.5,-0.1\n")
    futures = [in_thread(claim_upload) for _ in range(4)]
    assert sum(future.result(timeout=60) is not None for future in futures) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_frozen_past_its_lease_is_taken_over_and_its_late_write_is_refused(
    consumer: FakePostcodeConsumer,
) -> None:
    load(rows=2)
    consumer.gate.clear()
    frozen = in_thread(_geocode, claim())
    consumer.wait_for_calls(1)
    leases_run_out()
    second = claim()
    consumer.gate.set()
    with pytest.raises(LeaseLostError):
        frozen.result(timeout=60)
    assert written() == 0
    assert not Row.objects.exclude(postcode=None).exists()
    _geocode(second)
    assert written() == 2
    assert Chunk.objects.get().matched == 2


@pytest.mark.django_db
def test_a_repeat_after_the_commit_changes_nothing(consumer: FakePostcodeConsumer) -> None:
    load(rows=2)
    lease = claim()
    _geocode(lease)
    before = list(Chunk.objects.values())
    with pytest.raises(LeaseLostError):
        _geocode(lease)
    assert list(Chunk.objects.values()) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_holders_of_the_same_chunk_one_commits(consumer: FakePostcodeConsumer) -> None:
    load(rows=2)
    first = claim()
    leases_run_out()
    second = claim()
    futures = [in_thread(_geocode, lease) for lease in (first, second)]
    failed = [future.exception(timeout=60) for future in futures]
    assert isinstance(failed[0], LeaseLostError)
    assert failed[1] is None
    assert Chunk.objects.get().matched == written() == 2


@pytest.mark.django_db
def test_a_dead_worker_costs_an_attempt_and_an_outage_does_not(consumer: FakePostcodeConsumer) -> None:
    load(rows=2)
    claim()
    leases_run_out()
    lease = claim()
    assert Chunk.objects.get().attempts == 2
    consumer.always = "503"
    assert geocode_chunk(lease, outage_delay=NO_DELAY) is not None
    assert Chunk.objects.get().attempts == 1


@pytest.mark.django_db
def test_what_is_deleted_while_it_is_looked_up_gets_no_results(consumer: FakePostcodeConsumer) -> None:
    upload = load(rows=2)
    lease = claim()
    Api().delete(f"{UPLOADS}{upload['id']}/")
    with pytest.raises(LeaseLostError):
        _geocode(lease)
    assert written() == 0
    assert not Row.objects.exclude(postcode=None).exists()


@pytest.mark.django_db
def test_a_worker_goes_on_after_its_write_was_refused(consumer: FakePostcodeConsumer, settings: Any) -> None:
    upload = Api().upload("lat,lon\n" + "51.5,-0.1\n" * 20)
    worker = Worker()
    worker.run_once()
    leases_run_out()
    second = claim_upload()
    assert second is not None
    assert worker.run_once()  # its next step finds that the upload is somebody else's
    assert Upload.objects.get().rows_loaded == 8
    leases_run_out()
    work_until_ended()
    assert Api().show(upload)["rows"]["matched"] == 20


# --- the last chunks -----------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_an_upload_whose_last_two_chunks_finish_at_once_is_finished_once(consumer: FakePostcodeConsumer) -> None:
    for _ in range(5):
        upload = load(rows=4)
        futures = [in_thread(_geocode, lease) for lease in (claim(), claim())]
        for future in futures:
            future.result(timeout=60)
        shown = Api().show(upload)
        assert (shown["state"], shown["rows"]["matched"]) == ("done", 4)


@pytest.mark.django_db
def test_finishing_is_done_by_one_caller(consumer: FakePostcodeConsumer) -> None:
    load(rows=2)
    upload = Upload.objects.get()
    assert not engine.finish_upload(upload.pk)
    _geocode(claim())
    assert Upload.objects.get().state == UploadState.DONE
    assert not engine.finish_upload(upload.pk)


@pytest.mark.django_db
def test_the_sweep_finishes_what_a_worker_did_not_live_to_finish(
    consumer: FakePostcodeConsumer,
) -> None:
    upload = load(rows=2)
    lease = claim()
    with transaction.atomic():  # the results are committed, and then the worker dies
        engine.release_chunk(lease, state=ChunkState.DONE, matched=2)
    assert Api().show(upload)["state"] == "geocoding"
    assert engine.sweep() == 1
    assert Api().show(upload)["state"] == "done"
    assert engine.sweep() == 0


@pytest.mark.django_db
def test_the_sweep_leaves_alone_what_is_being_loaded(api: Api) -> None:
    upload = api.upload("lat,lon\n" + "51.5,-0.1\n" * 20)
    lease = claim_upload()
    assert lease is not None
    loader = Loader(lease)
    loader.step(2)
    loader.close()
    Chunk.objects.update(state=ChunkState.DONE)
    assert engine.sweep() == 0
    assert api.show(upload)["state"] == "loading"


# --- people and workers at the same moment -------------------------------------------------------------------------
def wait_until_blocked_or_done(future: "Future[Any]") -> None:
    """Returns when the other connection waits for a lock (SQLite: it waits from its first statement on)."""
    end = time.monotonic() + 20
    while connection.vendor == "postgresql" and not future.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < end, "it neither waits nor ends"


@pytest.mark.django_db(transaction=True)
def test_a_retry_at_the_moment_of_the_finish_is_not_lost(consumer: FakePostcodeConsumer) -> None:
    upload = load(rows=2)
    lease = claim()
    with transaction.atomic():  # the worker has committed its chunk, and has not finished the upload yet
        engine.release_chunk(lease, state=ChunkState.DONE, failed=2)
        Row.objects.update(status=RowStatus.FAILED)
    with transaction.atomic():
        retry_upload(Upload.objects.get())
        finishing = in_thread(engine.finish_upload, lease.upload_id)
        wait_until_blocked_or_done(finishing)
    assert finishing.result(timeout=60) is False
    assert Api().show(upload)["state"] == "geocoding"
    work_until_ended()
    assert Api().show(upload)["rows"]["matched"] == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end_it", [cancel_upload, delete_upload])
def test_a_chunk_that_is_being_claimed_while_its_upload_is_ended_gets_no_results(
    consumer: FakePostcodeConsumer, end_it: Any
) -> None:
    load(rows=2)
    with transaction.atomic():
        lease = claim()
        ending = in_thread(lambda: end_it(Upload.objects.get()))
        wait_until_blocked_or_done(ending)
    ending.result(timeout=60)
    with pytest.raises(LeaseLostError):
        _geocode(lease)
    assert written() == 0
    assert not Chunk.objects.filter(state=ChunkState.LEASED).exists()
