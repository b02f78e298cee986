"""The database's clock jumps: work may be done twice, nothing waits for the clock, and no result is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, postcode_at
from tests.working import geocode_chunk, in_thread, work_until_ended, work_until_idle

from uploads.models import Chunk, Upload
from uploads.work.leases import LeaseLostError, claim_chunk, claim_upload

HOUR = timedelta(hours=1)
CSV = "lat,lon\n51.1,-0.1\n51.2,-0.1\n"


def clock_jumps(by: timedelta) -> None:
    """Every moment that was written down before is now earlier or later by that: what is in the database moves."""
    Chunk.objects.update(due_at=F("due_at") - by, lease_until=F("lease_until") - by)
    Upload.objects.update(lease_until=F("lease_until") - by)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_fault_21_a_chunk_that_was_leased_before_the_jump_is_answered_once(
    api: Api, consumer: FakePostcodeConsumer, by: timedelta
) -> None:
    upload = api.upload(CSV)
    consumer.gate.clear()
    consumer.faults = ["503"]
    work_until_idle_in_thread = in_thread(work_until_idle)
    consumer.wait_for_calls(1)
    clock_jumps(by)
    taken_over = claim_chunk()
    assert taken_over is not None
    consumer.gate.set()
    work_until_idle_in_thread.result(timeout=60)
    geocode_chunk(taken_over, outage_delay=timedelta(0))
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["matched"], shown["rows"]["read"]) == ("done", 2, 2)
    assert [row["postcode"] for row in api.rows(upload)] == [postcode_at(51.1, -0.1), postcode_at(51.2, -0.1)]


@pytest.mark.django_db
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_fault_21_nobody_waits_for_the_clock_to_catch_up(
    api: Api, consumer: FakePostcodeConsumer, by: timedelta
) -> None:
    upload = api.upload(CSV)
    consumer.faults = ["503"]
    work_until_idle()  # the chunk rests for a second or so
    assert claim_chunk() is None
    clock_jumps(by)
    work_until_idle()
    assert api.show(upload)["state"] == "done"


@pytest.mark.django_db
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_fault_21_an_upload_that_was_being_loaded_is_loaded_on(
    api: Api, consumer: FakePostcodeConsumer, by: timedelta
) -> None:
    upload = api.upload(CSV)
    assert claim_upload() is not None
    assert claim_upload() is None
    clock_jumps(by)
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 2


@pytest.mark.django_db
def test_a_lease_is_not_over_because_of_a_small_correction(api: Api, settings: Any) -> None:
    api.upload(CSV)
    assert claim_upload() is not None
    clock_jumps(-settings.LEASE)
    assert claim_upload() is None


@pytest.mark.django_db
def test_the_late_write_of_whoever_held_the_lease_before_the_jump_is_refused(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    api.upload(CSV)
    consumer.faults = ["503"]
    work_until_idle()
    clock_jumps(HOUR)
    first = claim_chunk()
    clock_jumps(-HOUR)
    second = claim_chunk()
    assert first is not None
    assert second is not None
    with pytest.raises(LeaseLostError):
        geocode_chunk(first, outage_delay=timedelta(0))
    geocode_chunk(second, outage_delay=timedelta(0))
    assert Chunk.objects.get().matched == 2
