"""What this service says of itself for the page that everybody may see."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from tests.api import UPLOADS, Api, Caller, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_idle

from reader_config import metrics
from service_kit.metrics import Kept
from uploads.files.alive import SignOfLife
from uploads.models import Upload
from uploads.queue import queue

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.5,-0.1\n51.6,-0.2\n"
NO_WORKER = "No worker has shown that it lives for half a minute: uploads wait."
ONE_HANGS = "Workers that hang: 1. The others take their work when its leases end."


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "queue_now", Kept(queue, 0))


@pytest.fixture
def a_worker(data_dir: Path) -> Iterator[Path]:
    """The file of a worker that lives."""
    with closing(SignOfLife()) as life:
        life.show()
        (file,) = (data_dir / "run").iterdir()
        yield file


def told(api: Api) -> dict[str, Any]:
    answer = api.get("/internal/status/")
    assert answer.status_code == 200
    return dict(answer.json())


def test_it_is_for_the_gateway_only() -> None:
    problem_of(Caller().get("/internal/status/"), 401, "internal-token-required")


def test_workers_are_told_by_their_ages_and_missed_when_they_are_silent(api: Api, a_worker: Path) -> None:
    [seconds] = told(api)["figures"]["workers_last_sign_seconds"]
    assert seconds < 20
    assert told(api)["troubles"] == []
    another = a_worker.with_name("worker-alive.other.1")
    another.touch()
    long_ago = time.time() - 5_000
    os.utime(a_worker, (long_ago, long_ago))
    assert [round(age, -2) for age in told(api)["figures"]["workers_last_sign_seconds"]] == [0, 5_000]
    assert told(api)["troubles"] == [ONE_HANGS]
    # Nobody holds this one: its process was killed, and does not hang.
    os.utime(another, (long_ago, long_ago))
    assert len(told(api)["figures"]["workers_last_sign_seconds"]) == 1
    assert told(api)["troubles"] == [NO_WORKER]


@pytest.mark.usefixtures("a_worker")
def test_the_queue_is_told(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "503"
    api.upload(CSV)
    work_until_idle()
    assert api.post(f"{UPLOADS}{api.upload(CSV)['id']}/pause/").status_code == 200
    api.upload(CSV)
    begun = Upload.objects.get(public_id=api.upload(CSV)["id"])
    Upload.objects.filter(pk=begun.pk).update(state="loading", created_at=Now() - timedelta(minutes=3))
    said = told(api)
    names = ("uploads_not_begun", "uploads_at_work", "uploads_waiting_for_answers", "uploads_paused", "rows_waiting")
    assert [said["use"][name] for name in names] == [1, 1, 1, 1, 2]
    assert said["use"]["oldest_upload_seconds"] == pytest.approx(180, abs=20)
    assert said["troubles"] == ["Nobody can answer about locations: uploads wait."]


@pytest.mark.usefixtures("a_worker")
def test_a_disk_that_is_nearly_full_is_told_and_is_no_reason_to_get_no_requests(api: Api, settings: Any) -> None:
    settings.MIN_FREE_BYTES = 2**60
    assert told(api)["troubles"] == ["The disk is nearly full: uploads are refused."]
    assert api.get("/readyz").status_code == 200


def test_what_everybody_may_see_names_nobody_and_no_place(ann: Api, a_worker: Path, data_dir: Path) -> None:
    ann.upload(CSV, filename="secret.csv")
    said = str(told(ann))
    for private in ("secret", "ann", socket.gethostname(), str(os.getpid()), data_dir.name, a_worker.name):
        assert private not in said


@pytest.mark.usefixtures("a_worker")
def test_without_a_database_the_rest_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "queue_now", away)
    said = told(api)
    assert said["troubles"] == []
    assert {*said["figures"]} == {"workers_last_sign_seconds", "disk_free_bytes", "disk_bytes"}
    assert said["use"] == {}


def test_the_look_that_it_names_is_there(api: Api) -> None:
    for name, part in (("stylesheet", b"--accent"), ("icon", b"<svg")):
        answer = api.get(told(api)[name])
        assert answer.status_code == 200
        assert part in b"".join(answer)
        answer.close()


@pytest.mark.parametrize("abstract", [False, True], ids=["a socket in a folder", "a socket of the kernel"])
def test_systemd_is_told_that_a_worker_lives(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"\0watchdog-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        with closing(SignOfLife()) as life:
            life.show()
            assert systemd.recv(100) == b"WATCHDOG=1"
    # Once systemd listens no more, the work goes on.
    with closing(SignOfLife()) as life:
        life.show()
