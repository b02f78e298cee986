"""Nobody starves: turns in the queue, loaders for everybody, and deletion beside other work."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.row_sets import make_upload
from tests.working import in_thread, leases_run_out, work_until_ended

from uploads.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Row, RowStatus, Upload, UploadState
from uploads.work import housekeeping, leases
from uploads.work.commands import cancel_upload, retry_upload
from uploads.work.inspection import inspect_upload
from uploads.work.leases import LOADED_OF_AN_OWNER, ChunkLease, claim_chunk, claim_upload, release_chunk
from uploads.work.loading import Loader
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
Json = dict[str, Any]


@pytest.fixture(autouse=True)
def small_chunks(settings: Any) -> None:
    """A step loads four chunks: eight rows."""
    settings.CHUNK_ROWS = 2


def send(owner: Api, rows: int) -> Upload:
    shown = owner.upload("lat,lon\n" + "51.5,-0.1\n" * rows)
    return Upload.objects.get(public_id=shown["id"])


def begin() -> Loader:
    """The loader of the upload that is next."""
    lease = claim_upload()
    assert lease is not None
    return Loader(lease)


def load(owner: Api, rows: int) -> Upload:
    """An upload whose rows are all in the queue, before any of them is looked up."""
    upload = send(owner, rows)
    loader = begin()
    assert loader.lease.upload_id == upload.pk
    while loader.step(2):
        pass
    loader.close()
    return upload


def take(*, failed: int = 0) -> ChunkLease:
    """The chunk that a worker takes next; it is done at once."""
    lease = claim_chunk()
    assert lease is not None
    release_chunk(lease, state=ChunkState.DONE, matched=lease.row_count - failed, failed=failed)
    return lease


def taken(chunks: int) -> Counter[int]:
    """How many rows of each upload are in the next chunks."""
    rows: Counter[int] = Counter()
    for _ in range(chunks):
        lease = take()
        rows[lease.upload_id] += lease.row_count
    return rows


def jain(*shares: int) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


# --- turns -----------------------------------------------------------------------------------------------------------
def test_a_small_file_is_next_however_much_of_others_is_in_the_queue(ann: Api, ben: Api) -> None:
    load(ann, 200), load(ann, 200)
    taken(20)
    small = load(ben, 2)
    assert small.pk in taken(2)


def test_two_owners_have_equal_shares_whenever_the_second_comes_and_however_early_chunks_were_made(
    ann: Api, ben: Api
) -> None:
    hers = load(ann, 300)
    taken(50)
    his = load(ben, 300)  # neither waits for her hundred chunks nor catches up on her fifty
    for _ in range(10):
        rows = taken(10)
        assert rows[hers.pk] == rows[his.pk]


def test_an_owner_with_many_files_has_one_share(ann: Api, ben: Api) -> None:
    owners = {}
    loaders = []
    for owner, name in ((ann, "ann"), (ben, "ben"), (ann, "ann"), (ann, "ann")):
        owners[send(owner, 400).pk] = name
        loaders.append(begin())
    rows: Counter[str] = Counter()
    for round_ in range(150):  # each loads faster than it is looked up
        if round_ < 50:
            for loader in loaders:
                loader.step(2)
        lease = take()
        rows[owners[lease.upload_id]] += lease.row_count
    for loader in loaders:
        loader.close()
    assert jain(rows["ann"], rows["ben"]) >= 0.95


def test_without_owners_every_upload_has_a_share(api: Api) -> None:
    uploads = [load(api, 100) for _ in range(3)]
    rows = taken(30)
    assert [rows[upload.pk] for upload in uploads] == [20, 20, 20]


def test_what_is_retried_waits_for_its_turn_like_what_is_new(ann: Api, ben: Api) -> None:
    hers = load(ann, 80)
    for _ in range(40):
        take(failed=2)
    Row.objects.update(status=RowStatus.FAILED)
    leases.finish_upload(hers.pk)
    his = load(ben, 200)
    taken(20)
    retry_upload(hers)
    rows = taken(40)
    assert (rows[hers.pk], rows[his.pk]) == (40, 40)


def test_during_an_outage_who_comes_is_not_behind_all_that_rests(ann: Api, ben: Api) -> None:
    load(ann, 200)
    for lease in list(iter(claim_chunk, None)):
        release_chunk(lease, state=ChunkState.READY, delay=timedelta(seconds=60), costs_attempt=False)
    small = load(ben, 2)
    Chunk.objects.update(due_at=Now())
    assert small.pk in taken(2)


def test_a_chunk_that_kills_its_workers_holds_the_queue_for_nobody(ann: Api, ben: Api) -> None:
    load(ann, 200)
    poison = claim_chunk()
    assert poison is not None
    taken(50)
    load(ben, 100)
    assert jain(*taken(40).values()) == 1
    leases_run_out()
    assert claim_chunk().chunk_id == poison.chunk_id  # type: ignore[union-attr]


def test_the_halves_of_a_chunk_keep_its_turn(api: Api, settings: Any) -> None:
    upload = load(api, 4)
    first = Chunk.objects.earliest("id")
    Chunk.objects.filter(pk=first.pk).update(attempts=settings.MAX_ATTEMPTS)
    assert [take().first_row for _ in range(3)] == [1, 2, 3]
    leases.finish_upload(upload.pk)


def test_what_is_cancelled_leaves_the_queue_and_its_rows_can_be_read(api: Api) -> None:
    upload = load(api, 20)
    cancel_upload(upload)
    assert not Chunk.objects.filter(state__in=OPEN_CHUNK_STATES).exists()
    response = api.get(f"{UPLOADS}{upload.public_id}/rows/", status="pending")
    assert len(response.json()["results"]) == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("analysed", [False, True])
def test_a_claim_goes_along_the_index_of_turns(api: Api, settings: Any, analysed: bool) -> None:
    """It looks at the chunk that is next, not at all that are open."""
    upload = send(api, 2)
    Upload.objects.update(state=UploadState.GEOCODING)
    Chunk.objects.bulk_create(
        Chunk(upload=upload, first_row=1 + number, row_count=1, turn=number,
              state=ChunkState.READY if number % 10 else ChunkState.DONE)
        for number in range(2_000)
    )  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        if analysed:
            cursor.execute("ANALYZE")
        statement, values = leases._claim_statement(connection.vendor, settings.LEASE)
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(statement.replace("SELECT", f"{explain} SELECT", 1), values)
        plan = str(cursor.fetchall())
    assert "chunk_turn" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


# --- loaders ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("loaders", [8, 2], ids=["it could load more", "it can load no more"])
def test_a_small_file_is_answered_within_three_rounds_of_a_worker_that_has_large_ones(
    ann: Api, ben: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, loaders: int
) -> None:
    monkeypatch.setattr("uploads.work.worker.MAX_LOADERS", loaders)
    for _ in range(2):
        send(ann, 400)
    worker = Worker()
    for _ in range(3):
        worker.run_once()
    small = send(ben, 2)
    for _ in range(3):
        worker.run_once()
    worker.stop()
    small.refresh_from_db()
    assert small.state == UploadState.DONE


def test_while_the_row_index_of_a_large_upload_is_written_a_small_file_is_answered(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.INDEX_SEGMENT_ROWS = 2
    large = make_upload(40)
    worker = Worker()
    worker.run_once()
    small = send(api, 2)
    for _ in range(3):
        worker.run_once()
    worker.stop()
    small.refresh_from_db()
    large.refresh_from_db()
    assert small.state == UploadState.DONE
    assert large.rows_indexed == 8  # a segment in each round
    assert large.indexed_at is None


def test_of_one_owner_some_uploads_are_loaded_at_once_and_those_of_others_come_first(ann: Api, ben: Api) -> None:
    for _ in range(LOADED_OF_AN_OWNER + 2):
        send(ann, 2)
    first = claim_upload()
    small = send(ben, 2)
    claimed = claim_upload()
    assert first is not None
    assert claimed is not None
    assert claimed.upload_id == small.pk
    others = list(iter(claim_upload, None))
    assert len(others) == LOADED_OF_AN_OWNER - 1
    said = inspect_upload(Upload.objects.filter(state=UploadState.RECEIVED).earliest("id").pk).next[0]
    assert f"when one of the {LOADED_OF_AN_OWNER} that are being loaded for its owner" in said
    loader = Loader(first)
    assert not loader.step(2)
    loader.close()
    assert claim_upload() is not None  # one of hers is loaded: the next is


def test_a_loader_that_waits_for_its_turn_keeps_its_lease(api: Api, consumer: FakePostcodeConsumer) -> None:
    uploads = [send(api, 40) for _ in range(3)]
    worker = Worker()
    for _ in uploads:
        worker.run_once()
    leases_run_out()
    for loader in worker._loaders.values():
        loader._renewed_at = 0.0  # as long ago as the machine runs
    worker.run_once()
    assert claim_upload() is None
    worker.stop()
    work_until_ended()
    assert Row.objects.filter(status=RowStatus.MATCH).count() == 120


# --- deletion --------------------------------------------------------------------------------------------------------
def test_what_is_deleted_goes_while_there_is_other_work(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", 8)
    deleted = load(api, 40)
    send(api, 400)
    assert api.delete(f"{UPLOADS}{deleted.public_id}/").status_code == 204
    assert api.get(f"{UPLOADS}{deleted.public_id}/").status_code == 404
    worker = Worker()
    for _ in range(6):  # a slice in each, if not more while answers come
        worker.run_once()
    worker.stop()
    assert not Upload.objects.filter(pk=deleted.pk).exists()
    assert f"upload gone upload={deleted.pk} public_id={deleted.public_id}" in caplog.text
    assert Chunk.objects.filter(state=ChunkState.READY).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_removes_and_the_other_does_not_wait_for_it(api: Api) -> None:
    upload = load(api, 2)
    api.delete(f"{UPLOADS}{upload.public_id}/")
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    with transaction.atomic():
        Upload.objects.select_for_update().get(pk=upload.pk)
        assert in_thread(housekeeping.purge_deleted).result(timeout=20) is False
    assert housekeeping.purge_deleted()


def test_while_answers_are_slow_what_is_deleted_goes(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", 2)
    deleted, kept = load(api, 40), load(api, 2)
    api.delete(f"{UPLOADS}{deleted.public_id}/")
    gone = []
    consumer.gate.clear()
    remove = housekeeping._purge_slice

    def remove_and_look(upload: Upload) -> bool:
        result = remove(upload)
        if not Upload.objects.filter(pk=deleted.pk).exists():
            gone.append(Row.objects.filter(upload=kept, status=RowStatus.PENDING).count())
            consumer.gate.set()
        return result

    monkeypatch.setattr(housekeeping, "_purge_slice", remove_and_look)
    worker = Worker()
    worker.run_once()
    assert gone == [2]  # all of it, before the answers to the first chunk came
    worker.stop()
