"""UPLOAD_KEEP_DAYS: uploads are deleted some time after their end."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from service_kit.maintenance.running import maintain
from uploads.files.stored import path_of
from uploads.models import Row, Upload
from uploads.work import housekeeping
from uploads.work.commands import retry_upload
from uploads.work.housekeeping import delete_expired

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n"


def days_pass(days: float) -> None:
    Upload.objects.update(
        created_at=F("created_at") - timedelta(days=days), finished_at=F("finished_at") - timedelta(days=days)
    )


def test_an_upload_says_when_it_is_deleted_and_then_it_is(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    upload = api.upload(CSV)
    work_until_ended()
    assert api.show(upload)["expires_at"] is None  # kept
    settings.UPLOAD_KEEP_DAYS = 30  # acts on what is there
    shown = api.show(upload)
    ended, expires = (datetime.fromisoformat(shown[name]) for name in ("finished_at", "expires_at"))
    assert expires - ended == timedelta(days=30)
    days_pass(29)
    maintain()
    assert api.show(upload)
    days_pass(1.01)
    maintain()  # no worker is needed
    assert api.get(f"{UPLOADS}{upload['id']}/").status_code == 404
    assert not Upload.objects.exists()
    assert not Row.objects.exists()
    assert not path_of(UUID(upload["id"])).exists()


def test_what_is_kept_is_not_deleted_and_what_is_open_neither(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    kept = api.upload(CSV)
    work_until_ended()
    days_pass(5_000)
    delete_expired()
    assert api.show(kept)["expires_at"] is None
    settings.UPLOAD_KEEP_DAYS = 1
    opened = api.upload(CSV)
    days_pass(5_000)
    delete_expired()
    assert [upload["id"] for upload in api.get(UPLOADS).json()["results"]] == [opened["id"]]
    assert api.show(opened)["expires_at"] is None


def test_a_retry_begins_the_time_anew(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.UPLOAD_KEEP_DAYS = 1
    consumer.failing = {(51.501009, -0.141588)}
    upload = api.upload(CSV)
    work_until_ended()
    days_pass(2)
    retry_upload(Upload.objects.get())
    delete_expired()
    assert api.show(upload)["expires_at"] is None
    work_until_ended()
    assert api.show(upload)["expires_at"]


def test_who_deletes_need_not_wait_for_all_that_expired(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_EXPIRED_AT_ONCE", 2)
    settings.UPLOAD_KEEP_DAYS = 1
    for _ in range(4):
        api.upload(CSV)
    work_until_ended()
    days_pass(2)
    for _ in range(2):
        delete_expired()
    assert Upload.objects.filter(deleted_at__isnull=False).count() == 2
    assert Upload.objects.visible_to(None).count() == 2
