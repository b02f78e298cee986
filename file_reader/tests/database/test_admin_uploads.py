"""The admin of uploads: its list, its page, and actions that ask back."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.row_sets import make_upload
from tests.working import leases_run_out, work_until_ended

from uploads.models import AuditEntry, Chunk, ChunkState, Upload
from uploads.work.leases import claim_chunk
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
LIST = "/admin/uploads/upload/"
CSV = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\nx,y\n53.4,-2.2\n"


def staff(*permissions: str) -> Client:
    """A browser of somebody who may look at uploads, and do that."""
    user = get_user_model().objects.create_user("cara", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_upload", *permissions]))
    client = Api().client
    client.force_login(user)
    return client


def names(client: Client, **query: str) -> list[str]:
    """The files of the list."""
    html = client.get(LIST, query).content.decode()
    return re.findall(r'field-filename"><a[^>]*>([^<]+)', html)


def named(name: str, **fields: Any) -> Upload:
    return Upload.objects.create(filename=name, size=1, sha256="", dialect={}, max_distance=1, **fields)


def act(client: Client, action: str, *uploads: Upload, **more: str) -> str:
    data = {"action": action, "_selected_action": [upload.pk for upload in uploads], **more}
    return client.post(LIST, data, follow=True).content.decode()


def page_of(client: Client, upload: Upload) -> str:
    answer = client.get(f"{LIST}{upload.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


# --- the list ------------------------------------------------------------------------------------------------------
def test_those_with_failed_rows_are_found(admin: Client) -> None:
    upload = named("bad.csv")
    Chunk.objects.create(upload=upload, first_row=1, row_count=2, state="done", matched=1, failed=1)
    Chunk.objects.create(upload=named("good.csv"), first_row=1, row_count=2, state="done", matched=2)
    assert names(admin, failed_rows="yes") == ["bad.csv"]
    assert names(admin) == ["good.csv", "bad.csv"]


def test_stuck_are_those_that_nobody_goes_on_with(admin: Client) -> None:
    long_ago, just_now = Now() - timedelta(minutes=11), Now() - timedelta(minutes=9)
    named("waits for long.csv", created_at=long_ago)
    named("is new.csv", created_at=just_now)
    named("is paused.csv", created_at=long_ago, paused_at=long_ago)
    named("is done.csv", created_at=long_ago, state="done")
    named("is deleted.csv", created_at=long_ago, deleted_at=Now())
    named("has lost its loader.csv", created_at=just_now, state="loading", lease_until=just_now)
    for name, answered_at, until in (
        ("goes on.csv", just_now, Now() + timedelta(minutes=1)),
        ("has stopped.csv", long_ago, Now() + timedelta(minutes=1)),
        ("has lost its worker.csv", just_now, just_now),
    ):
        upload = named(name, created_at=long_ago, state="geocoding")
        Chunk.objects.create(
            upload=upload, first_row=1, row_count=2, state="leased", answered_at=answered_at, lease_until=until
        )
    assert sorted(names(admin, stuck="yes")) == [
        "has lost its loader.csv", "has lost its worker.csv", "has stopped.csv", "waits for long.csv",
    ]  # fmt: skip


def test_an_answer_is_progress_and_an_outage_is_none(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "503"
    api.upload(CSV)
    worker = Worker()
    for _ in range(3):
        worker.run_once()
    assert Chunk.objects.get().answered_at is None
    consumer.always = None
    work_until_ended()
    assert Chunk.objects.get().answered_at is not None


@pytest.mark.parametrize("query", [{}, {"q": "x.csv"}, {"stuck": "yes", "failed_rows": "yes"}])
def test_the_list_asks_a_few_questions_however_many_uploads_it_has(
    query: dict[str, str], django_assert_max_num_queries: Any
) -> None:
    owner = get_user_model().objects.create_user("ann")
    for number in range(5):
        make_upload(20, owner=owner, state="geocoding" if number % 2 else "done")
    client = staff("cancel_upload")
    with django_assert_max_num_queries(12):
        assert client.get(LIST, query).status_code == 200


# --- the page ------------------------------------------------------------------------------------------------------
def test_the_page_says_who_has_the_lease_and_what_came_of_it(
    admin: Client, api: Api, consumer: FakePostcodeConsumer
) -> None:
    consumer.failing = {(53.4, -2.2)}
    api.upload(CSV)
    upload = Upload.objects.get()
    work_until_ended()
    upload.refresh_from_db()
    html = page_of(admin, upload)
    for text in (
        'aria-label="Rows: match 2, no match 0, failed 1, rejected 1, pending 0"',
        "rejected: not_a_number",
        f'href="/admin/uploads/row/?upload={upload.pk}&status=3">failed (1)</a>',
        f'href="/uploads/{upload.public_id}/"',
        f'href="/api/v1/uploads/{upload.public_id}/result.csv"',
        "upload accepted",
        f"loaded by {upload.worker}",
        "row index written",
    ):
        assert text in html.replace("&amp;", "&"), text


def test_a_lease_names_its_worker(admin: Client) -> None:
    upload = make_upload(100, state="geocoding")
    assert claim_chunk() is not None
    chunk = Chunk.objects.get(state="leased")
    assert re.fullmatch(r".+:\d+", chunk.worker)
    assert f"<td>{chunk.worker}</td>" in page_of(admin, upload)
    leases_run_out()
    assert names(admin, stuck="yes") == ["x.csv"]


def test_dead_and_split_chunks_are_listed_the_last_fifty(admin: Client) -> None:
    upload = named("x.csv", state="geocoding")
    Chunk.objects.bulk_create(
        Chunk(upload=upload, first_row=number, row_count=1, state=ChunkState.DEAD if number % 2 else ChunkState.SPLIT)
        for number in range(1, 61)
    )
    html = page_of(admin, upload)
    assert len(re.findall("<td>dead</td>", html)) - 1 == 25  # and one in the sums
    assert "The last 50." in html


@pytest.mark.parametrize("state", ["received", "loading", "geocoding", "done", "cancelled"])
def test_the_page_asks_a_few_questions(state: str, django_assert_max_num_queries: Any) -> None:
    upload = named("x.csv") if state == "received" else make_upload(200, state=state)
    claim_chunk()
    Chunk.objects.filter(state="ready").update(fence=1)
    client = staff("pause_upload", "view_row", "view_chunk")
    page_of(client, upload)  # Django remembers the kinds of things that it has
    with django_assert_max_num_queries(12):
        assert client.get(f"{LIST}{upload.pk}/change/").status_code == 200


def test_results_of_others_are_not_offered(settings: Any) -> None:
    upload = named("x.csv", owner=get_user_model().objects.create_user("ann"))
    settings.AUTH = "required"
    html = page_of(staff("view_chunk"), upload)
    assert "result.csv" not in html
    assert "Rows (" not in html
    assert "Chunks</a>" in html


# --- actions -------------------------------------------------------------------------------------------------------
ACTIONS = {
    "pause": ("pause_upload", "received", "Pause 1 upload with 0 unanswered rows?"),
    "resume": ("resume_upload", "paused", "Continue 1 upload with 0 unanswered rows?"),
    "cancel": ("cancel_upload", "received", "Cancel 1 upload with 0 unanswered rows?"),
    "retry": ("retry_upload", "failed rows", "Retry failed rows of 1 upload with 1 failed row?"),
    "delete": ("delete_upload", "received", "Delete 1 upload with 0 rows?"),
}


def in_state(state: str) -> Upload:
    if state == "failed rows":
        upload = named("x.csv", state="done")
        Chunk.objects.create(upload=upload, first_row=1, row_count=2, state="done", matched=1, failed=1)
        return upload
    return named("x.csv", paused_at=Now() if state == "paused" else None)


def state_of(upload: Upload) -> tuple[Any, ...]:
    upload.refresh_from_db()
    return upload.state, upload.paused_at is None, upload.deleted_at is None


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_asks_back_with_totals_and_then_does_it_and_is_logged(action: str) -> None:
    permission, state, question = ACTIONS[action]
    upload, client = in_state(state), staff(permission)
    before = state_of(upload)
    asked = act(client, action, upload)
    assert f"<h1>{question}</h1>" in asked
    assert state_of(upload) == before
    assert not LogEntry.objects.exists()
    done = act(client, action, upload, confirmed="1")
    assert state_of(upload) != before
    assert re.search(r'class="success">[^<]*: 1 upload with \d+ ', done)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.is_deletion()) == (str(upload.pk), action == "delete")
    audited = AuditEntry.objects.get(object=str(upload.public_id))
    assert (audited.via, audited.user) == ("admin", get_user_model().objects.get(username="cara"))


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_needs_its_own_right(action: str) -> None:
    permission, state, _ = ACTIONS[action]
    others = {right for right, _, _ in ACTIONS.values()} - {permission}
    upload, client = in_state(state), staff(*others)
    before = state_of(upload)
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    assert f'value="{action}"' not in page_of(client, upload)
    act(client, action, upload, confirmed="1")
    assert state_of(upload) == before


def test_what_an_action_does_not_fit_is_named_and_skipped() -> None:
    client, open_one, ended = staff("cancel_upload"), named("open.csv"), named("ended.csv", state="done")
    asked = act(client, "cancel", open_one, ended)
    assert "Cancel 1 upload with 0 unanswered rows?" in asked
    assert "ended.csv" in asked.partition("Skipped, because their state does not allow it:")[2]
    assert f'name="_selected_action" value="{ended.pk}"' not in asked
    Upload.objects.filter(pk=open_one.pk).update(state="done")  # somebody was quicker
    said = act(client, "cancel", open_one, confirmed="1")
    assert "Skipped, because their state does not allow it: open.csv" in said
    assert not LogEntry.objects.exists()


def test_only_what_was_asked_about_is_done(admin: Client) -> None:
    first, second = named("1.csv"), named("2.csv")
    data = {"action": "pause", "_selected_action": [first.pk], "confirmed": "1", "select_across": "1"}
    admin.post(LIST, data)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.paused_at is None, second.paused_at is None) == (False, True)


def test_the_page_offers_what_the_state_allows(admin: Client) -> None:
    offered = lambda upload: re.findall(r'name="action" value="(\w+)"', page_of(admin, upload))  # noqa: E731
    assert offered(named("x.csv")) == ["pause", "cancel", "delete"]
    assert offered(named("x.csv", paused_at=Now())) == ["resume", "cancel", "delete"]
    assert offered(in_state("failed rows")) == ["retry", "delete"]
    assert offered(named("x.csv", deleted_at=Now())) == []


def test_somebody_who_may_only_look_sees_no_action() -> None:
    upload, client = named("x.csv"), staff()
    html = client.get(LIST).content.decode() + page_of(client, upload)
    assert 'name="action"' not in html
    assert "action-select" not in html
    assert client.get(f"{LIST}{upload.pk}/delete/").status_code == 403


def test_the_page_for_deleting_has_numbers_and_lists_no_row(admin: Client, django_assert_max_num_queries: Any) -> None:
    upload = make_upload(2_000)
    with django_assert_max_num_queries(12):
        html = admin.get(f"{LIST}{upload.pk}/delete/").content.decode()
    assert "Rows: 2000" in html
    assert len(html) < 12_000
    answer = admin.post(f"{LIST}{upload.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    upload.refresh_from_db()
    assert upload.deleted_at is not None  # a worker removes it
    assert AuditEntry.objects.get(action="upload_deleted").object == str(upload.public_id)


def test_more_than_are_taken_at_once_are_told_about(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uploads.admin.operations.MOST_AT_ONCE", 2)
    uploads = [named(f"{number}.csv") for number in range(3)]
    html = act(admin, "pause", *uploads)
    assert "Only the first 2 are taken at once." in html
    assert "Pause 2 uploads with 0 unanswered rows?" in html
