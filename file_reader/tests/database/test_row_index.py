"""The row index is written once for what has ended, by whoever holds its lease, and goes with what it is about."""

import threading
from collections.abc import Callable
from io import StringIO
from itertools import product
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.db import OperationalError
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import assert_index, assert_invariant, everything
from tests.row_sets import make_upload, write_indexes
from tests.working import in_thread, leases_run_out, work_until_ended, work_until_idle

from uploads.models import Chunk, IndexBlock, Row, RowStatus, Upload
from uploads.rows.bulk.index import RowColumns, row_columns
from uploads.work import housekeeping, indexing
from uploads.work.commands import delete_upload, retry_upload
from uploads.work.indexing import IndexLease, claim_index, release_index, write_segment
from uploads.work.leases import LeaseLostError
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
SEGMENT = 100
#: What a segment is written with, in this order, and what the totals are.
STEPS = ["row_columns", "segment_blocks", "totals_of_segment", "_advance", "bulk_create_blocks"]
LAST_STEPS = ["totals_of_upload", "_advance", "replace_totals"]


@pytest.fixture(autouse=True)
def small_segments(settings: Any) -> None:
    settings.INDEX_SEGMENT_ROWS = SEGMENT


def claimed() -> IndexLease:
    lease = claim_index()
    assert lease is not None
    return lease


def written(segments: int) -> IndexLease:
    """The lease of who has written so many."""
    lease = claimed()
    for _ in range(segments):
        lease = write_segment(lease) or claimed()
    return lease


def blocks_of(upload: Upload) -> list[tuple[Any, ...]]:
    blocks = IndexBlock.objects.filter(upload=upload).order_by("pk")
    columns = "kind", "segment", "first_key", "last_key", "first_row", "rows", "keys"
    return [
        tuple(bytes(value) if isinstance(value, memoryview) else value for value in block)
        for block in blocks.values_list(*columns)
    ]


@pytest.mark.parametrize("rows", [0, 1, 997, 998, 999, 1_000, 1_001, 1_997])
@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_every_row_is_in_the_index_by_all_that_it_has(settings: Any, rows: int, state: str) -> None:
    settings.INDEX_SEGMENT_ROWS = 1_000
    upload = make_upload(rows, state=state)
    write_indexes()
    assert_invariant()
    upload.refresh_from_db()
    assert upload.indexed_at is not None
    assert {block[1] for block in blocks_of(upload)} == {*range(1, rows + 1, 1_000)}


@pytest.mark.parametrize("state", ["received", "loading", "geocoding"])
def test_what_is_still_open_gets_none(state: str) -> None:
    make_upload(30, state=state)
    assert claim_index() is None


@pytest.mark.parametrize("slice_", [90, 20_000])
def test_what_was_deleted_gets_none_and_takes_its_own_along(monkeypatch: pytest.MonkeyPatch, slice_: int) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", slice_)
    uploads = [make_upload(250), make_upload(250, seed=1), make_upload(250, seed=2)]
    write_indexes()
    blocks = blocks_of(uploads[1])
    delete_upload(uploads[0])
    delete_upload(uploads[2])
    delete_upload(make_upload(50))
    assert claim_index() is None
    work_until_ended()
    assert blocks_of(uploads[1]) == blocks
    assert IndexBlock.objects.count() == len(blocks)


