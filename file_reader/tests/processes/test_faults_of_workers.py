"""Workers that are killed, frozen or overtaken, as real processes; the numbers are those of docs/faults.md."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import (
    FILE,
    LOCATIONS,
    assert_every_row_has_its_answer,
    assert_invariant,
    everything,
    is_indexed,
    state_of,
)
from tests.running import WorkerProcess, wait_for
from tests.working import leases_run_out, time_passes

from uploads.models import Chunk, ChunkState, Row, RowStatus, Upload
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
STALE = "stale write refused"
#: Seconds; nothing here may wait for such a lease to run out.
LONG_LEASE = "600"


def matched() -> int:
    return Row.objects.filter(status=RowStatus.MATCH).count()


def again(consumer: FakePostcodeConsumer) -> Counter[object]:
    """What was asked for more than once; all was asked for."""
    asked = Counter(consumer.asked)
    assert asked >= Counter(LOCATIONS)
    return asked - Counter(LOCATIONS)


def finish(api: Api, upload: dict[str, object], start_worker: StartWorker) -> None:
    """Another worker does the rest."""
    leases_run_out()
    start_worker(CHUNK_ROWS="10")
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


# --- killed --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "point", ["uploads.work.loading.bulk_create_rows before 3", "uploads.work.loading.bulk_create_rows after 3"]
)
def test_fault_01_killed_in_the_middle_of_inserting_what_is_committed_stays_and_the_rest_resumes_at_the_next_row(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, point: str
) -> None:
    upload = api.upload(FILE)
    # Four chunks of ten rows a step, and a chunk looked up after each: it dies in the third step.
    start_worker(CHUNK_ROWS="10", DIE_AT=point).wait_until_killed()
    assert (Row.objects.count(), Chunk.objects.count(), Upload.objects.get().rows_loaded) == (80, 8, 80)
    assert matched() == 20
    assert_invariant()
    finish(api, upload, start_worker)
    assert again(consumer) <= Counter(LOCATIONS[20:30])


@pytest.mark.parametrize(
    "point",
    [
        "uploads.work.geocoding.ChunkLookup.commit before 2",
        "uploads.work.geocoding.release_chunk after 2",
        "uploads.work.geocoding.bulk_update_results before 2",
        "uploads.work.geocoding.bulk_update_results after 2",
    ],
)
def test_fault_02_killed_before_the_results_are_committed_leaves_no_partial_chunk(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, point: str
) -> None:
    upload = api.upload(FILE)
    start_worker(CHUNK_ROWS="10", DIE_AT=point).wait_until_killed()
    assert matched() == 10
    assert list(Chunk.objects.exclude(state=ChunkState.READY).order_by("id").values_list("state", "matched")) == [
        ("done", 10),
        ("leased", 0),
        ("leased", 0),
    ]
    assert_invariant()
    finish(api, upload, start_worker)
    # The chunk that was lost is asked for again, and the next one as far as it was asked for.
    assert Counter(LOCATIONS[10:20]) <= again(consumer) <= Counter(LOCATIONS[10:30])


def test_fault_02_killed_while_it_waits_for_answers_leaves_nothing_half_done(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    worker = start_worker(CHUNK_ROWS="10")
    consumer.wait_for_calls(1)
    worker.kill()
    consumer.gate.set()
    assert matched() == 0
    assert Chunk.objects.filter(state=ChunkState.LEASED).count() == 1
    finish(api, upload, start_worker)


def test_fault_03_killed_right_after_the_commit_the_repeat_changes_nothing(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload(FILE)
    start_worker(CHUNK_ROWS="10", DIE_AT="uploads.work.geocoding.finish_upload before 2").wait_until_killed()
    assert matched() == 20
    assert Chunk.objects.filter(state=ChunkState.LEASED).count() == 1  # the next one
    assert_invariant()
    before = list(Row.objects.exclude(status=RowStatus.PENDING).order_by("id").values())
    finish(api, upload, start_worker)
    assert list(Row.objects.order_by("id").values()[:20]) == before
    assert again(consumer) <= Counter(LOCATIONS[20:30])


@pytest.mark.parametrize("point", ["row_columns after 1", "bulk_create_blocks before 1", "bulk_create_blocks after 1"])
def test_fault_01_killed_while_it_writes_the_row_index_another_writes_it(
    api: Api, start_worker: StartWorker, point: str
) -> None:
    upload = api.upload(FILE)
    start_worker(DIE_AT=f"uploads.work.indexing.{point}").wait_until_killed()
    assert (state_of(api, upload), is_indexed(api, upload)) == ("done", False)
    assert_every_row_has_its_answer(api, upload)
    assert [row["row"] for row in api.rows(upload, bbox="-1,50.1,0,50.102")] == [101, 102, 103]
    leases_run_out()
    start_worker()
    wait_for(lambda: is_indexed(api, upload))
    assert_every_row_has_its_answer(api, upload)
    assert [row["row"] for row in api.rows(upload, bbox="-1,50.1,0,50.102")] == [101, 102, 103]


# --- frozen --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("point", ["in the lookup", "uploads.work.geocoding.ChunkLookup.commit before 1"])
def test_fault_04_frozen_past_its_lease_its_late_write_is_refused_and_it_goes_on(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, point: str
) -> None:
    upload = api.upload(FILE)
    if point == "in the lookup":
        consumer.gate.clear()
        frozen = start_worker(LEASE_SECONDS="2")
        consumer.wait_for_calls(1)
        frozen.freeze()
        consumer.gate.set()
    else:
        frozen = start_worker(LEASE_SECONDS="2", DIE_AT=point, DIE_BY="SIGSTOP")
        frozen.wait_until_frozen()
    second = start_worker(LEASE_SECONDS="2")
    wait_for(lambda: is_indexed(api, upload))  # the lease ran out, by the clock
    second.terminate()
    before = everything()
    frozen.thaw()
    wait_for(lambda: STALE in frozen.log())
    assert everything() == before
    assert_every_row_has_its_answer(api, upload)
    following = api.upload(FILE)
    wait_for(lambda: state_of(api, following) == "done")
    assert_every_row_has_its_answer(api, following)


def test_fault_04_a_loader_frozen_past_its_lease_adds_no_row_while_another_loads(
    api: Api, start_worker: StartWorker
) -> None:
    upload = api.upload(FILE)
    step = {"CHUNK_ROWS": "10", "DIE_BY": "SIGSTOP", "LEASE_SECONDS": LONG_LEASE}
    first = start_worker(DIE_AT="uploads.work.loading.Loader._rows before 2", **step)
    first.wait_until_frozen()
    leases_run_out()
    second = start_worker(DIE_AT="uploads.work.loading.Loader._rows before 2", **step)
    second.wait_until_frozen()
    assert Upload.objects.get().rows_loaded == 80
    before = Upload.objects.values().get()
    first.thaw()
    wait_for(lambda: f"{STALE}: upload" in first.log())  # its chunk is refused too, but that is another fence
    assert (Upload.objects.values().get(), Row.objects.count()) == (before, 80)
    second.thaw()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)


def test_fault_04_frozen_while_it_writes_the_row_index_it_adds_nothing_to_that_of_another(
    api: Api, start_worker: StartWorker
) -> None:
    upload = api.upload(FILE)
    frozen = start_worker(DIE_AT="uploads.work.indexing.row_columns after 1", DIE_BY="SIGSTOP")
    frozen.wait_until_frozen()
    leases_run_out()
    second = start_worker()
    wait_for(lambda: is_indexed(api, upload))
    second.terminate()
    before = everything()
    frozen.thaw()
    wait_for(lambda: f"{STALE}: the index of upload" in frozen.log())
    assert everything() == before
    assert_every_row_has_its_answer(api, upload)


@pytest.mark.parametrize("earlier", ["the one whose lease ran out", "the holder"])
def test_fault_05_of_two_workers_that_have_the_answers_to_one_chunk_one_commits(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer, earlier: str
) -> None:
    upload = api.upload(FILE)
    at = {"DIE_AT": "uploads.work.geocoding.ChunkLookup.commit before 1", "DIE_BY": "SIGSTOP"}
    answered = {**at, "LEASE_SECONDS": LONG_LEASE}
    stale = start_worker(**answered)
    stale.wait_until_frozen()
    leases_run_out()
    holder = start_worker(**answered)
    holder.wait_until_frozen()
    assert Counter(consumer.asked) == Counter(LOCATIONS * 2)
    if earlier == "the holder":
        holder.thaw()
        wait_for(lambda: is_indexed(api, upload))
    before = everything()
    stale.thaw()
    wait_for(lambda: STALE in stale.log())
    assert everything() == before
    holder.thaw()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    assert STALE not in holder.log()


# --- the last chunks -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("round_", range(3))
def test_fault_06_the_last_two_chunks_finish_together_and_the_upload_is_finalised_once(
    api: Api, start_worker: StartWorker, settings: Any, round_: int
) -> None:
    # PostgreSQL: both have written and neither has committed. SQLite has one writer at a time: both are about to write.
    point = "bulk_update_results after *" if connection.vendor == "postgresql" else "ChunkLookup.commit before *"
    at = {"CHUNK_ROWS": "100", "DIE_AT": f"uploads.work.geocoding.{point}", "DIE_BY": "SIGSTOP"}
    settings.CHUNK_ROWS = 100
    upload = api.upload(FILE)
    Worker(is_stopping=lambda: True).run_once()  # it loads, and asks nothing
    later = Chunk.objects.order_by("-id").values("pk")[:1]
    Chunk.objects.filter(pk__in=later).update(due_at=Now() + timedelta(minutes=1))
    workers = [start_worker(**at)]
    workers[0].wait_until_frozen()
    time_passes()
    workers.append(start_worker(**at))
    workers[1].wait_until_frozen()
    thawed = time.monotonic()
    for worker in workers:
        worker.thaw()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    wait_for(lambda: "".join(each.log() for each in workers).count("uploads ended count=1") == 1)
    # By whoever was last, at once; the sweep, which looks every 5 s, is for those who died.
    assert time.monotonic() - thawed < 3


def test_fault_06_killed_between_the_last_commit_and_the_finish_the_sweep_of_another_finishes(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload(FILE)
    start_worker(DIE_AT="uploads.work.geocoding.finish_upload before 1").wait_until_killed()
    assert (state_of(api, upload), matched()) == ("geocoding", len(LOCATIONS))
    start_worker()
    wait_for(lambda: state_of(api, upload) == "done")
    assert_every_row_has_its_answer(api, upload)
    assert len(consumer.calls) == 1


# --- what kills every worker that touches it -----------------------------------------------------------------------
def test_fault_24_a_row_that_kills_its_workers_fails_alone_and_its_siblings_have_their_answers(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    deadly = (51.3, -0.1)
    consumer.deadly = {deadly}
    upload = api.upload("lat,lon\n" + "".join(f"51.{number},-0.1\n" for number in range(1, 9)))
    deaths = 0
    worker = start_worker(CHUNK_ROWS="4")
    end = time.monotonic() + 110
    while state_of(api, upload) != "done":
        assert time.monotonic() < end, list(Chunk.objects.values())
        if worker.process.poll() is not None:
            worker.wait_until_killed()
            deaths += 1
            assert_invariant()
            leases_run_out()
            worker = start_worker(CHUNK_ROWS="4")
        time.sleep(0.02)
    rows = api.rows(upload)
    assert [row["status"] for row in rows] == ["match"] * 2 + ["failed"] + ["match"] * 5
    assert rows[2]["reason"] == "gave_up"
    # Five with all four rows of the chunk, two with a half of them, two with the row alone; never one with the others.
    asked = [sorted(call) for call in consumer.calls if deadly in call]
    assert [len(call) for call in asked] == [4] * 5 + [2] * 2 + [1] * 2
    assert deaths == len(asked)
    assert_invariant()


def test_fault_24_a_file_that_kills_its_loaders_fails_and_other_uploads_go_on(
    api: Api, start_worker: StartWorker
) -> None:
    deadly = {"DIE_AT": "uploads.work.loading.Loader._rows before 1"}
    deadly_as_second = {"DIE_AT": "uploads.work.loading.Loader._rows before 2"}
    bad = api.upload(FILE + FILE.removeprefix("lat,lon\n"))
    good: dict[str, object] = {}
    for attempt in range(1, 6):
        worker = start_worker(**(deadly_as_second if attempt == 3 else deadly))
        if attempt == 3:  # the lease of the one who died last has not run out
            wait_for(lambda good=good: state_of(api, good) == "done")
            leases_run_out()
        worker.wait_until_killed()
        assert Upload.objects.get(public_id=bad["id"]).attempts == attempt
        if attempt == 2:
            good = api.upload(FILE)
        else:
            leases_run_out()
    start_worker(**deadly)
    wait_for(lambda: state_of(api, bad) == "failed")
    shown = api.show(bad)
    assert shown["error"]["type"] == "/problems/unreadable-file"
    assert shown["rows"]["read"] == 0
    assert_every_row_has_its_answer(api, good)


# --- deleted -------------------------------------------------------------------------------------------------------
def test_fault_25_deleted_while_it_is_looked_up_its_late_results_are_thrown_away_and_it_disappears(
    api: Api, start_worker: StartWorker, consumer: FakePostcodeConsumer
) -> None:
    consumer.gate.clear()
    upload = api.upload(FILE)
    worker = start_worker()
    consumer.wait_for_calls(1)
    assert api.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    consumer.gate.set()
    wait_for(lambda: not Upload.objects.exists())
    assert (Row.objects.count(), Chunk.objects.count()) == (0, 0)
    assert STALE in worker.log()
    assert worker.terminate() == 0
