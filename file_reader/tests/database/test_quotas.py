"""Quotas of an owner, the backlog of all and the floor of free space: refused before the body is read."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.sending import stored
from tests.working import in_thread, work_until_ended

from uploads.accepting import request_body
from uploads.models import SpentRows, Upload
from uploads.rows.bulk import usage

pytestmark = pytest.mark.django_db
CSV = b"lat,lon\n51.501009,-0.141588\n51.6,-0.2\n"
ROWS = 2


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.AUTH = "required"
    settings.QUOTA_OPEN_UPLOADS = settings.QUOTA_ROWS_PER_DAY = settings.QUOTA_STORED_BYTES = 0


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that nobody may read."""

    def read(stream: Any) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(request_body, "_read", read)


def refused(response: Any, quota: str) -> dict[str, Any]:
    problem = problem_of(response, 429, "quota-exceeded")
    assert problem["quota"] == quota
    return problem


def became_older(hours: float) -> None:
    for upload in Upload.objects.all():
        Upload.objects.filter(pk=upload.pk).update(created_at=upload.created_at - timedelta(hours=hours))


def test_open_uploads_are_limited_for_each_owner_until_one_has_ended(
    ann: Api, ben: Api, settings: Any, consumer: FakePostcodeConsumer, data_dir: Path
) -> None:
    settings.QUOTA_OPEN_UPLOADS = 2
    first, _ = ann.upload(CSV), ann.upload(CSV)
    problem = refused(ann.post(UPLOADS, CSV), "open_uploads")
    assert (problem["limit"], problem["used"], problem["free_at"]) == (2, 2, None)
    assert len(stored(data_dir)) == 2
    ben.upload(CSV)
    ann.post(f"{UPLOADS}{first['id']}/cancel/")
    ann.upload(CSV)
    work_until_ended()
    ann.upload(CSV)


@pytest.mark.django_db(transaction=True)
def test_uploads_that_come_all_at_once_do_not_pass_together(ann: Api, settings: Any, data_dir: Path) -> None:
    settings.QUOTA_OPEN_UPLOADS = 3
    answers = [in_thread(lambda: ann.post(UPLOADS, CSV)) for _ in range(16)]
    statuses = [answer.result(timeout=60).status_code for answer in answers]
    assert sorted(statuses) == [202] * 3 + [429] * 13
    assert Upload.objects.count() == len(stored(data_dir)) == 3


def test_the_rows_of_a_day_are_limited_and_it_says_when_they_are_free_again(
    ann: Api, ben: Api, settings: Any, consumer: FakePostcodeConsumer
) -> None:
    settings.QUOTA_ROWS_PER_DAY = 2 * ROWS
    ann.upload(CSV)
    work_until_ended()
    became_older(hours=20)
    ann.upload(CSV + b"51.7,-0.3\n")  # one that passes the quota is finished
    work_until_ended()
    answer = ann.post(UPLOADS, CSV)
    problem = refused(answer, "rows_per_day")
    assert (problem["limit"], problem["used"]) == (2 * ROWS, 2 * ROWS + 1)
    # Without the first upload's rows there is room: that is when they are a day old.
    free_at = datetime.fromisoformat(problem["free_at"])
    assert free_at - datetime.now(UTC) == pytest.approx(timedelta(hours=4), abs=timedelta(minutes=1))
    assert int(answer.headers["Retry-After"]) == pytest.approx(4 * 3600, abs=60)
    ben.upload(CSV)
    became_older(hours=5)
    ann.upload(CSV)


def test_rows_that_are_not_read_yet_count_for_the_day(ann: Api, settings: Any) -> None:
    settings.QUOTA_ROWS_PER_DAY = 1_000
    ann.upload(b"lat,lon\n" + b"51.501009,-0.141588\n" * 3_000)
    assert refused(ann.post(UPLOADS, CSV), "rows_per_day")["used"] > 1_000


def test_rows_of_deleted_uploads_count_for_the_same_day(
    ann: Api, settings: Any, consumer: FakePostcodeConsumer
) -> None:
    settings.QUOTA_ROWS_PER_DAY = ROWS
    upload = ann.upload(CSV)
    work_until_ended()
    ann.delete(f"{UPLOADS}{upload['id']}/")
    work_until_ended()
    assert not Upload.objects.exists()
    assert refused(ann.post(UPLOADS, CSV), "rows_per_day")["used"] == ROWS
    SpentRows.objects.update(accepted_at=datetime.now(UTC) - timedelta(days=1))
    upload = ann.upload(CSV)
    ann.delete(f"{UPLOADS}{upload['id']}/")
    work_until_ended()
    assert not SpentRows.objects.exists()  # what is older than a day is not kept