# --- by workers ----------------------------------------------------------------------------------------------------
def test_an_upload_says_when_its_index_was_there(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    assert api.show(upload)["indexed_at"] is None
    work_until_ended()
    shown = api.show(upload)
    assert shown["indexed_at"] >= shown["finished_at"]
    assert_invariant()


def test_a_worker_writes_one_segment_a_round_and_gives_the_rest_back_when_it_stops() -> None:
    upload = make_upload(2 * SEGMENT + 1)
    stopping = Worker()
    assert stopping.run_once()
    upload.refresh_from_db()
    assert (upload.rows_indexed, upload.indexed_at) == (SEGMENT, None)
    assert claim_index() is None
    stopping.stop()
    assert claimed().rows_indexed == SEGMENT
    leases_run_out()
    work_until_idle()
    assert_invariant()
    upload.refresh_from_db()
    assert upload.indexed_at


def test_an_index_that_cannot_be_written_keeps_nobody_from_working(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise ValueError("what cannot be")

    monkeypatch.setattr(indexing, "segment_blocks", fail)
    uploads = [api.upload("lat,lon\n51.5,-0.1\n") for _ in range(3)]
    work_until_ended()
    assert [api.show(upload)["state"] for upload in uploads] == ["done"] * 3
    assert [api.show(upload)["indexed_at"] for upload in uploads] == [None] * 3
    assert caplog.text.count("the row index cannot be written") == 3
    monkeypatch.undo()
    work_until_idle()
    assert [api.show(upload)["indexed_at"] for upload in uploads] == [None] * 3  # their leases are not over
    leases_run_out()
    work_until_idle()
    assert all(api.show(upload)["indexed_at"] for upload in uploads)
    assert_invariant()


@pytest.mark.parametrize("step", STEPS)
def test_when_the_database_was_away_the_index_goes_on_at_once(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    upload = make_upload(2 * SEGMENT)
    works = Worker()
    works.run_once()

    def go_away(*arguments: object, **options: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as context:
        context.setattr(indexing, step, go_away)
        with pytest.raises(OperationalError):
            works.run_once()
    works.database_was_away()
    work_until_idle(works)
    assert_invariant()
    upload.refresh_from_db()
    assert upload.indexed_at


# --- leases and fences ---------------------------------------------------------------------------------------------
def test_one_of_two_gets_it_and_the_other_when_the_lease_is_over() -> None:
    first, second = make_upload(10), make_upload(10)
    assert [claimed().upload_id, claimed().upload_id] == [first.pk, second.pk]
    assert claim_index() is None
    leases_run_out()
    assert claimed().upload_id == first.pk


def test_of_two_that_see_it_at_once_one_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = make_upload(10)
    leases: list[IndexLease | None] = []
    see = indexing.claimable_indexes

    def see_and_be_late() -> Any:
        seen = list(see())
        monkeypatch.undo()
        leases.append(claim_index())
        late = Mock()
        late.only.return_value.first.return_value = seen[0]
        return late

    monkeypatch.setattr(indexing, "claimable_indexes", see_and_be_late)
    leases.append(claim_index())
    assert [lease and lease.upload_id for lease in leases] == [upload.pk, None]


def test_what_is_given_back_is_claimed_at_once() -> None:
    make_upload(10)
    lease = claimed()
    release_index(lease)
    assert claimed().fence == lease.fence + 1
    release_index(lease)  # it is not theirs any more
    assert claim_index() is None


@pytest.mark.parametrize(("segment", "step"), [*product(range(3), [*STEPS, "after"]), *product([3], LAST_STEPS)])
def test_whoever_dies_in_the_middle_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, step: str, segment: int
) -> None:
    whole, interrupted = make_upload(3 * SEGMENT - 1, seed=5), make_upload(3 * SEGMENT - 1, seed=5)
    write_indexes()
    Upload.objects.filter(pk=interrupted.pk).update(indexed_at=None, rows_indexed=0)
    IndexBlock.objects.filter(upload=interrupted).delete()

    def die(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    lease = written(segment)
    if step == "after":
        write_segment(lease)
    else:
        monkeypatch.setattr(indexing, step, die)
        with pytest.raises(KeyboardInterrupt):
            write_segment(lease)
        monkeypatch.undo()
    assert_invariant()
    leases_run_out()
    write_indexes()
    assert_invariant()
    assert blocks_of(interrupted) == blocks_of(whole)


def retry_and_end(upload: Upload) -> None:
    """It ends again, as it was, before anybody else claims the index."""
    chunks = list(Chunk.objects.filter(upload=upload))
    retry_upload(upload)
    Row.objects.filter(status=RowStatus.PENDING).update(status=RowStatus.FAILED)
    for chunk in chunks:
        chunk.save()
    Upload.objects.update(state="done")


def take_over(upload: Upload) -> None:
    leases_run_out()
    write_segment(claimed())


def take_over_and_finish(upload: Upload) -> None:
    leases_run_out()
    write_indexes()


@pytest.mark.parametrize("meanwhile", [retry_upload, retry_and_end, delete_upload, take_over, take_over_and_finish])
@pytest.mark.django_db(transaction=True)
def test_whoever_was_frozen_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, meanwhile: Callable[[Upload], None]
) -> None:
    upload = make_upload(3 * SEGMENT)
    frozen = Worker()
    frozen.run_once()
    before: dict[str, Any] = {}

    def read_and_freeze(*arguments: int) -> RowColumns:
        columns = row_columns(*arguments)
        monkeypatch.undo()
        in_thread(meanwhile, upload).result(timeout=30)
        before.update(everything())
        return columns

    monkeypatch.setattr(indexing, "row_columns", read_and_freeze)
    frozen._index()  # a whole round would remove what was deleted, too
    assert "stale write refused" in caplog.text
    assert everything() == before
    assert_invariant()


@pytest.mark.django_db(transaction=True)
def test_a_retry_at_the_moment_of_the_last_segment_gives_up_all_of_the_index(
    monkeypatch: pytest.MonkeyPatch, consumer: FakePostcodeConsumer
) -> None:
    upload = make_upload(2 * SEGMENT, seed=1)
    lease = written(2)
    is_writing, goes_on = threading.Event(), threading.Event()
    replace_totals = indexing.replace_totals

    def wait(*arguments: Any) -> None:
        is_writing.set()
        assert goes_on.wait(30)
        replace_totals(*arguments)

    monkeypatch.setattr(indexing, "replace_totals", wait)
    ended = in_thread(write_segment, lease)
    assert is_writing.wait(30)
    retried = in_thread(retry_upload, upload)  # it waits for the writer's transaction
    goes_on.set()
    assert ended.result(timeout=30) is None
    retried.result(timeout=30)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_indexed, upload.indexed_at) == ("geocoding", 0, None)
    # What it says then is not what it said.
    Row.objects.filter(status=RowStatus.PENDING).update(status=RowStatus.NO_MATCH)
    Chunk.objects.update(state="done")
    Upload.objects.update(state="done")
    write_indexes()
    assert_index(Upload.objects.get())


def test_a_retry_that_finds_nothing_to_do_leaves_the_index_alone(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    work_until_ended()
    before = api.show(upload)["indexed_at"]
    assert api.post(f"{UPLOADS}{upload['id']}/retry/").json()["indexed_at"] == before
    assert_invariant()


def test_no_index_is_made_of_rows_that_are_not_all_there() -> None:
    make_upload(10)
    Row.objects.order_by("id")[:1].get().delete()
    with pytest.raises(LeaseLostError, match="rows of upload"):
        write_segment(claimed())
    assert not IndexBlock.objects.exists()


# --- for people ----------------------------------------------------------------------------------------------------
def test_people_are_told_how_far_the_index_is() -> None:
    upload = make_upload(2 * SEGMENT)
    shown = show(upload)
    assert "row index 0 of 200 rows index lease none" in shown
    assert "a worker writes that at its next look, within 2 s: is a worker running?" in shown
    lease = write_segment(claimed())
    shown = show(upload)
    assert "row index 100 of 200 rows" in shown
    assert "A worker writes its row index; leased until" in shown
    while lease:
        lease = write_segment(lease)
    shown = show(upload)
    assert "row index written" in shown
    assert "What happens next Nothing: it is done." in shown
    assert "writes" not in shown


def show(upload: Upload) -> str:
    output = StringIO()
    call_command("show_upload", str(upload.pk), stdout=output)
    return " ".join(output.getvalue().split())
