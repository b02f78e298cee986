"""The lookup as such: who is asked about what."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lookups.answers import Answer, Location, PostcodeDetails, failed, no_match
from lookups.columns import Columns, Floats, columns_of
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.lookup import reverse_geocode, reverse_geocode_columns

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

    def details_of(self, postcode: str) -> PostcodeDetails | None:
        return None


class RecorderOfColumns(Recorder):
    """It can answer in columns, too."""

    def columns(self, latitudes: Floats, longitudes: Floats, max_distance: float, deadline: Deadline) -> Columns:
        locations = list(map(Location, latitudes.tolist(), longitudes.tolist()))
        return columns_of(Recorder.reverse_geocode(self, locations, max_distance, deadline))

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        raise AssertionError("an object for each location")


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
    assert datetime.now(UTC) - answer.looked_up_at < timedelta(days=1, minutes=1)
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


# --- In columns ------------------------------------------------------------------------------------------------------
def look_up_columns(provider: Recorder, *locations: Location) -> Columns:
    latitudes = np.array([location.latitude for location in locations])
    longitudes = np.array([location.longitude for location in locations])
    return reverse_geocode_columns(
        latitudes=latitudes, longitudes=longitudes, max_distance=100, provider=provider, deadline=Deadline(5)
    )


@pytest.mark.parametrize(
    ("provider", "asked"), [(Recorder(), [LONDON, LEEDS]), (RecorderOfColumns(), [LONDON, LEEDS, LONDON])]
)
def test_in_columns_a_provider_is_asked_in_its_own_way_about_the_uk_only(
    provider: Recorder, asked: list[Location]
) -> None:
    columns = look_up_columns(provider, Location(0, 0), LONDON, LEEDS, Location(61.6, -1), LONDON)
    assert provider.asked == asked
    assert columns.status.tolist() == [1, 2, 2, 1, 2]
    assert columns.reason.tolist() == [2, 3, 3, 2, 3]


@pytest.mark.parametrize("provider", [Recorder(), RecorderOfColumns()])
def test_in_columns_nobody_is_asked_about_places_abroad(provider: Recorder) -> None:
    assert look_up_columns(provider, Location(0, 0), Location(90, 180)).status.tolist() == [1, 1]
    assert provider.asked == []
