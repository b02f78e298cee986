"""Locations → answers: distinct ones only, the hopeless ones not at all, the rest to the provider."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from lookups import counters
from lookups.answers import Answer, Location, no_match, this_day
from lookups.columns import STATUSES, Columns, Floats, columns_of
from lookups.country import EAST, NORTH, SOUTH, WEST, is_inside
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.provider import ColumnProvider, Provider


def reverse_geocode(
    *, locations: Sequence[Location], max_distance: float, provider: Provider, deadline: Deadline
) -> list[Answer]:
    """One final answer per location, in order. `max_distance` is in metres.

    Raises `ProviderUnavailableError` when there is no answer for all of them: an outage is never a "no match".
    """
    with _counted_lookup(len(locations)):
        answers = _answers(locations, max_distance, provider, deadline)
    _count_answers(provider, Counter([answer.status for answer in answers]))
    return answers


def reverse_geocode_columns(
    *, latitudes: Floats, longitudes: Floats, max_distance: float, provider: Provider, deadline: Deadline
) -> Columns:
    """The same as columns; the coordinates are in degrees, and in range.

    Raises ValueError when the provider says something of which there are no columns (`columns_of`).
    """
    with _counted_lookup(len(latitudes)):
        if isinstance(provider, ColumnProvider):
            columns = _columns(latitudes, longitudes, max_distance, provider, deadline)
        else:
            locations = list(map(Location, latitudes.tolist(), longitudes.tolist()))
            columns = columns_of(_answers(locations, max_distance, provider, deadline))
    _count_answers(provider, dict(zip(STATUSES, np.bincount(columns.status, minlength=3).tolist(), strict=True)))
    return columns


def _columns(
    latitudes: Floats, longitudes: Floats, max_distance: float, provider: ColumnProvider, deadline: Deadline
) -> Columns:
    asked = is_inside(latitudes, longitudes)
    if not asked.any():
        return columns_of([]).among(asked)
    return provider.columns(latitudes[asked], longitudes[asked], max_distance, deadline).among(asked)


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
    day = this_day()
    return [
        answers.get(location) or no_match(location, "outside_uk", provider=provider.name, looked_up_at=day)
        for location in locations
    ]


@contextmanager
def _counted_lookup(locations: int) -> Iterator[None]:
    started = time.monotonic()
    outcome = "error"
    try:
        with counters.LOOKUPS_IN_PROGRESS.track_inprogress():
            yield
        outcome = "answered"
    except ProviderUnavailableError:
        outcome = "unavailable"
        raise
    finally:
        counters.LOOKUP_SECONDS.labels(outcome).observe(time.monotonic() - started)
        counters.LOCATIONS.inc(locations)


def _count_answers(provider: Provider, counts: Mapping[str, int]) -> None:
    for status, count in counts.items():
        if count:
            counters.ANSWERS.labels(provider.name, status).inc(count)
