"""Locations → answers: distinct ones only, the hopeless ones not at all, the rest to the provider."""

import time
from collections import Counter
from collections.abc import Sequence

from lookups import counters
from lookups.answers import Answer, Location, no_match, this_moment
from lookups.country import EAST, NORTH, SOUTH, WEST
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.provider import Provider


def reverse_geocode(
    *, locations: Sequence[Location], max_distance: float, provider: Provider, deadline: Deadline
) -> list[Answer]:
    """One final answer per location, in order. `max_distance` is in metres.

    Raises `ProviderUnavailableError` when there is no answer for all of them: an outage is never a "no match".
    """
    started = time.monotonic()
    outcome = "error"
    try:
        with counters.LOOKUPS_IN_PROGRESS.track_inprogress():
            answers = _answers(locations, max_distance, provider, deadline)
        outcome = "answered"
    except ProviderUnavailableError:
        outcome = "unavailable"
        raise
    finally:
        counters.LOOKUP_SECONDS.labels(outcome).observe(time.monotonic() - started)
        counters.LOCATIONS.inc(len(locations))
    for status, count in Counter([answer.status for answer in answers]).items():
        counters.ANSWERS.labels(provider.name, status).inc(count)
    return answers


def _answers(
    locations: Sequence[Location], max_distance: float, provider: Provider, deadline: Deadline
) -> list[Answer]:
    asked = [
        location
        for location in dict.fromkeys(locations)
        if SOUTH <= location.latitude <= NORTH and WEST <= location.longitude <= EAST
    ]
    found = provider.reverse_geocode(asked, max_distance, deadline) if asked else []
    if len(asked) == len(locations):  # they differ, and all may be in the UK
        return found
    answers = dict(zip(asked, found, strict=True))
    moment = this_moment()
    return [
        answers.get(location) or no_match(location, "outside_uk", provider=provider.name, looked_up_at=moment)
        for location in locations
    ]
