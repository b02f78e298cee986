"""An upload says that it waits for answers, since when, and why."""

import html
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from tests.api import UPLOADS, Api, Caller
from tests.fake_postcode_consumer import FakePostcodeConsumer, contract
from tests.working import time_passes, work_until_ended, work_until_idle

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.1,-0.1\n51.2,-0.1\n"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hang up", "lookup_service_unreachable"),
        ("503", "provider_unavailable"),
        ("502", "provider_unavailable"),
        ("504", "lookup_timeout"),
        ("html", "unusable_answer"),
        ("short", "unusable_answer"),
    ],
)
def test_an_upload_says_why_it_waits_and_stops_when_it_is_answered(
    api: Api, consumer: FakePostcodeConsumer, fault: str, reason: str
) -> None:
    consumer.always = fault
    upload = api.upload(CSV)
    assert api.show(upload)["waiting"] is None
    work_until_idle()
    waiting = api.show(upload)["waiting"]
    assert waiting["reason"] == reason
    assert waiting["detail"]
    age = datetime.now(UTC) - datetime.fromisoformat(waiting["since"])
    assert 0 <= age.total_seconds() < 60
    consumer.always = None
    work_until_ended()
    assert api.show(upload)["waiting"] is None


def test_the_service_that_looks_up_says_why_in_its_own_words(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "503"
    upload = api.upload(CSV)
    work_until_idle()
    said = contract("reverse_geocode/upstream_unavailable")["response"]["body"]["detail"]
    assert api.show(upload)["waiting"]["detail"] == said


def test_a_lookup_that_takes_too_long_is_waited_for(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_DEADLINE = timedelta(seconds=0.3)
    consumer.gate.clear()
    upload = api.upload(CSV)
    work_until_idle()
    assert api.show(upload)["waiting"]["reason"] == "lookup_timeout"


def test_since_is_the_first_outage_and_the_reason_that_of_the_last(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "503"
    upload = api.upload(CSV)
    work_until_idle()
    first = api.show(upload)["waiting"]
    consumer.always = "html"
    time_passes()
    work_until_idle()
    second = api.show(upload)["waiting"]
    assert second["since"] == first["since"]
    assert (first["reason"], second["reason"]) == ("provider_unavailable", "unusable_answer")


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_an_upload_that_people_ended_or_began_again_does_not_wait(
    api: Api, consumer: FakePostcodeConsumer, action: str
) -> None:
    consumer.always = "503"
    upload = api.upload(CSV)
    work_until_idle()
    assert api.show(upload)["waiting"]
    if action == "retry":
        consumer.always, consumer.failing = None, {(51.1, -0.1)}
        work_until_ended()
    assert api.post(f"{UPLOADS}{upload['id']}/{action}/").json()["waiting"] is None


def test_the_admin_shows_it(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    consumer.always = "503"
    upload = api.upload(CSV)
    work_until_idle()
    waiting = api.show(upload)["waiting"]
    admin = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    admin.force_login(get_user_model().objects.create_superuser("root", password="x"))
    assert f'title="{html.escape(waiting["detail"])}"' in admin.get("/admin/uploads/upload/").content.decode()
