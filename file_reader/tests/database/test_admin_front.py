"""The front page of the admin, and its groups."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models.functions import Now
from django.test import Client
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.row_sets import make_upload
from tests.working import work_until_ended

from uploads.models import AuditEntry, Chunk, Upload, WorkMinute
from uploads.work.leases import claim_chunk
from uploads.work.minutes import name_of_this_worker, remove_old_minutes, write_minute

pytestmark = pytest.mark.django_db
LIMITER = {"calls_per_second": 10.0, "is_open": True, "paused_for": 125.0, "next_call_in": 0.4}
CALL = {"place": 143, "answered": 30, "refused": 2, "timed_out": 1, "failed": 0, "seconds": 6.6, "most": 1.5}


class Consumer:
    """What the front page asks postcode_consumer, answered from `upstream` and `missing`."""

    def __init__(self) -> None:
        first = int(time.time()) // 600 * 10 - 1430
        self.upstream = {
            "provider": "postcodes_io", "limiter": LIMITER, "first_minute": first, "step": 10, "calls": [CALL],
        }  # fmt: skip
        self.missing: dict[str, str] = {}
        self.told: list[str] = []


@pytest.fixture
def lookups(settings: Any) -> Iterator[Consumer]:
    fake = Consumer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_ready = self.path == "/readyz"
            body: Any = {"missing": fake.missing} if is_ready else fake.upstream
            self._answer(503 if is_ready and fake.missing else 200, body)

        def do_POST(self) -> None:
            fake.told.append(self.path)
            self._answer(200, {})

        def _answer(self, status: int, body: Any) -> None:
            assert self.headers["X-Internal-Token"] == settings.INTERNAL_TOKEN
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    settings.POSTCODE_CONSUMER_URL = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()


def member(group: str) -> Client:
    """A browser of somebody in that group."""
    user = get_user_model().objects.create_user("cara", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Api().client
    client.force_login(user)
    return client


def text_of(client: Client, path: str = "/admin/") -> str:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


# --- the front page ------------------------------------------------------------------------------------------------
def test_the_front_page_says_how_everything_is(admin: Client, lookups: Consumer) -> None:
    make_upload(120, state="geocoding")
    Chunk.objects.create(upload=make_upload(1), first_row=1, row_count=1, state="dead", failed=1)
    Upload.objects.create(filename="x", size=1, sha256="", dialect={}, max_distance=1, paused_at=Now())
    claim_chunk()
    write_minute()
    text = text_of(admin)
    for said in (
        "file_reader ready", "postcode_consumer ready", "Chunks leased 1 with 40 rows", "Uploads indexing 1",
        "Chunks dead 1", "Uploads geocoding 1", "Uploads paused 1", f"{name_of_this_worker()} 1 0",
        "Provider postcodes_io", "10.0 calls a second; the next in 0.4 s", "Breaker open: it does not work",
        "Pause 125 s are left",
    ):  # fmt: skip
        assert said in text, said
    html = admin.get("/admin/").content.decode()
    assert 'aria-label="Calls upstream by outcome: answered 30, refused 2, timed_out 1, failed 0"' in html
    assert "longest at most 1.5 s, mean at most 0.2 s" in html
    assert "<style" not in html
    assert " style=" not in html


def test_the_front_page_shows_the_rows_that_workers_wrote(
    admin: Client, api: Api, consumer: FakePostcodeConsumer
) -> None:
    consumer.failing = {(53.4, -2.2)}
    api.upload("lat,lon\n51.501009,-0.141588\n51.6,-0.2\nx,y\n53.4,-2.2\n")
    work_until_ended()
    html = admin.get("/admin/").content.decode()
    assert 'aria-label="Rows by result: matched 2, no_match 0, failed 1, rejected 1"' in html


def test_what_is_not_ready_and_what_does_not_answer_is_said(
    admin: Client, lookups: Consumer, settings: Any, tmp_path: Any
) -> None:
    lookups.missing = {"index": "There is no index of postcodes in LOCAL_INDEX."}
    assert "not ready: index: There is no index of postcodes in LOCAL_INDEX." in text_of(admin)
    settings.POSTCODE_CONSUMER_URL = "http://127.0.0.1:1"
    text = text_of(admin)
    assert "not ready: postcode_consumer does not answer (ConnectionError)." in text
    assert "Not known: postcode_consumer does not say it." in text
    settings.DATA_DIR = settings.UPLOADS_DIR = tmp_path / "nowhere"
    assert "not ready: uploads_dir: DATA_DIR cannot be written to" in text_of(admin)


def test_the_front_page_asks_a_few_questions(lookups: Consumer, django_assert_max_num_queries: Any) -> None:
    client = member("Operators")
    for number in range(2_000):
        WorkMinute(
            minute=int(time.time()) // 60 - number, worker="x", matched=1, no_match=0, failed=0, rejected=0
        ).save()
    with django_assert_max_num_queries(12):
        client.get("/admin/")


@pytest.mark.parametrize(
    ("what", "told", "action"),
    [
        ("pause", "/internal/upstream/pause/", "upstream_paused"),
        ("close_breaker", "/internal/upstream/close-breaker/", "breaker_closed"),
    ],
)
def test_upstream_is_paused_and_the_breaker_closed_after_a_question(
    lookups: Consumer, what: str, told: str, action: str
) -> None:
    client = member("Operators")
    assert f'href="/admin/upstream/{what}/"' in client.get("/admin/").content.decode()
    assert "?" in text_of(client, f"/admin/upstream/{what}/")
    assert lookups.told == []
    client.post(f"/admin/upstream/{what}/")
    assert lookups.told == [told]
    assert AuditEntry.objects.get(object="upstream").action == action
    assert LogEntry.objects.count() == 1


def test_that_upstream_could_not_be_told_is_said_and_not_logged(admin: Client, settings: Any) -> None:
    settings.POSTCODE_CONSUMER_URL = "http://127.0.0.1:1"
    answer = admin.post("/admin/upstream/pause/", follow=True)
    assert "postcode_consumer does not answer" in answer.content.decode()
    assert not LogEntry.objects.exists()
    assert not AuditEntry.objects.filter(object="upstream").exists()


def test_minutes_are_kept_for_a_day() -> None:
    now = int(time.time()) // 60
    for age in (0, 24 * 60, 26 * 60):
        WorkMinute.objects.create(minute=now - age, worker="x", matched=1, no_match=0, failed=0, rejected=0)
    assert remove_old_minutes(False, lambda: False) == 1
    assert sorted(now - minute.minute for minute in WorkMinute.objects.all()) == [0, 24 * 60]


# --- the groups ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("group", "rows", "actions", "users"),
    [("Viewers", 403, 0, 403), ("Operators", 200, 3, 403), ("Admins", 200, 3, 200)],
)
def test_groups_see_and_do_what_they_are_for(
    group: str, rows: int, actions: int, users: int, lookups: Consumer
) -> None:
    upload = Upload.objects.create(filename="x.csv", size=1, sha256="", dialect={}, max_distance=1)
    client = member(group)
    assert "Queue" in text_of(client)
    assert client.get("/admin/uploads/row/").status_code == rows
    assert client.get("/admin/auth/user/").status_code == users
    assert client.get("/admin/uploads/chunk/").status_code == 200
    html = client.get(f"/admin/uploads/upload/{upload.pk}/change/").content.decode()
    assert len(re.findall(r'name="action"', html)) == actions
    assert ("Pause 10 min" in client.get("/admin/").content.decode()) == bool(actions)
    assert client.get("/admin/upstream/pause/").status_code == (200 if actions else 403)


def test_staff_who_may_not_look_at_uploads_see_no_figures() -> None:
    user = get_user_model().objects.create_user("dora", is_staff=True)
    client = Api().client
    client.force_login(user)
    assert "Queue" not in text_of(client)