def test_stored_bytes_count_until_a_worker_has_removed_them(ann: Api, ben: Api, settings: Any, data_dir: Path) -> None:
    settings.QUOTA_STORED_BYTES = 2 * len(CSV)
    first, _ = ann.upload(CSV), ann.upload(CSV)
    problem = refused(ann.post(UPLOADS, CSV), "stored_bytes")
    assert (problem["limit"], problem["used"]) == (2 * len(CSV), 2 * len(CSV))
    ben.upload(CSV)
    ann.delete(f"{UPLOADS}{first['id']}/")
    refused(ann.post(UPLOADS, CSV), "stored_bytes")
    Upload.objects.filter(deleted_at=None).update(state="done")
    work_until_ended()
    refused(ann.post(UPLOADS, CSV + b"51.7,-0.3\n"), "stored_bytes")  # known only when it has arrived
    assert len(stored(data_dir)) == 2
    ann.upload(CSV)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("quota", ["QUOTA_OPEN_UPLOADS", "QUOTA_ROWS_PER_DAY", "QUOTA_STORED_BYTES"])
def test_a_quota_that_is_used_up_is_told_before_the_body_is_read(
    ann: Api, settings: Any, quota: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Upload.objects.create(owner_id=get_user_model().objects.get().pk, size=9, table_size=9, rows_loaded=9,
                          dialect={}, max_distance=1)  # fmt: skip
    setattr(settings, quota, 1)
    refused(ann.post(UPLOADS, CSV), quota.removeprefix("QUOTA_").lower())


def test_an_upload_that_was_accepted_is_given_again_though_the_quota_is_used_up(ann: Api, settings: Any) -> None:
    settings.QUOTA_OPEN_UPLOADS = settings.MAX_BACKLOG_ROWS = 1
    first = ann.post(UPLOADS, CSV, Idempotency_Key="monday")
    again = ann.post(UPLOADS, CSV, Idempotency_Key="monday")
    assert first.status_code == again.status_code == 202
    assert first.json()["id"] == again.json()["id"]
    refused(ann.post(UPLOADS, CSV, Idempotency_Key="tuesday"), "open_uploads")


def test_without_owners_there_are_no_quotas(api: Api, settings: Any) -> None:
    settings.AUTH = "off"
    settings.QUOTA_OPEN_UPLOADS = settings.QUOTA_ROWS_PER_DAY = settings.QUOTA_STORED_BYTES = 1
    for _ in range(3):
        api.upload(CSV)


def test_a_backlog_that_is_full_is_told_to_everybody_until_the_rows_have_their_answers(
    ann: Api, ben: Api, settings: Any, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_BACKLOG_ROWS = 2
    monkeypatch.setattr(usage, "BYTES_PER_ROW", 10)
    ann.upload(CSV)
    with monkeypatch.context() as patch:
        patch.setattr(request_body, "_read", None)
        answer = ben.post(UPLOADS, CSV)
    assert problem_of(answer, 503, "backlog-full")["limit"] == 2
    assert int(answer.headers["Retry-After"]) > 0
    work_until_ended()
    ben.upload(CSV)
    Upload.objects.filter(state="received").update(state="cancelled")
    ben.upload(CSV)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("address", [UPLOADS, f"{UPLOADS}preview/"])
def test_the_last_room_on_the_disk_is_not_for_uploads(ann: Api, settings: Any, data_dir: Path, address: str) -> None:
    settings.MIN_FREE_BYTES = 1 << 50
    answer = ann.post(address, CSV)
    problem_of(answer, 507, "disk-nearly-full")
    assert int(answer.headers["Retry-After"]) > 0
    assert stored(data_dir) == []
    assert ann.get(UPLOADS).status_code == 200


def test_a_file_that_comes_without_a_length_stops_at_the_floor(
    ann: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = iter([False, False, True])

    def statvfs(folder: Path) -> Any:
        disk = real(folder)
        free = 0 if next(checks) else disk.f_bavail
        return type("Disk", (), {"f_frsize": disk.f_frsize, "f_bavail": free, "f_blocks": disk.f_blocks})

    real = os.statvfs
    monkeypatch.setattr(os, "statvfs", statvfs)
    problem_of(ann.post(UPLOADS, CSV * 20_000), 507, "disk-nearly-full")
    assert stored(data_dir) == []


def test_counting_takes_one_statement_by_its_index(ann: Api, settings: Any) -> None:
    with connection.cursor() as cursor:
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read as they come
        for quota, index in (("open_uploads", "upload_open"), ("stored_bytes", "upload_usage"),
                             ("rows_per_day", "upload_usage")):  # fmt: skip
            cursor.execute(f"{explain} {usage._USED[quota]}", {"owner": 1, "day": "2026-01-01"})
            assert index in str(cursor.fetchall()), quota
