"""What keeps failing is split until it stands alone; an outage costs no attempt."""

from typing import Any

import pytest
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import leases_run_out, time_passes, work_until_ended, work_until_idle

from service_kit.database_errors import database_is_away
from uploads.models import Chunk, ChunkState
from uploads.work.leases import claim_chunk
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
FILE = "lat,lon\n" + "".join(f"51.{number},-0.1\n" for number in range(1, 8)) + "x,y\n"


def test_a_location_that_nobody_survives_fails_alone_and_its_siblings_finish(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    consumer.poison = {(51.3, -0.1)}
    upload = api.upload(FILE)
    work_until_ended()
    shown = api.show(upload)
    assert shown["state"] == "done"
    assert shown["rows"] == {"read": 8, "matched": 6, "no_match": 0, "failed": 1, "rejected": 1, "pending": 0}
    assert [(row["row"], row["reason"]) for row in api.rows(upload, status="failed")] == [(3, "gave_up")]
    assert [row["status"] for row in api.rows(upload)] == ["match"] * 2 + ["failed"] + ["match"] * 4 + ["rejected"]


def test_attempts_are_bounded(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "500"
    upload = api.upload("lat,lon\n51.1,-0.1\n")
    work_until_ended()
    assert api.show(upload)["rows"]["failed"] == 1
    assert len(consumer.calls) == 5


def test_a_chunk_whose_workers_keep_dying_is_split(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(FILE)
    Worker()._load()
    for _ in range(5):
        assert claim_chunk() is not None
        leases_run_out()
    assert Chunk.objects.get().row_count == 8
    half = claim_chunk()
    assert half is not None
    assert (half.first_row, half.row_count) == (1, 4)
    assert Chunk.objects.filter(state=ChunkState.SPLIT).count() == 1
    rows = api.show(upload)["rows"]
    assert (rows["read"], rows["rejected"], rows["pending"]) == (8, 1, 7)
    leases_run_out()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 7


def test_answers_from_before_the_split_are_counted_once(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.LOCATIONS_PER_CALL = 2
    settings.FAN_OUT = 1
    consumer.poison = {(51.5, -0.1)}
    upload = api.upload(FILE)
    work_until_ended()
    shown = api.show(upload)["rows"]
    assert shown == {"read": 8, "matched": 6, "no_match": 0, "failed": 1, "rejected": 1, "pending": 0}
    assert len(api.rows(upload, status="match")) == 6


@pytest.mark.parametrize(
    "fault", ["503", "429", "502", "504", "hang up", "not columns", "html", "short", "reordered", "others"]
)
def test_an_outage_costs_no_attempt_and_is_never_turned_into_no_match(
    api: Api, consumer: FakePostcodeConsumer, fault: str
) -> None:
    consumer.always = fault
    upload = api.upload("lat,lon\n51.1,-0.1\n51.2,-0.1\n")
    for _ in range(6):
        work_until_idle()
        time_passes()
    assert Chunk.objects.get().attempts == 0
    assert api.show(upload)["rows"]["pending"] == 2
    consumer.always = None
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 2


def test_an_outage_of_the_connection_costs_no_attempt(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.stop()
    upload = api.upload("lat,lon\n51.1,-0.1\n")
    for _ in range(6):
        work_until_idle()
        time_passes()
    assert Chunk.objects.get().attempts == 0
    consumer.start()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 1


@pytest.mark.parametrize("raised", [OperationalError, InterfaceError, DatabaseError])
def test_a_database_that_goes_away_costs_no_attempt_and_leaves_no_lease(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
) -> None:
    def go_away(*results: object) -> None:
        monkeypatch.undo()
        raise raised("server closed the connection unexpectedly")

    upload = api.upload(FILE)
    worker = Worker()
    monkeypatch.setattr("uploads.work.geocoding.bulk_update_results", go_away)
    with pytest.raises(raised) as caught:
        worker.run_once()
    assert database_is_away(caught.value)
    worker.database_was_away()
    work_until_idle(worker)
    assert len(consumer.calls) == 2  # at once: nobody waited for a lease
    assert api.show(upload)["rows"]["matched"] == 7
    assert Chunk.objects.get().attempts == 1


def test_a_fault_of_what_is_written_is_not_taken_for_a_database_that_is_away() -> None:
    assert not database_is_away(IntegrityError())
    assert not database_is_away(DataError())
