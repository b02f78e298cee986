"""What every provider must do. A test class for a new one inherits these tests and has a fixture `provider`.

The provider must know SW1A 1AA and EH1 2NG where they really are, and no postcode near `NORTH_SEA`.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from tests.fake_postcodes_io import CASTLE, NORTH_SEA, PALACE

from lookups.answers import Answer, Location
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.provider import Provider


def ask(provider: Provider, *places: tuple[float, float], max_distance: float = 2_000) -> list[Answer]:
    return provider.reverse_geocode([Location(*place) for place in places], max_distance, Deadline(10))


def north_of(place: tuple[float, float], metres: float) -> tuple[float, float]:
    return place[0] + metres / 111_250, place[1]


class ProviderContract:
    def test_no_locations_have_no_answers(self, provider: Provider) -> None:
        assert ask(provider) == []

    def test_answers_come_in_the_order_of_the_locations(self, provider: Provider) -> None:
        places = [CASTLE, NORTH_SEA, PALACE, north_of(CASTLE, 30), north_of(PALACE, 30)]
        answers = ask(provider, *places)
        assert [(answer.latitude, answer.longitude) for answer in answers] == places
        assert [answer.postcode for answer in answers] == ["EH1 2NG", None, "SW1A 1AA", "EH1 2NG", "SW1A 1AA"]

    def test_a_thousand_locations_are_answered_in_order(self, provider: Provider) -> None:
        places = [north_of(PALACE if n % 2 else CASTLE, n / 100) for n in range(1_000)]
        answers = ask(provider, *places)
        assert [answer.postcode for answer in answers] == ["EH1 2NG", "SW1A 1AA"] * 500
        assert [answer.latitude for answer in answers] == [place[0] for place in places]

    def test_a_match_has_all_that_callers_rely_on(self, provider: Provider) -> None:
        (answer,) = ask(provider, north_of(PALACE, 50))
        assert (answer.status, answer.reason, answer.provider) == ("match", None, provider.name)
        assert answer.distance_m == pytest.approx(50, rel=0.01)
        assert answer.distance_m == round(answer.distance_m, 2)
        details = answer.postcode_details
        assert details
        assert (details.outcode, details.incode, details.country) == ("SW1A", "1AA", "England")
        assert (details.region, details.admin_district, details.admin_ward) == ("London", "Westminster", "St James's")
        assert (details.latitude, details.longitude) == PALACE

    def test_far_out_at_sea_there_is_no_match(self, provider: Provider) -> None:
        (answer,) = ask(provider, NORTH_SEA, max_distance=2_000)
        assert (answer.status, answer.reason) == ("no_match", "none_within_max_distance")
        (answer,) = ask(provider, NORTH_SEA, max_distance=20_000)
        assert (answer.status, answer.reason) in (
            ("no_match", "none_within_max_distance"),
            ("no_match", "searched_to_2000_m"),
        )
        assert (answer.postcode, answer.distance_m, answer.postcode_details) == (None, None, None)
        assert answer.provider == provider.name

    @pytest.mark.parametrize("metres", [0.4, 40, 400])
    def test_the_maximum_distance_is_kept_to_the_centimetre(self, provider: Provider, metres: float) -> None:
        place = north_of(PALACE, metres)
        (answer,) = ask(provider, place)
        assert answer.distance_m
        within, beyond = answer.distance_m + 0.006, answer.distance_m - 0.006
        assert [ask(provider, place, max_distance=limit)[0].status for limit in (within, beyond)] == [
            "match",
            "no_match",
        ]

    def test_a_location_at_a_postcode_matches_at_any_maximum_distance(self, provider: Provider) -> None:
        (answer,) = ask(provider, PALACE, max_distance=0.01)
        assert (answer.postcode, answer.distance_m) == ("SW1A 1AA", 0.0)

    def test_a_postcode_is_known_as_its_matches_have_it(self, provider: Provider) -> None:
        # The second time, one that remembers has written down what it was told.
        answer, _ = ask(provider, PALACE), ask(provider, PALACE)
        assert provider.details_of("SW1A 1AA", remembered=True) == answer[0].postcode_details
        assert provider.details_of("ZZ99 9ZZ", remembered=True) is None

    def test_an_answer_says_the_day_of_the_lookup_and_nothing_nearer(self, provider: Provider) -> None:
        for _ in range(2):
            for answer in ask(provider, PALACE, max_distance=100):
                assert answer.looked_up_at.time() == time()
                assert datetime.now(UTC) - answer.looked_up_at < timedelta(days=1, minutes=1)

    def test_when_the_time_is_over_an_answer_is_right_or_there_is_none(self, provider: Provider) -> None:
        try:
            (answer,) = provider.reverse_geocode([Location(*PALACE)], 100, Deadline(0))
        except ProviderUnavailableError:
            return
        assert answer.postcode == "SW1A 1AA"

    def test_threads_do_not_get_each_others_answers(self, provider: Provider) -> None:
        def postcode_of(place: tuple[float, float]) -> str | None:
            try:
                return ask(provider, place)[0].postcode
            finally:
                connection.close()  # the thread's own, which would outlive it

        places = [PALACE, CASTLE] * 10
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(postcode_of, places))
        assert answers == ["SW1A 1AA", "EH1 2NG"] * 10
