"""A file's own postcodes are compared with the answers: what was read at another place is warned of."""

from collections.abc import Callable, Sequence

import pytest
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, answer_to, postcode_at
from tests.places import Location, around, of_britain, table
from tests.working import leases_run_out, work_until_ended

from uploads.models import OwnPostcodes
from uploads.work.leases import claim_upload
from uploads.work.loading import Loader

pytestmark = pytest.mark.django_db
CODE = "own_postcodes_differ"
LONDON = [(51.5412, 0.0031), (51.4892, 0.0685)]
#: As many rows as no sample has.
LONG = 3_000


def listed(places: Sequence[Location], read: Sequence[Location], header: str = "id,lat,lon,postcode") -> bytes:
    """A file that has the locations `read`, and the postcodes of `places`."""
    return table(
        header,
        zip(read, places, strict=True),
        lambda both: f"{both[0][0]},{both[0][1]},{postcode_at(*both[1])}",
    )


def codes_of(api: Api, content: bytes, **options: str) -> list[str]:
    upload = api.upload(content, **options)
    work_until_ended()
    return [warning["code"] for warning in api.show(upload)["warnings"]]


def mirrored(places: Sequence[Location]) -> list[Location]:
    return [(north, -east) for north, east in places]


def of_the_next(places: Sequence[Location]) -> list[Location]:
    return [*places[1:], places[0]]


def with_latitudes_of_others(places: Sequence[Location]) -> list[Location]:
    return [(other[0], own[1]) for own, other in zip(places, reversed(places), strict=True)]


def in_the_middle(places: Sequence[Location]) -> list[Location]:
    middle = [round(sum(axis) / len(places), 6) for axis in zip(*places, strict=True)]
    return [(middle[0], middle[1])] * len(places)


@pytest.mark.parametrize("wrong", [mirrored, of_the_next, with_latitudes_of_others, in_the_middle])
def test_what_is_on_land_either_way_is_warned_of(
    api: Api, consumer: FakePostcodeConsumer, wrong: Callable[[Sequence[Location]], list[Location]]
) -> None:
    places = [(north, -east) for north, east in around(LONDON, 60)]
    assert codes_of(api, listed(places, places)) == []
    assert [code for code in codes_of(api, listed(places, wrong(places))) if code != "all_east"] == [CODE]


def test_the_warning_says_how_many_agree_and_which_rows_do_not(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(12)
    upload = api.upload(listed(places, [places[0], *of_the_next(places[1:])]))
    work_until_ended()
    (warning,) = api.show(upload)["warnings"]
    assert warning["fix"] == {}
    assert "1 of 12 rows that were compared have the outcode of column 4 (postcode)." in warning["detail"]
    assert "Rows such as 2, 3, 4, 5, 6 have another one" in warning["detail"]


@pytest.mark.parametrize(("wrong", "warned"), [(1, []), (8, []), (15, [CODE])])
def test_some_rows_at_a_border_are_no_reason(
    api: Api, consumer: FakePostcodeConsumer, wrong: int, warned: list[str]
) -> None:
    places = of_britain(18)
    assert codes_of(api, listed(places, [*of_the_next(places[:wrong]), *places[wrong:]])) == warned


@pytest.mark.parametrize(
    ("postcodes", "warned"),
    [
        (["ZE1 0AA", "ZE1 0AB"], [CODE]),
        (["ZE1 0AA", None], []),
        (["ZE1 0AA", "ZE1 0AB", None], []),
        (["ZE1 0AA", "ZE1 0AB", "ZE1 0AD", None], []),
        (["ZE1 0AA"], []),
    ],
)
def test_of_few_rows_none_may_agree_and_most_have_to_be_in_another_area(
    api: Api, consumer: FakePostcodeConsumer, postcodes: list[str | None], warned: list[str]
) -> None:
    places = of_britain(len(postcodes))
    own = [postcode or postcode_at(*at) for postcode, at in zip(postcodes, places, strict=True)]
    content = table(
        "id,lat,lon,postcode", zip(places, own, strict=True), lambda row: f"{row[0][0]},{row[0][1]},{row[1]}"
    )
    assert codes_of(api, content) == warned


def test_what_was_answered_from_afar_is_not_compared(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(40)
    consumer.answers = {at: {**answer_to(*at), "distance_m": 1_500.0} for at in places}
    assert codes_of(api, listed(places, of_the_next(places))) == []


def test_the_rows_that_are_compared_are_of_the_whole_file(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(LONG)
    late = [*places[: LONG // 2], *of_the_next(places[LONG // 2 :])]
    upload = api.upload(listed(places, late))
    work_until_ended()
    rows = [number for number, _ in OwnPostcodes.objects.get().rows]
    assert 150 < len(rows) <= 200
    assert all(sum(start < row <= start + LONG // 3 for row in rows) >= 40 for start in range(0, LONG, LONG // 3))
    assert api.show(upload)["warnings"] == []  # half of them agree
    wrong = api.upload(listed(places, [*places[: LONG // 6], *of_the_next(places[LONG // 6 :])]))
    work_until_ended()
    assert [warning["code"] for warning in api.show(wrong)["warnings"]] == [CODE]


def test_a_loader_that_goes_on_for_a_dead_one_compares_its_rows_too(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(LONG)
    upload = api.upload(listed(places, [*of_the_next(places[:400]), *places[400:]]))
    lease = claim_upload()
    assert lease is not None
    dead = Loader(lease)
    dead.step(100)
    dead.close()
    before = OwnPostcodes.objects.get().rows
    leases_run_out()
    work_until_ended()
    rows = [number for number, _ in OwnPostcodes.objects.get().rows]
    assert before
    assert min(rows) <= 400 < max(rows)
    assert api.show(upload)["warnings"] == []


def test_rows_that_are_asked_again_are_compared_again(api: Api, consumer: FakePostcodeConsumer) -> None:
    places = of_britain(30)
    read = of_the_next(places)
    consumer.failing.update(read[:-1])
    upload = api.upload(listed(places, read))
    work_until_ended()
    assert api.show(upload)["warnings"] == []  # one row is too few
    consumer.failing.clear()
    api.post(f"/api/v1/uploads/{upload['id']}/retry/")
    work_until_ended()
    assert [warning["code"] for warning in api.show(upload)["warnings"]] == [CODE]
