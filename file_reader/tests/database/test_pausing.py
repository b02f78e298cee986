"""A paused upload: nothing of it is begun, what is in hand is finished, and it comes back to its own place."""

import html
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from tests.api import UPLOADS, Api, Caller, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import assert_invariant
from tests.working import leases_run_out, work_until_ended, work_until_idle

from uploads.models import OPEN_CHUNK_STATES, AuditEntry, Chunk, ChunkState, Row, RowStatus, Upload
from uploads.rows.bulk.usage import waiting_rows
from uploads.work import leases
from uploads.work.commands import delete_upload, pause_upload, resume_upload
from uploads.work.inspection import inspect_upload
from uploads.work.leases import LeaseLostError, claim_chunk, claim_upload, release_chunk, sweep
from uploads.work.loading import Loader
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_chunks(settings: Any) -> None:
    settings.CHUNK_ROWS = 2


def send(api: Api, rows: int) -> Json:
    return api.upload("lat,lon\n" + "51.5,-0.1\n" * rows)


def load(api: Api, rows: int) -> Json:
    """An upload whose rows are all in the queue, before any of them is looked up."""
    upload = send(api, rows)
    lease = claim_upload()
    assert lease is not None
    loader = Loader(lease)
    while loader.step(2):
        pass
    loader.close()
    return upload


def do(api: Api, upload: Json, what: str) -> Json:
    response = api.post(f"{UPLOADS}{upload['id']}/{what}/")
    assert response.status_code == 200, response.content
    return response.json()


def stored(upload: Json) -> Upload:
    return Upload.objects.get(public_id=upload["id"])


def taken(chunks: int) -> Counter[int]:
    """How many rows of each upload are in the next chunks, which are done at once."""
    rows: Counter[int] = Counter()
    for _ in range(chunks):
        lease = claim_chunk()
        assert lease is not None
        release_chunk(lease, state=ChunkState.DONE, matched=lease.row_count)
        rows[lease.upload_id] += lease.row_count
    return rows


# --- what is begun -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rounds", [0, 1, 2, 3, 5])
def test_at_whatever_moment_nothing_more_is_begun_and_all_of_it_comes_after(
    api: Api, consumer: FakePostcodeConsumer, rounds: int
) -> None:
    upload = send(api, 40)
    worker = Worker()
    for _ in range(rounds):
        worker.run_once()
    before = api.show(upload)["state"]
    shown = do(api, upload, "pause")
    assert (shown["state"], shown["paused"], shown["ahead"], shown["eta_seconds"]) == (before, True, None, None)
    assert shown["waiting"].keys() == {"since", "reason", "detail"}
    assert shown["waiting"]["reason"] == "paused"
    work_until_idle(worker)  # what it has in hand
    rest = api.show(upload)["rows"]
    assert rest["read"] == shown["rows"]["read"]
    asked = len(consumer.calls)
    leases_run_out()
    work_until_idle()
    assert api.show(upload)["rows"] == rest
    assert len(consumer.calls) == asked
    assert_invariant()
    assert do(api, upload, "resume")["paused"] is False
    work_until_ended()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["matched"], shown["waiting"]) == ("done", 40, None)
    assert_invariant()


def test_a_chunk_in_flight_is_finished_and_one_that_comes_back_unanswered_waits(api: Api) -> None:
    upload = load(api, 6)
    first, second = claim_chunk(), claim_chunk()
    assert first is not None
    assert second is not None
    do(api, upload, "pause")
    release_chunk(first, state=ChunkState.DONE, matched=2)
    release_chunk(second, state=ChunkState.READY, costs_attempt=False)
    assert claim_chunk() is None
    assert api.show(upload)["rows"]["matched"] == 2
    do(api, upload, "resume")
    assert taken(2)
    assert claim_chunk() is None


def test_the_last_chunk_in_flight_ends_the_upload_and_nothing_else_does(api: Api) -> None:
    upload = load(api, 4)
    held = claim_chunk()
    do(api, upload, "pause")
    sweep()
    assert api.show(upload)["state"] == "geocoding"
    assert held is not None
    release_chunk(held, state=ChunkState.DONE, matched=2)
    sweep()
    assert api.show(upload)["state"] == "geocoding"
    do(api, upload, "resume")
    held = claim_chunk()
    do(api, upload, "pause")
    assert held is not None
    release_chunk(held, state=ChunkState.DONE, matched=2)
    sweep()
    shown = api.show(upload)
    assert (shown["state"], shown["paused"]) == ("done", False)


