"""The lookup as such: who is asked about what."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from lookups.answers import Answer, Location, failed, no_match
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.lookup import reverse_geocode

LONDON = Location(51.5, -0.1)
LEEDS = Location(53.8, -1.5)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Recorder:
    """A provider that knows nothing, and remembers what it was asked."""

    name = "recorder"

    def __init__(self) -> None:
        self.asked: list[Location] = []

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        self.asked += locations
        return [failed(location, provider=self.name, looked_up_at=LONG_AGO) for location in locations]


def look_up(provider: Recorder, *locations: Location) -> list[Answer]:
    return reverse_geocode(locations=locations, max_distance=100, provider=provider, deadline=Deadline(5))


def test_equal_locations_are_asked_once_and_answered_each() -> None:
    provider = Recorder()
    answers = look_up(provider, LONDON, LEEDS, LONDON, LONDON)
    assert provider.asked == [LONDON, LEEDS]
    assert [answer.latitude for answer in answers] == [51.5, 53.8, 51.5, 51.5]


@pytest.mark.parametrize("place", [(0, 0), (48.9, 0), (61.6, -1), (55, -9.6), (51, 2.7), (-51.5, -0.1), (90, 180)])
def test_a_location_outside_the_uk_is_no_match_without_asking(place: tuple[float, float]) -> None:
    provider = Recorder()
    location = Location(*place)
    (answer,) = look_up(provider, location)
    assert answer == no_match(location, "outside_uk", provider="recorder", looked_up_at=answer.looked_up_at)
    assert datetime.now(UTC) - answer.looked_up_at < timedelta(minutes=1)
    assert provider.asked == []


@pytest.mark.parametrize("place", [(49.86, -6.4), (60.86, -0.8), (57.81, -8.6), (52.48, 1.77), (54.4, -8.1)])
def test_the_corners_of_the_uk_are_asked(place: tuple[float, float]) -> None:
    provider = Recorder()
    look_up(provider, Location(*place))
    assert provider.asked == [Location(*place)]


def test_an_outage_is_never_an_answer() -> None:
    class Broken(Recorder):
        def reverse_geocode(
            self, locations: Sequence[Location], max_distance: float, deadline: Deadline
        ) -> list[Answer]:
            raise ProviderUnavailableError("gone")

    with pytest.raises(ProviderUnavailableError):
        look_up(Broken(), LONDON, Location(0, 0))
