"""What an operator sees at /metrics: what there is to do, what was done, and requests by route."""

import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended, work_until_idle

from reader_config import metrics
from service_kit.metrics import Kept
from uploads.files.alive import SignOfLife
from uploads.models import Chunk, ChunkState, Upload
from uploads.queue import queue
from uploads.work.loop import work
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.5,-0.1\n51.6,-0.2\n"


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "queue_now", Kept(queue, 0))


def shown(api: Api, name: str, **labels: str) -> float | None:
    """The value of one series in /metrics; None when it is not there."""
    wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else "")
    for line in api.get("/metrics").content.decode().splitlines():
        series, _, value = line.rpartition(" ")
        if series == wanted:
            return float(value)
    return None


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def uploads_by_state(api: Api) -> dict[str, float]:
    states = ("received", "loading", "geocoding", "waiting", "paused", "indexing", "removing")
    found = {state: shown(api, "file_reader_uploads", state=state) for state in states}
    return {state: count for state, count in found.items() if count}


def test_each_upload_counts_in_the_state_that_people_see_and_none_that_is_over(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    api.upload(CSV)
    work_until_ended()
    assert uploads_by_state(api) == {}
    paused = api.upload(CSV)["id"]
    assert api.post(f"{UPLOADS}{paused}/pause/").status_code == 200
    api.upload(CSV)
    waiting, ended, removed = (Upload.objects.get(public_id=api.upload(CSV)["id"]) for _ in range(3))
    Upload.objects.filter(pk=waiting.pk).update(state="geocoding", waiting_since=Now() - timedelta(minutes=3))
    Upload.objects.filter(pk=ended.pk).update(state="done", finished_at=Now() - timedelta(minutes=9))
    Upload.objects.filter(pk=removed.pk).update(deleted_at=Now())
    assert uploads_by_state(api) == {"received": 1, "paused": 1, "waiting": 1, "indexing": 1, "removing": 1}
    assert shown(api, "file_reader_oldest_upload_seconds", state="waiting") == pytest.approx(180, abs=20)
    assert shown(api, "file_reader_oldest_upload_seconds", state="indexing") == pytest.approx(540, abs=20)
    assert shown(api, "file_reader_oldest_upload_seconds", state="loading") == 0


def test_chunks_wait_are_leased_and_are_overdue(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_ROWS = 1
    consumer.always = "503"
    api.upload(CSV)
    work_until_idle()
    Chunk.objects.update(due_at=Now() - timedelta(seconds=70), state=ChunkState.READY)
    assert shown(api, "file_reader_chunks", state="ready") == 2
    assert shown(api, "file_reader_chunk_rows", state="ready") == 2
    assert shown(api, "file_reader_oldest_chunk_seconds", state="ready") == pytest.approx(70, abs=20)
    first = Chunk.objects.order_by("pk")[:1].get()
    Chunk.objects.filter(pk=first.pk).update(state=ChunkState.LEASED, lease_until=Now() + timedelta(seconds=50))
    assert (shown(api, "file_reader_chunks", state="leased"), shown(api, "file_reader_chunks", state="overdue")) == (
        1,
        0,
    )
    Chunk.objects.filter(pk=first.pk).update(lease_until=Now() - timedelta(seconds=50))
    assert (shown(api, "file_reader_chunks", state="leased"), shown(api, "file_reader_chunks", state="overdue")) == (
        0,
        1,
    )
    assert shown(api, "file_reader_oldest_chunk_seconds", state="overdue") == pytest.approx(50, abs=20)


def test_the_queue_is_one_statement_which_is_asked_once_in_five_seconds(api: Api) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        queue()
    assert len(asked) == 1
    calls: list[int] = []
    kept = Kept(lambda: calls.append(1), 5)
    kept(), kept()
    assert len(calls) == 1
    assert metrics._KEPT_SECONDS == 5


def test_rows_chunks_rounds_and_lookups_are_counted_by_outcome(api: Api, consumer: FakePostcodeConsumer) -> None:
    names: dict[tuple[str, ...], dict[str, str]] = {
        ("file_reader_worker_rows_total", "matched"): {"outcome": "matched"},
        ("file_reader_worker_rows_total", "rejected"): {"outcome": "rejected"},
        ("file_reader_worker_chunks_total", "done"): {"outcome": "done"},
        ("file_reader_worker_lookup_seconds_count", "answered"): {"outcome": "answered"},
        ("file_reader_worker_turn_seconds_count", "load"): {"kind": "load"},
        ("file_reader_worker_turn_seconds_count", "write"): {"kind": "write"},
        ("file_reader_worker_turn_seconds_count", "index"): {"kind": "index"},
        ("file_reader_worker_rows_read_total",): {},
        ("file_reader_worker_uploads_ended_total",): {},
    }
    before = {key: counted(key[0], **labels) for key, labels in names.items()}
    api.upload(CSV + "x,y\n")
    work(Worker(), until_idle=True)
    more = {key: counted(key[0], **labels) - before[key] for key, labels in names.items()}
    assert more.pop(("file_reader_worker_turn_seconds_count", "index")) >= 1
    assert set(more.values()) == {1, 2, 3}
    assert more["file_reader_worker_rows_total", "matched"] == 2
    assert more["file_reader_worker_rows_total", "rejected"] == 1
    assert more["file_reader_worker_rows_read_total",] == 3
    assert counted("file_reader_worker_rounds_total", found="yes") >= 1


def test_a_lease_that_was_lost_is_counted(api: Api, consumer: FakePostcodeConsumer) -> None:
    before = counted("file_reader_worker_leases_lost_total", of="chunk")
    api.upload(CSV)
    worker = Worker()
    assert worker._load()
    worker._claim()
    Chunk.objects.update(fence=99)
    assert worker._geocode()
    assert counted("file_reader_worker_leases_lost_total", of="chunk") == before + 1


def test_requests_are_told_apart_by_the_pattern_of_their_address(api: Api) -> None:
    upload = api.upload(CSV)["id"]
    assert api.get(f"{UPLOADS}{upload}/").status_code == 200
    assert api.get("/nowhere/at-all/").status_code == 404
    text = api.get("/metrics").content.decode()
    assert shown(api, "file_reader_request_seconds_count", method="GET", route="none", status="404")
    routes = set(re.findall('file_reader_request_seconds_count.*route="([^"]+)"', text))
    assert "/api/v1/uploads/<uuid:public_id>/" in routes, routes
    assert upload not in text
    assert "at-all" not in text


def test_a_worker_shows_that_it_lives_and_no_longer_when_it_does_not(api: Api, data_dir: Path) -> None:
    work(Worker(), until_idle=True)
    (file,) = (data_dir / "run").glob("worker-alive.*")
    assert file.name.endswith(f".{os.getpid()}")
    assert shown(api, "file_reader_workers_alive") == 1
    long_ago = time.time() - 200
    os.utime(file, (long_ago, long_ago))
    assert shown(api, "file_reader_workers_alive") == 0
    left = data_dir / "run" / "worker-alive.other.1"
    left.touch()
    os.utime(left, (0, 0))
    SignOfLife().end()
    assert list((data_dir / "run").iterdir()) == []


def test_without_a_database_the_rest_is_shown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def away() -> Callable[[], Any]:
        raise OperationalError("away")

    monkeypatch.setattr(metrics, "queue_now", away)
    assert shown(api, "file_reader_uploads", state="received") is None
    assert (shown(api, "file_reader_disk_free_bytes") or 0) > 0
    assert (shown(api, "file_reader_disk_floor_bytes") or 0) > 0
