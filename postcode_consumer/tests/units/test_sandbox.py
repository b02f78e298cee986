"""The sandbox and its gazetteer."""

import csv
import re
from collections import Counter

import pytest

from lookups.answers import Location
from lookups.country import EAST, NORTH, SOUTH, WEST
from lookups.deadline import Deadline
from lookups.providers.sandbox import GAZETTEER, Sandbox

with GAZETTEER.open(encoding="utf-8", newline="") as _file:
    PLACES = list(csv.DictReader(_file))


def test_the_gazetteer_covers_the_country() -> None:
    assert len(PLACES) >= 170
    countries = Counter(place["country"] for place in PLACES)
    assert set(countries) == {"England", "Scotland", "Wales", "Northern Ireland"}
    assert min(countries.values()) >= 5


def test_every_postcode_is_well_formed_and_there_once() -> None:
    postcodes = [place["postcode"] for place in PLACES]
    assert len(set(postcodes)) == len(postcodes)
    for postcode in postcodes:
        assert re.fullmatch(r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}", postcode)


def test_every_place_has_what_an_answer_needs() -> None:
    for place in PLACES:
        assert SOUTH < float(place["latitude"]) < NORTH
        assert WEST < float(place["longitude"]) < EAST
        assert place["admin_district"]
        assert bool(place["region"]) == (place["country"] == "England")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place["postcode"])
def test_every_place_is_found_where_it_is(place: dict[str, str]) -> None:
    location = Location(float(place["latitude"]), float(place["longitude"]))
    (answer,) = Sandbox().reverse_geocode([location], 1, Deadline(1))
    assert (answer.postcode, answer.distance_m) == (place["postcode"], 0.0)


def test_the_nearest_of_two_places_answers() -> None:
    # A third of the way from Buckingham Palace to 10 Downing Street.
    (answer,) = Sandbox().reverse_geocode([Location(51.50185, -0.13695)], 2_000, Deadline(1))
    assert answer.postcode == "SW1A 1AA"
    assert answer.distance_m == pytest.approx(334, abs=5)
