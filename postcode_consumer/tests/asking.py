"""Asking upstream, and what it was asked."""

from typing import Any

import pytest
from tests.fake_postcodes_io import PALACE, FakePostcodesIo

from lookups.answers import Answer, Location
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.findings import Finding
from lookups.politeness.turns import FAILURES_IN_A_ROW
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

PLACES = [(PALACE[0] + number / 1e6, PALACE[1]) for number in range(300)]


def ask(
    upstream: PostcodesIo, *places: tuple[float, float], max_distance: float = 2_000, seconds: float = 10
) -> list[Answer]:
    """What is answered without any memory."""
    found: dict[Location, Finding] = {}
    searched = {Location(*place): 0 for place in places}
    for findings in upstream.search(searched, max_distance, Deadline(seconds)):
        found.update(findings)
    return [found[place].answer(place, max_distance, provider=upstream.name) for place in searched]


def north_of(place: tuple[float, float], metres: float) -> tuple[float, float]:
    return place[0] + metres / 111_195, place[1]


def searches(upstream: FakePostcodesIo) -> list[Any]:
    """What was asked since the last time: how far, and for how many locations."""
    asked = [(call.search, len(call.places)) for call in upstream.calls]
    upstream.calls.clear()
    return asked


def times_asked(upstream: FakePostcodesIo) -> dict[tuple[Any, tuple[float, float]], int]:
    """How often each location was asked about, for each step."""
    times: dict[tuple[Any, tuple[float, float]], int] = {}
    for call in upstream.calls:
        for place in call.places:
            times[call.search, place] = times.get((call.search, place), 0) + 1
    return times


def places_near_the_palace(count: int, *, after: int = 0) -> list[tuple[float, float]]:
    return [(PALACE[0] + n / 1e7, PALACE[1]) for n in range(after, after + count)]


def break_it(provider: PostcodesIo, upstream: FakePostcodesIo, fault: fake.Fault | None = None) -> None:
    """Enough calls fail for the breaker to open; upstream is well afterwards."""
    upstream.always = fault or fake.status(502)
    failed = len(upstream.calls) + FAILURES_IN_A_ROW
    while len(upstream.calls) < failed:
        with pytest.raises(ProviderUnavailableError):
            ask(provider, PALACE)
    upstream.always = None
    upstream.calls.clear()
