"""What postcodes.io is asked, how far it is asked to look, and what is made of its answers."""

from collections.abc import Callable

import pytest
from tests.asking import ask, north_of
from tests.fake_postcodes_io import CASTLE, FAIR_ISLE, NORTH_SEA, PALACE, FakePostcodesIo

from lookups.providers.postcodes_io.search import PostcodesIo

Make = Callable[..., PostcodesIo]


def test_a_match_carries_all_that_is_known(postcodes_io: Make) -> None:
    (answer,) = ask(postcodes_io(), north_of(PALACE, 20))
    assert (answer.status, answer.postcode, answer.provider) == ("match", "SW1A 1AA", "postcodes_io")
    assert answer.distance_m == pytest.approx(20, abs=0.01)
    details = answer.postcode_details
    assert details
    assert (details.outcode, details.incode, details.country) == ("SW1A", "1AA", "England")
    assert (details.region, details.admin_district, details.admin_ward) == ("London", "Westminster", "St James's")
    assert (details.latitude, details.longitude) == PALACE


def test_what_upstream_does_not_know_is_null(postcodes_io: Make) -> None:
    (answer,) = ask(postcodes_io(), CASTLE)
    assert answer.postcode_details
    assert answer.postcode_details.region is None


def test_every_location_is_asked_with_limit_1_in_a_polite_call(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    ask(postcodes_io(contact="ops@example.org"), PALACE)
    (call,) = upstream.calls
    assert call.geolocations == [{"latitude": PALACE[0], "longitude": PALACE[1], "limit": 1, "radius": 100}]
    assert call.headers["User-Agent"] == "postcode_consumer/1.0 (ops@example.org)"
    assert call.headers["Content-Type"] == "application/json"


def test_only_those_without_an_answer_are_asked_again_wider(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    far = north_of(PALACE, 900)
    answers = ask(postcodes_io(), PALACE, far, NORTH_SEA, CASTLE)
    assert [answer.postcode for answer in answers] == ["SW1A 1AA", "SW1A 1AA", None, "EH1 2NG"]
    assert [call.search for call in upstream.calls] == [100, 2_000]
    assert upstream.calls[1].places == [far, NORTH_SEA]


def test_a_wide_search_comes_last_and_only_when_asked_for(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    place = north_of(CASTLE, 5_000)
    (answer,) = ask(postcodes_io(), place, max_distance=20_000)
    assert (answer.postcode, [call.search for call in upstream.calls]) == ("EH1 2NG", [100, 2_000, "wide"])
    assert upstream.calls[2].geolocations[0].keys() == {"latitude", "longitude", "limit", "widesearch"}


def test_fair_isle_is_found_although_a_wide_search_does_not_find_it(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    (answer,) = ask(postcodes_io(), north_of(FAIR_ISLE, 1_500), max_distance=20_000)
    assert answer.postcode == "ZE2 9JU"
    assert [call.search for call in upstream.calls] == [100, 2_000]


def test_where_a_wide_search_finds_nothing_there_is_no_match(postcodes_io: Make) -> None:
    (answer,) = ask(postcodes_io(), north_of(FAIR_ISLE, 5_000), max_distance=20_000)
    assert (answer.status, answer.reason) == ("no_match", "searched_to_2000_m")
    (answer,) = ask(postcodes_io(), north_of(FAIR_ISLE, 5_000), max_distance=2_000)
    assert (answer.status, answer.reason) == ("no_match", "none_within_max_distance")


@pytest.mark.parametrize(
    ("max_distance", "searches"),
    [
        (0.5, [100]),
        (50.5, [100]),
        (100, [100]),
        (100.5, [100, 2_000]),
        (2_000, [100, 2_000]),
        (2_000.5, [100, 2_000, "wide"]),
    ],
)
def test_no_step_is_asked_twice_or_beyond_what_is_wanted(
    postcodes_io: Make, upstream: FakePostcodesIo, max_distance: float, searches: list[object]
) -> None:
    ask(postcodes_io(), NORTH_SEA, max_distance=max_distance)
    assert [call.search for call in upstream.calls] == searches


def test_a_postcode_beyond_the_maximum_distance_is_no_match(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    (answer,) = ask(postcodes_io(), north_of(PALACE, 50.8), max_distance=50.5)
    assert (answer.status, answer.reason, answer.postcode) == ("no_match", "none_within_max_distance", None)
    assert len(upstream.calls) == 1


def test_a_wide_search_does_not_exceed_the_maximum_distance(postcodes_io: Make) -> None:
    (answer,) = ask(postcodes_io(), north_of(CASTLE, 5_000), max_distance=4_000)
    assert answer.status == "no_match"


def test_a_thousand_locations_go_in_calls_of_a_hundred(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    places = [north_of(PALACE, n / 100) for n in range(1_000)]
    answers = ask(postcodes_io(), *places)
    assert [len(call.geolocations) for call in upstream.calls] == [100] * 10
    assert [answer.distance_m for answer in answers] == [round(n / 100, 2) for n in range(1_000)]
