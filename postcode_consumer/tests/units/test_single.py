"""GET /api/v1/reverse-geocode/."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.calls import PATH, assert_problem

Call = Callable[..., Any]


def url(**query: Any) -> str:
    return f"{PATH}?{urlencode(query)}"


def test_a_location_near_a_place_matches_it_with_its_distance(call: Call) -> None:
    answer = call("GET", url(latitude="51.5015", longitude="-0.1416")).json()
    assert (answer["status"], answer["postcode"], answer["provider"]) == ("match", "SW1A 1AA", "sandbox")
    assert answer["distance_m"] == pytest.approx(54.6, abs=0.1)
    assert answer["distance_m"] == round(answer["distance_m"], 2)


def test_an_answer_may_be_given_again_for_a_minute_and_others_may_not(call: Call) -> None:
    for latitude in ("51.5015", "56"):  # a match, and none
        answer = call("GET", url(latitude=latitude, longitude="-0.1416"))
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert "Vary" not in answer.headers
    assert "public" not in call("GET", url(latitude="x", longitude="0")).headers.get("Cache-Control", "")
    bulk = call("POST", PATH, {"locations": [{"latitude": 51.5015, "longitude": -0.1416}]})
    assert "public" not in bulk.headers.get("Cache-Control", "")


def test_the_maximum_distance_is_kept(call: Call) -> None:
    near = call("GET", url(latitude="51.5015", longitude="-0.1416", max_distance="55")).json()
    far = call("GET", url(latitude="51.5015", longitude="-0.1416", max_distance="54")).json()
    assert (near["status"], far["status"], far["reason"]) == ("match", "no_match", "none_within_max_distance")


def test_a_location_in_the_sea_is_no_match(call: Call) -> None:
    answer = call("GET", url(latitude="56", longitude="2.5", max_distance="20000")).json()
    assert (answer["status"], answer["postcode"], answer["postcode_details"]) == ("no_match", None, None)


@pytest.mark.parametrize("text", ["51.5", "+51.5", "5.15e1", "51.", "0051.50"])
def test_plain_numbers_are_taken(call: Call, text: str) -> None:
    assert call("GET", url(latitude=text, longitude="-.5")).json()["latitude"] in (51.5, 51.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 51",
        "5_1",
        "٥١",
        "５１",
        "nan",
        "inf",
        "-Infinity",
        "0x33",
        "51,5",
        "−51",
        "51°",
        "1e400",
        "9" * 5_000,
        "true",
    ],
    ids=lambda text: repr(text[:12]),
)
@pytest.mark.parametrize("name", ["latitude", "longitude"])
def test_what_is_not_a_plain_number_is_a_bad_location(call: Call, name: str, text: str) -> None:
    body = assert_problem(call("GET", url(**{"latitude": "51", "longitude": "0", name: text})), "invalid-location")
    assert name in body["detail"]


@pytest.mark.parametrize("text", ["", "0", "-5", "20001", "nan", "inf", "1_000", "far"], ids=repr)
def test_a_bad_maximum_distance_is_refused(call: Call, text: str) -> None:
    assert_problem(call("GET", url(latitude="51", longitude="0", max_distance=text)), "invalid-max-distance")


@pytest.mark.parametrize("query", [{}, {"latitude": "51"}, {"longitude": "0"}], ids=str)
def test_a_missing_coordinate_is_a_bad_location(call: Call, query: dict[str, str]) -> None:
    assert_problem(call("GET", url(**query)), "invalid-location")


@pytest.mark.parametrize(
    ("query", "name", "hint"),
    [
        ("lattitude=51&longitude=0", "lattitude", "Did you mean 'latitude'?"),
        ("latitude=51&longitude=0&Max-Distance=5", "Max-Distance", "Did you mean 'max_distance'?"),
        ("latitude=51&longitude=0&q=", "q", "There are: latitude, longitude, max_distance."),
        ("latitude=51&longitude=0&latitude=52", "latitude", "more than once"),
        ("latitude=51&longitude=0&max_distance=5&max_distance=5", "max_distance", "more than once"),
    ],
)
def test_a_parameter_that_is_not_known_or_given_twice_is_named(call: Call, query: str, name: str, hint: str) -> None:
    body = assert_problem(call("GET", f"{PATH}?{query}"), "invalid-parameter")
    assert body["parameter"] == name
    assert body["accepted"] == ["latitude", "longitude", "max_distance"]
    assert hint in body["detail"]
