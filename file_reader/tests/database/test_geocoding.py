"""A chunk's locations are asked for, and every row gets the answer to its own."""

from typing import Any

import pytest
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, answer_to, postcode_at
from tests.working import time_passes, work_until_ended, work_until_idle

from uploads.models import Chunk, Row, Upload
from uploads.work import loading, worker
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db


def csv_of(locations: list[tuple[float, float]]) -> str:
    return "lat,lon\n" + "".join(f"{latitude!r},{longitude!r}\n" for latitude, longitude in locations)


def places(count: int) -> list[tuple[float, float]]:
    return [(50 + number / 1_000, -0.1) for number in range(count)]


def test_every_row_gets_the_answer_to_its_own_location(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_ROWS, settings.LOCATIONS_PER_CALL = 7, 3
    locations = [*places(10), (0.0, 0.0), *places(10)[::-1], (56.0, 2.5), (51.501009, -0.141588)]
    upload = api.upload(csv_of(locations))
    work_until_ended()
    rows = api.rows(upload)
    assert [(row["latitude"], row["longitude"]) for row in rows] == locations
    for row in rows:
        answer = answer_to(row["latitude"], row["longitude"])
        for name in ("status", "reason", "postcode", "distance_m"):
            assert row[name] == answer[name]
        for name in ("outcode", "country", "region", "admin_district", "admin_ward"):
            assert row[name] == (answer["postcode_details"] or {}).get(name)


def test_a_location_is_asked_for_once_in_a_chunk(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(csv_of([*places(3), *places(3), (50, -0.1)]))
    work_until_ended()
    assert sorted(consumer.asked) == places(3)
    assert api.show(upload)["rows"]["matched"] == 7


def test_at_most_five_thousand_locations_are_asked_for_in_a_call(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = api.upload(csv_of(places(5_500)))
    monkeypatch.setattr(worker, "FIRST_CHUNK_ROWS", 5_500)
    work_until_ended()
    assert sorted(len(call) for call in consumer.calls) == [500, 5_000]
    assert api.show(upload)["rows"]["matched"] == 5_500


def test_the_consumer_is_told_the_token_a_request_id_and_the_distance(api: Api, consumer: FakePostcodeConsumer) -> None:
    api.upload(csv_of(places(1)), max_distance="750")
    work_until_ended()
    assert consumer.bodies[0]["max_distance"] == 750
    assert consumer.headers[0]["X-Internal-Token"] == "token-of-the-tests"
    assert consumer.headers[0]["X-Request-Id"]
    assert consumer.headers[0]["Content-Type"] == "application/vnd.postcode-columns+msgpack"


def test_the_consumer_is_told_how_long_its_answer_is_waited_for(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.FAN_OUT, settings.LOCATIONS_PER_CALL = 1, 1_000
    api.upload(csv_of(places(1_500)))
    work_until_ended()
    first, second = (float(headers["X-Request-Deadline"]) for headers in consumer.headers)
    assert second < first <= settings.CHUNK_DEADLINE.total_seconds()
    assert second > settings.CHUNK_DEADLINE.total_seconds() - 30


def test_rejected_rows_are_not_asked_for(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\nx,y\n91.5,0.25\n")
    work_until_ended()
    assert consumer.calls == []
    assert api.show(upload)["state"] == "done"


def test_a_row_whose_lookup_failed_is_failed_with_the_reason(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(50.001, -0.1)}
    upload = api.upload(csv_of(places(3)))
    work_until_ended()
    assert [(row["status"], row["reason"]) for row in api.rows(upload)] == [
        ("match", None),
        ("failed", "upstream_rejected"),
        ("match", None),
    ]
    assert api.show(upload)["rows"]["failed"] == 1


def test_answers_from_before_the_service_died_are_kept_and_not_asked_for_again(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.LOCATIONS_PER_CALL, settings.FAN_OUT = 2, 1
    consumer.faults = ["none", "none", "503"]
    upload = api.upload(csv_of(places(6)))
    work_until_idle()
    rows = api.show(upload)["rows"]
    assert (rows["matched"], rows["pending"]) == (4, 2)
    assert api.show(upload)["state"] == "geocoding"
    time_passes()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 6
    assert consumer.calls == [places(6)[:2], places(6)[2:4], places(6)[4:], places(6)[4:]]


@pytest.mark.parametrize("fault", ["short", "reordered", "others", "not columns", "html", "endless"])
def test_an_answer_that_is_not_to_the_question_is_refused_whole(
    api: Api, consumer: FakePostcodeConsumer, fault: str
) -> None:
    consumer.faults = [fault]
    upload = api.upload(csv_of(places(5)))
    work_until_idle()
    assert api.show(upload)["rows"]["pending"] == 5
    assert not Row.objects.exclude(postcode=None).exists()
    time_passes()
    work_until_ended()
    assert [row["postcode"] for row in api.rows(upload)] == [postcode_at(*location) for location in places(5)]


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_call_that_does_not_end_is_given_up_before_the_lease_does(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, fault: str
) -> None:
    settings.CHUNK_DEADLINE = settings.LEASE * 0.005
    consumer.faults = [fault]
    upload = api.upload(csv_of(places(2)))
    work_until_idle()
    chunk = Chunk.objects.get()
    assert (chunk.state, chunk.attempts, chunk.lease_until) == ("ready", 0, None)
    time_passes()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 2


def test_a_chunk_that_takes_longer_than_a_lookup_may_goes_on_where_it_was(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_DEADLINE = settings.LEASE * 0.01
    settings.LOCATIONS_PER_CALL, settings.FAN_OUT = 2, 1
    consumer.faults = ["none", "hang"]
    upload = api.upload(csv_of(places(6)))
    looking = Worker()
    while not consumer.calls[2:]:  # nothing rests, and nothing is waited for
        assert looking.run_once()
        assert api.show(upload)["waiting"] is None
    work_until_ended()
    assert consumer.calls == [places(6)[:2], places(6)[2:4], places(6)[2:4], places(6)[4:]]
    assert Chunk.objects.get().attempts == 1


def test_while_a_chunk_is_written_the_next_one_is_asked_about(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_ROWS = 2
    consumer.faults = ["none", "hang"]
    upload = api.upload(csv_of(places(6)))
    working = Worker()
    assert working.run_once()
    assert api.show(upload)["rows"]["matched"] == 2
    consumer.wait_for_calls(2)
    assert consumer.calls == [places(2), places(4)[2:]]
    # Then the database goes away: what was asked is forgotten, and the chunk is there for anybody.
    working.database_was_away()
    working.stop()
    assert list(Chunk.objects.order_by("id").values_list("state", "attempts")) == [
        ("done", 1),
        ("ready", 0),
        ("ready", 0),
    ]
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 6


def test_a_chunk_that_did_not_come_to_an_end_before_is_asked_about_alone(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_ROWS = 2
    upload = api.upload(csv_of(places(6)))
    Worker(is_stopping=lambda: True).run_once()  # it loads, and asks nothing
    Chunk.objects.filter(first_row=3).update(attempts=1)
    working = Worker()
    assert working.run_once()
    assert api.show(upload)["rows"]["matched"] == 2
    assert consumer.calls == [places(2)]
    assert working.run_once()
    assert consumer.calls[1] == places(4)[2:]
    work_until_idle(working)
    assert api.show(upload)["state"] == "done"


@pytest.mark.parametrize(("seconds", "sizes"), [(1e-9, [2_000, 2_000, 2_000]), (1e9, [2_000, 4_000])])
def test_chunks_are_small_while_answers_come_slowly_and_large_when_they_come_quickly(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, seconds: float, sizes: list[int]
) -> None:
    monkeypatch.setattr(loading, "CHUNKS_PER_STEP", 1)
    monkeypatch.setattr(worker, "TARGET_ANSWER_SECONDS", seconds)
    api.upload("lat,lon\n" + "50.1,-0.1\n" * 6_000)
    work_until_ended()
    assert list(Chunk.objects.order_by("first_row").values_list("row_count", flat=True)) == sizes


def test_the_deadline_of_a_chunk_is_shorter_than_its_lease(settings: Any) -> None:
    assert settings.CHUNK_DEADLINE < settings.LEASE


def test_after_an_outage_a_worker_leaves_the_service_alone_for_a_while(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A minute in place of a second, which is over before a busy machine has looked at the next chunk.
    monkeypatch.setattr(worker.random, "uniform", lambda low, high: 60.0)
    consumer.faults = ["503"]
    api.upload(csv_of(places(2)))
    api.upload(csv_of(places(2)))
    work_until_idle()
    assert len(consumer.calls) == 1
    assert set(Upload.objects.values_list("state", flat=True)) == {"geocoding"}


def test_the_same_postcode_with_other_details_is_no_obstacle(api: Api, consumer: FakePostcodeConsumer) -> None:
    match = answer_to(51.501009, -0.141588)
    for location, country in (((50.0, -0.1), None), ((50.001, -0.1), "England")):
        details = {**match["postcode_details"], "country": country}
        consumer.answers[location] = {**match, "latitude": location[0], "longitude": location[1],
                                      "postcode_details": details}  # fmt: skip
    upload = api.upload(csv_of(places(2)))
    work_until_ended()
    assert {row["postcode"] for row in api.rows(upload)} == {"SW1A 1AA"}
    assert {row["country"] for row in api.rows(upload)} <= {"England", None}
