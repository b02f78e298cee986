"""POST /api/v1/reverse-geocode/: what is taken, and what is refused, and how."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.calls import PATH, assert_problem

PALACE = {"latitude": 51.501009, "longitude": -0.141588}

Call = Callable[..., Any]


def test_no_locations_have_no_results(call: Call) -> None:
    response = call("POST", PATH, {"locations": []})
    assert response.status_code == 200
    assert response.json() == {"results": []}


def test_a_thousand_locations_are_answered_in_order(call: Call) -> None:
    locations = [{"latitude": 50 + n / 100, "longitude": -1} for n in range(1_000)]
    results = call("POST", PATH, {"locations": locations}).json()["results"]
    assert [result["latitude"] for result in results] == [location["latitude"] for location in locations]


def test_a_thousand_and_one_locations_are_too_many(call: Call) -> None:
    body = assert_problem(call("POST", PATH, {"locations": [PALACE] * 1_001}), "too-many-locations")
    assert body["max_locations"] == 1_000


def test_too_many_locations_are_refused_before_each_is_looked_at(call: Call) -> None:
    assert_problem(call("POST", PATH, {"locations": [{}] * 1_001}), "too-many-locations")


@pytest.mark.parametrize(
    "location",
    [
        {"latitude": 90.0001, "longitude": 0},
        {"latitude": -91, "longitude": 0},
        {"latitude": 0, "longitude": 180.5},
        {"latitude": 0, "longitude": -181},
        {"latitude": "51.5", "longitude": 0},
        {"latitude": True, "longitude": 0},
        {"latitude": None, "longitude": 0},
        {"latitude": [1], "longitude": 0},
        {"longitude": 0},
        {"latitude": 0},
        {},
        None,
        [51.5, 0],
        "51.5,0",
    ],
    ids=str,
)
def test_a_bad_location_is_named_by_its_index(call: Call, location: Any) -> None:
    body = assert_problem(call("POST", PATH, {"locations": [PALACE, PALACE, location]}), "invalid-location")
    assert body["index"] == 2
    assert [error["index"] for error in body["errors"]] == [2]


def test_a_number_that_is_not_finite_is_a_bad_location(call: Call) -> None:
    response = call("POST", PATH, b'{"locations": [{"latitude": 51, "longitude": 1e400}]}')
    assert assert_problem(response, "invalid-location")["index"] == 0


def test_all_bad_locations_are_listed_up_to_a_hundred(call: Call) -> None:
    body = assert_problem(call("POST", PATH, {"locations": [PALACE] + [{}] * 150}), "invalid-location")
    assert body["index"] == 1
    assert [error["index"] for error in body["errors"]] == list(range(1, 101))


@pytest.mark.parametrize(
    ("body", "member", "accepted"),
    [
        ({"locations": [PALACE], "radius": 100}, "radius", ["locations", "max_distance"]),
        ({"location": [PALACE]}, "location", ["locations", "max_distance"]),
        ({"locations": [PALACE, {**PALACE, "lat": 1}]}, "lat", ["latitude", "longitude"]),
        ({"locations": [PALACE], "x" * 900_000: 1}, "x" * 100, ["locations", "max_distance"]),
    ],
    ids=["beside the locations", "misspelt", "in a location", "very long"],
)
def test_a_member_that_nobody_knows_is_refused(call: Call, body: Any, member: str, accepted: list[str]) -> None:
    problem = assert_problem(call("POST", PATH, body), "invalid-member")
    assert (problem["member"], problem["accepted"]) == (member, accepted)
    assert problem.get("index") == (1 if member == "lat" else None)


@pytest.mark.parametrize("limit", [-90, 90])
def test_the_poles_are_valid_locations(call: Call, limit: int) -> None:
    response = call("POST", PATH, {"locations": [{"latitude": limit, "longitude": 2 * limit}]})
    assert response.json()["results"][0]["reason"] == "outside_uk"


@pytest.mark.parametrize("value", [0, -1, 20_000.01, "2000", True, None, [], {}], ids=repr)
def test_a_bad_maximum_distance_is_refused(call: Call, value: Any) -> None:
    assert_problem(call("POST", PATH, {"locations": [PALACE], "max_distance": value}), "invalid-max-distance")


def test_a_maximum_distance_that_is_not_finite_is_refused(call: Call) -> None:
    assert_problem(call("POST", PATH, b'{"locations": [], "max_distance": 1e400}'), "invalid-max-distance")


@pytest.mark.parametrize("value", [0.5, 1, 20_000])
def test_the_maximum_distance_goes_up_to_20_km(call: Call, value: float) -> None:
    response = call("POST", PATH, {"locations": [PALACE], "max_distance": value})
    assert response.json()["results"][0]["postcode"] == "SW1A 1AA"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b'{"locations": 7}',
        b'{"locations": {"0": {}}}',
        b'{"locations": [{"latitude": NaN, "longitude": 0}]}',
        b'{"locations": [{"latitude": Infinity, "longitude": 0}]}',
        b'{"locations": [{"latitude": 51,5, "longitude": 0}]}',
        b'{"locations": [{"latitude": 1_0, "longitude": 0}]}',
        b'{"locations": [{"latitude": ' + b"1" * 5_000 + b', "longitude": 0}]}',
        b'{"locations": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"other": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b', "locations": []}',
        b"\xff\xfe\x00",
        b'\xef\xbb\xbf{"locations": []}',
        b'{"locations": [{"latitude": "\xff", "longitude": 0}]}',
        b"latitude=51&longitude=0",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_not_the_expected_json_is_refused(call: Call, body: bytes) -> None:
    assert_problem(call("POST", PATH, body), "invalid-json")


def test_a_body_over_a_mebibyte_is_too_large(call: Call) -> None:
    body = assert_problem(call("POST", PATH, b" " * ((1 << 20) + 1)), "body-too-large", 413)
    assert body["max_bytes"] == 1 << 20


def test_a_body_without_a_length_is_refused_instead_of_read_as_empty(call: Call) -> None:
    response = call("POST", PATH, {"locations": []}, {"Transfer-Encoding": "chunked"})
    assert_problem(response, "length-required", 411)


def test_json_is_answered_whatever_the_caller_accepts(call: Call) -> None:
    response = call("POST", PATH, {"locations": []}, {"Accept": "text/html"})
    assert response.headers["Content-Type"] == "application/json"
