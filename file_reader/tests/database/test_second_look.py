"""Doubts about the whole of a file: asked back at the door, the end of the reading further down, or a warning."""

from collections.abc import Callable

import pytest
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.places import around, known_places, of_britain, table
from tests.working import leases_run_out, work_until_ended

from uploads.models import Row, Upload
from uploads.reading.detecting.doubts.degrees import DEGREES, SIDES
from uploads.work.leases import claim_upload
from uploads.work.loading import Loader

pytestmark = pytest.mark.django_db
PREVIEW = f"{UPLOADS}preview/"
#: So many rows that no sample reaches to their end.
LONG = 6_000


def losing_its_minus(after: int, rows: int) -> bytes:
    places = [at for at in of_britain(3 * rows) if at[1] < 0][:rows]
    return table("id,lat,lon", [*places[:after], *((north, -east) for north, east in places[after:])])


@pytest.mark.parametrize("path", [UPLOADS, PREVIEW])
def test_exchanged_eastings_and_northings_are_asked_back_with_what_mends_them(
    api: Api, consumer: FakePostcodeConsumer, path: str
) -> None:
    content = b"easting,northing\n179680,529057\n"
    response = api.post(path, content)
    assert response.status_code == 422
    problem = response.json()
    assert (problem["type"], problem["doubt"], problem["line"]) == ("/problems/reading-doubtful", "grid_exchanged", 2)
    assert Upload.objects.count() == 0
    upload = api.upload(content, **problem["fix"])
    work_until_ended()
    (row,) = api.rows(upload)
    assert abs(row["latitude"] - 51.50133) < 5e-5
    assert abs(row["longitude"] - -0.14204) < 5e-5


def test_a_file_ends_as_failed_where_its_minus_is_lost(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(losing_its_minus(LONG, LONG + 1_000))
    work_until_ended()
    shown = api.show(upload)
    assert shown["state"] == "failed"
    assert shown["error"]["type"] == "/problems/reading-doubtful"
    assert (shown["error"]["doubt"], shown["error"]["line"]) == ("minus_lost", LONG + 2)
    assert shown["rows"]["read"] == LONG
    assert shown["rows"]["pending"] == 0
    assert not Row.objects.filter(longitude__gt=0).exists()
    assert "reading_doubtful" not in [warning["code"] for warning in shown["warnings"]]


def test_what_begins_in_the_first_step_is_never_answered(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, take_out: Callable[..., None]
) -> None:
    monkeypatch.setattr("uploads.accepting.telling.check_beginning", lambda *_: None)
    for rules in (DEGREES, SIDES):
        take_out(rules, *rules)
    upload = api.upload(losing_its_minus(0, 3_000))
    work_until_ended()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["read"], shown["error"]["line"]) == ("failed", 0, 2)
    assert consumer.asked == []


def test_columns_that_are_declared_are_read_and_warned_of(api: Api, consumer: FakePostcodeConsumer) -> None:
    content = losing_its_minus(260, 2_000)
    assert api.post(UPLOADS, content).status_code == 422
    previewed = api.post(f"{PREVIEW}?latitude=lat&longitude=lon", content).json()
    upload = api.upload(content, latitude="lat", longitude="lon")
    work_until_ended()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["read"], shown["error"]) == ("done", 2_000, None)
    for warnings in (previewed["warnings"], shown["warnings"]):
        assert [warning["code"] for warning in warnings] == ["reading_doubtful", "many_at_sea"]


def test_a_loader_that_goes_on_for_a_dead_one_comes_to_the_same_end(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(losing_its_minus(LONG, LONG + 1_000))
    lease = claim_upload()
    assert lease is not None
    dead = Loader(lease)
    dead.step(1_000)
    dead.close()
    leases_run_out()
    work_until_ended()
    shown = api.show(upload)
    assert (shown["state"], shown["error"]["line"], shown["rows"]["read"]) == ("failed", LONG + 2, LONG)


def test_locations_in_the_sea_are_warned_of_when_they_are_many(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(200)
    joined = [(one[0], other[1]) for one, other in zip(places, reversed(places), strict=True)]
    right = api.upload(table("id,lat,lon", places))
    wrong = api.upload(table("id,lat,lon", joined))
    work_until_ended()
    assert api.show(right)["warnings"] == []
    (warning,) = api.show(wrong)["warnings"]
    assert warning["code"] == "many_at_sea"
    assert "of 200 locations are in the sea" in warning["detail"]


@pytest.mark.parametrize(("at_sea", "warned"), [(1, []), (10, ["many_at_sea"])])
def test_of_few_rows_the_sea_is_spoken_of_when_they_are_many(
    api: Api, consumer: FakePostcodeConsumer, at_sea: int, warned: list[str]
) -> None:
    sea = [(56.012345, 2.512345), (50.212345, -1.512345)] * at_sea
    upload = api.upload(table("id,lat,lon", [*around(known_places().values(), 20), *sea]))
    work_until_ended()
    assert [warning["code"] for warning in api.show(upload)["warnings"]] == warned


def test_degrees_that_are_rounded_further_down_are_warned_of(api: Api, consumer: FakePostcodeConsumer) -> None:
    rounded = [(round(north, 2) + 0.01 * (north % 0.1 < 0.005), round(east, 2)) for north, east in of_britain(400)]
    upload = api.upload(table("id,lat,lon", of_britain(LONG)) + table("", rounded, "{0[0]:.2f},{0[1]:.2f}".format)[1:])
    work_until_ended()
    assert [warning["code"] for warning in api.show(upload)["warnings"]] == ["low_precision"]


def test_a_few_rows_that_are_left_to_a_second_loader_say_nothing_of_the_file(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload("lat,LONG_W\n" + "51.5,-0.1\n" * 8 + "52.6,1.3\n" * 3)
    lease = claim_upload()
    assert lease is not None
    dead = Loader(lease)
    dead.step(2)  # eight rows
    dead.close()
    leases_run_out()
    work_until_ended()
    assert (api.show(upload)["state"], api.show(upload)["rows"]["matched"]) == ("done", 11)
