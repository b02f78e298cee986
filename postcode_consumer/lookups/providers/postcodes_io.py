"""The provider that asks postcodes.io, or any server that speaks its protocol.

A wide search costs the server several times as much as a narrow one, so each location is asked in steps: within 100 m,
then those without an answer within 2,000 m, then those still without one in a wide search (about 20 km). A location
that the server refuses is found by halving its batch.
"""

import asyncio
import logging
import math
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from lookups.answers import Answer, Location, PostcodeDetails, failed, match, no_match
from lookups.deadline import Deadline
from lookups.errors import CallFailed, ProviderUnavailable, Refused
from lookups.politeness import Politeness
from lookups.providers.loop_thread import LoopThread
from lookups.providers.postcodes_io_client import Client, Found, Search
from lookups.providers.retry import ask_again

logger = logging.getLogger(__name__)

#: Locations in one call; the server refuses more.
BATCH_SIZE = 100
#: Metres; the server's default, and its maximum without a wide search.
NARROW_RADIUS, FULL_RADIUS = 100.0, 2_000.0
#: Buckingham Palace. A server that does not answer this is broken, whatever it says of other locations.
CONTROL = Location(latitude=51.501009, longitude=-0.141588)
#: Seconds beyond the deadline after which the loop itself must be stuck.
_LOOP_GRACE = 5.0

#: What is known about a location after a step: an answer, or nothing yet.
_Known = dict[Location, Answer]


class PostcodesIo:
    """See the module. The instance owns a thread with an event loop, its connections and its limits: `close` it.

    `call_seconds` limits one call, from connecting to the last byte. `first_backoff` is the longest wait (seconds)
    before the second attempt; it doubles with each further one.
    """

    name = "postcodes_io"

    def __init__(
        self,
        *,
        url: str,
        calls_per_second: float,
        max_concurrency: int,
        contact: str = "",
        call_seconds: float = 10.0,
        attempts: int = 5,
        first_backoff: float = 0.5,
    ) -> None:
        self._politeness = Politeness(
            name=self.name, calls_per_second=calls_per_second, max_concurrency=max_concurrency
        )
        self._client = Client(url=url, contact=contact, call_seconds=call_seconds, politeness=self._politeness)
        self._attempts = attempts
        self._first_backoff = first_backoff
        self._loop = LoopThread(name=self.name)

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """See `Provider`. To be called from any thread but the loop's own."""
        try:
            return self._loop.run(
                self._in_time(locations, max_distance, deadline), timeout=deadline.remaining() + _LOOP_GRACE
            )
        except TimeoutError:
            raise ProviderUnavailable("The provider did not answer in time.") from None

    def close(self) -> None:
        """Close the connections and stop the thread."""
        self._loop.run(self._client.close(), timeout=_LOOP_GRACE)
        self._loop.run(self._politeness.close(), timeout=_LOOP_GRACE)
        self._loop.close()

    async def _in_time(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        async with asyncio.timeout(deadline.remaining()):
            return await self._answers(locations, max_distance, deadline)

    async def _answers(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        known: _Known = {}
        for search in _searches(max_distance):
            open_locations = [location for location in locations if location not in known]
            steps = [
                self._step(open_locations[start : start + BATCH_SIZE], search, max_distance, deadline)
                for start in range(0, len(open_locations), BATCH_SIZE)
            ]
            for answers in await _all_or_none(steps):
                known.update(answers)
        return [
            known.get(location) or no_match(location, "none_within_max_distance", provider=self.name)
            for location in locations
        ]

    async def _step(self, batch: Sequence[Location], search: Search, max_distance: float, deadline: Deadline) -> _Known:
        """What one step finds out about a batch of distinct locations."""
        try:
            found = await self._ask(batch, search, deadline, crash_attempts=2)
        except Refused as error:
            logger.warning("batch refused locations=%d why=%r", len(batch), error.detail)
            await self._check_control(search, deadline)
            return await self._halve(batch, search, max_distance, deadline)
        return self._judge(batch, found, max_distance)

    async def _halve(
        self, batch: Sequence[Location], search: Search, max_distance: float, deadline: Deadline
    ) -> _Known:
        """Answers all of a refused batch but the locations that are refused alone.

        One half after the other, the first one down to its end: should the server break meanwhile, the control question
        finds out after a few calls.
        """
        if len(batch) == 1:
            await self._check_control(search, deadline)
            logger.warning("location refused search=%s", search)
            return {batch[0]: failed(batch[0], provider=self.name)}
        known: _Known = {}
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            try:
                found = await self._ask(half, search, deadline, crash_attempts=1)
            except Refused:
                known.update(await self._halve(half, search, max_distance, deadline))
            else:
                known.update(self._judge(half, found, max_distance))
        return known

    async def _check_control(self, search: Search, deadline: Deadline) -> None:
        """Raises `ProviderUnavailable` unless a certainly good question is answered, in the same kind of search."""
        try:
            await self._ask([CONTROL], search, deadline, crash_attempts=1)
        except Refused as error:
            raise ProviderUnavailable(f"The provider refuses every question: {error.detail}") from error

    async def _ask(
        self, batch: Sequence[Location], search: Search, deadline: Deadline, *, crash_attempts: int
    ) -> list[Found | None]:
        """One question, asked again as long as that may help. Raises `Refused` or `ProviderUnavailable`."""
        attempts = ask_again(
            deadline=deadline,
            attempts=self._attempts,
            crash_attempts=crash_attempts,
            first_backoff=self._first_backoff,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return await self._client.ask(batch, search, deadline)
        except Refused:
            raise
        except CallFailed as error:
            raise ProviderUnavailable(error.detail, retry_after=error.retry_after) from error
        raise AssertionError("the loop above returns or raises")

    def _judge(self, batch: Sequence[Location], found: Sequence[Found | None], max_distance: float) -> _Known:
        """Final answers. A nearest postcode that is too far away ends the search: a wider one finds the same."""
        known: _Known = {}
        for location, nearest in zip(batch, found, strict=True):
            if nearest is None:
                continue
            if nearest.distance > max_distance:
                known[location] = no_match(location, "none_within_max_distance", provider=self.name)
            else:
                known[location] = match(
                    location,
                    postcode=nearest.postcode,
                    distance=nearest.distance,
                    details=_details(nearest),
                    provider=self.name,
                )
        return known


def _searches(max_distance: float) -> Iterator[Search]:
    """The steps, each wider than the one before. Radii are whole metres, rounded up."""
    narrow = math.ceil(min(NARROW_RADIUS, max_distance))
    full = math.ceil(min(FULL_RADIUS, max_distance))
    yield Search(radius=narrow)
    if full > narrow:
        yield Search(radius=full)
    if max_distance > FULL_RADIUS:
        yield Search(widesearch=True)


def _details(found: Found) -> PostcodeDetails:
    return PostcodeDetails(
        outcode=found.outcode,
        incode=found.incode,
        country=found.country,
        region=found.region,
        admin_district=found.admin_district,
        admin_ward=found.admin_ward,
        latitude=found.latitude,
        longitude=found.longitude,
    )


async def _all_or_none(steps: Sequence[Coroutine[Any, Any, _Known]]) -> list[_Known]:
    """Runs them at once. The first failure ends the others: the lookup has failed then."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    return [task.result() for task in tasks]