def test_whoever_loads_it_is_refused_and_pauses_cost_no_attempt(api: Api, settings: Any) -> None:
    upload = send(api, 40)
    for _ in range(settings.MAX_ATTEMPTS + 1):
        lease = claim_upload()
        assert lease is not None
        assert lease.attempts == 1
        do(api, upload, "pause")
        with closing(Loader(lease)) as loader, pytest.raises(LeaseLostError):
            loader.step(2)
        assert claim_upload() is None
        do(api, upload, "resume")
    assert not Row.objects.exists()


def test_what_is_paused_while_it_is_claimed_is_not_begun(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = load(api, 2)
    first_claimable = leases._first_claimable

    def find_and_be_late() -> Any:
        found = first_claimable()
        pause_upload(stored(upload))
        return found

    monkeypatch.setattr(leases, "_first_claimable", find_and_be_late)
    assert claim_chunk() is None
    assert Chunk.objects.get().attempts == 0


# --- whose turn it is ----------------------------------------------------------------------------------------------
def test_what_was_paused_does_not_catch_up(ann: Api, ben: Api) -> None:
    hers, his = load(ann, 200), load(ben, 200)
    taken(10)
    do(ann, hers, "pause")
    assert taken(40).keys() == {stored(his).pk}
    do(ann, hers, "resume")
    rows = taken(20)
    assert abs(rows[stored(hers).pk] - rows[stored(his).pk]) <= 4


def test_pauses_bring_nobody_forward(ann: Api, ben: Api) -> None:
    hers, his = load(ann, 200), load(ben, 200)
    rows: Counter[int] = Counter()
    for _ in range(40):
        rows += taken(1)
        do(ann, hers, "pause")
        do(ann, hers, "resume")
    assert rows[stored(hers).pk] <= rows[stored(his).pk] + 2


def test_one_by_one_paused_and_resumed_together_have_no_more_than_a_new_file_would(ann: Api, ben: Api) -> None:
    hers = [load(ann, 100) and do(ann, {"id": str(Upload.objects.latest("id").public_id)}, "pause") for _ in range(4)]
    his = load(ben, 400)
    taken(5)
    for upload in hers:
        do(ann, upload, "resume")
    rows = taken(50)
    # 1 + 1/2 + 1/3 + 1/4 shares, as of files that come one after the other.
    assert rows[stored(his).pk] * 2.2 >= sum(rows.values()) - rows[stored(his).pk]


def test_newcomers_neither_wait_for_what_is_paused_nor_are_before_all_others(ann: Api, ben: Api) -> None:
    paused = load(ann, 200)
    taken(50)
    other = load(ben, 200)
    taken(20)
    do(ann, paused, "pause")
    small = load(ben, 4)
    rows = taken(8)
    assert rows[stored(small).pk] == 4
    assert rows[stored(other).pk] > 4


def test_what_came_back_unanswered_during_a_pause_is_no_place_of_the_queue_and_no_part_of_a_price(
    ann: Api, ben: Api
) -> None:
    paused = load(ann, 20)
    held = claim_chunk()
    do(ann, paused, "pause")
    assert held is not None
    release_chunk(held, state=ChunkState.READY, costs_attempt=False)
    his = load(ben, 200)
    taken(50)
    hers = load(ann, 200)
    rows = taken(20)
    assert rows[stored(hers).pk] == rows[stored(his).pk]


def test_who_is_before_it_is_told(ann: Api, ben: Api) -> None:
    first, second, third = load(ann, 100), load(ben, 100), send(ben, 2)
    fourth = send(ann, 2)
    assert [ann.show(first)["ahead"], ben.show(second)["ahead"]] == [0, 1]
    assert [ben.show(third)["ahead"], ann.show(fourth)["ahead"]] == [0, 1]
    assert [one["ahead"] for one in ann.get(UPLOADS).json()["results"]] == [1, 0]
    do(ben, third, "pause")
    assert ann.show(fourth)["ahead"] == 0
    do(ann, first, "cancel")
    assert [ann.show(first)["ahead"], ben.show(second)["ahead"]] == [None, 0]


# --- with what else people do --------------------------------------------------------------------------------------
def test_a_paused_upload_can_be_cancelled_and_deleted(api: Api, consumer: FakePostcodeConsumer) -> None:
    uploads = [load(api, 4), load(api, 4)]
    for upload in uploads:
        do(api, upload, "pause")
    shown = do(api, uploads[0], "cancel")
    assert (shown["state"], shown["paused"], shown["waiting"]) == ("cancelled", False, None)
    assert api.delete(f"{UPLOADS}{uploads[1]['id']}/").status_code == 204
    work_until_ended()
    assert Upload.objects.get().rows_loaded == 4
    assert_invariant()


def test_a_retry_of_a_paused_upload_waits_for_its_end(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(51.5, -0.1)}
    upload = api.upload("lat,lon\n51.5,-0.1\n51.6,-0.1\n51.7,-0.1\n51.8,-0.1\n")
    worker = Worker()
    while not Row.objects.filter(status=RowStatus.FAILED).exists():
        worker.run_once()
    held = Chunk.objects.filter(state=ChunkState.READY).count()
    if not held:  # the worker had both in hand
        Chunk.objects.filter(first_row=3).update(state=ChunkState.READY, matched=0)
        Row.objects.filter(longitude=-0.1, latitude__gte=51.7).update(status=RowStatus.PENDING)
        Upload.objects.update(state="geocoding", finished_at=None)
    do(api, upload, "pause")
    consumer.failing = set()
    do(api, upload, "retry")
    assert claim_chunk() is None
    worker.stop()
    do(api, upload, "resume")
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 4


def test_twice_changes_nothing_and_what_has_ended_is_told(ann: Api, consumer: FakePostcodeConsumer) -> None:
    upload = send(ann, 2)
    since = do(ann, upload, "pause")["waiting"]["since"]
    assert do(ann, upload, "pause")["waiting"]["since"] == since
    do(ann, upload, "resume"), do(ann, upload, "resume")
    assert list(AuditEntry.objects.order_by("id").values_list("action", "object")) == [
        ("upload_accepted", upload["id"]), ("upload_paused", upload["id"]), ("upload_resumed", upload["id"]),
    ]  # fmt: skip
    work_until_ended()
    for what in ("pause", "resume"):
        problem = problem_of(ann.post(f"{UPLOADS}{upload['id']}/{what}/"), 409, "upload-has-ended")
        assert what in problem["detail"]
    assert AuditEntry.objects.count() == 3


def test_a_pause_after_the_deletion_changes_nothing(api: Api) -> None:
    upload = send(api, 2)
    seen = stored(upload)
    delete_upload(stored(upload))
    pause_upload(seen), resume_upload(seen)
    assert not AuditEntry.objects.filter(action__in=["upload_paused", "upload_resumed"]).exists()


# --- for people and others -----------------------------------------------------------------------------------------
def test_what_is_paused_is_no_backlog_and_lets_workers_rest(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = load(api, 4)
    assert waiting_rows() == 4
    do(api, upload, "pause")
    assert waiting_rows() == 0
    assert not Chunk.objects.filter(state__in=OPEN_CHUNK_STATES).exists()  # no claim goes past it
    worker = Worker()
    worker.run_once()
    assert worker.nothing_is_open


def test_the_admin_shows_it_and_can_do_it(api: Api, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    upload = load(api, 4)
    admin = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    admin.force_login(get_user_model().objects.create_superuser("root", password="x"))
    page = "/admin/uploads/upload/"
    for what, is_paused in (("pause", True), ("resume", False)):
        admin.post(page, {"action": what, "_selected_action": [stored(upload).pk], "confirmed": "1"})
        shown = html.unescape(admin.get(page).content.decode())
        assert ("geocoding, paused" in shown.lower()) is is_paused
        assert (stored(upload).paused_at is not None) is is_paused
    pause_upload(stored(upload))
    assert "it was paused" in inspect_upload(stored(upload).pk).next[0]
    call_command("show_upload", str(stored(upload).pk))
    assert "because of paused" in " ".join(capsys.readouterr().out.split())
