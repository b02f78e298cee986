"""The provider that asks postcodes.io, or any server that speaks its protocol.

A wide search costs the server several times as much as a narrow one, so each location is asked in steps: within 100 m,
then those without an answer within 2,000 m, then those still without one in a wide search (about 20 km). A location
that the server refuses is found by halving its batch.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Coroutine, Generator, Mapping, Sequence
from typing import Any, NamedTuple

from lookups import counters
from lookups.answers import Location, PostcodeDetails
from lookups.deadline import Deadline
from lookups.errors import CallFailedError, LimiterFailedError, ProviderUnavailableError, RefusedError
from lookups.findings import Finding, Nearest
from lookups.politeness.retry import ask_again
from lookups.politeness.turns import Politeness
from lookups.providers.postcodes_io.client import Client, Found, Search
from lookups.providers.postcodes_io.loop_thread import LoopThread

logger = logging.getLogger(__name__)

#: Locations in one call; the server refuses more.
BATCH_SIZE = 100
#: Buckingham Palace. A server that does not answer this question is broken.
CONTROL = Location(latitude=51.501009, longitude=-0.141588)
#: Seconds after which the caller gets the findings so far.
_TICK = 2.0
#: Seconds beyond the deadline after which the loop itself must be stuck.
_LOOP_GRACE = 5.0


class Step(NamedTuple):
    """A search, and the metres within which there is no postcode when it finds none."""

    reach: int
    search: Search


#: Each wider than the one before. 100 m is the server's default, 2,000 m its maximum without a wide search. They are
#: the same for every distance that a caller asks for: so a finding can be remembered for every other distance.
STEPS = (
    Step(100, Search(radius=100)),
    Step(2_000, Search(radius=2_000)),
    Step(20_000, Search(widesearch=True)),
)


class _Progress:
    """What one search has found out: written by the loop's thread, taken away piece by piece by the caller's."""

    def __init__(self, searched: Mapping[Location, int]) -> None:
        self._looked_up_at = int(time.time())
        self._open = dict(searched)
        self._findings: dict[Location, Finding] = {}
        self._lock = threading.Lock()

    def open_for(self, step: Step) -> list[Location]:
        """The locations that this step may say something new about."""
        return [location for location, searched in self._open.items() if searched < step.reach]

    def found(self, batch: Sequence[Location], nearest: Sequence[Found | None], step: Step) -> None:
        """A batch is answered. A location with a postcode is done with: a wider search finds the same."""
        findings = {
            location: Finding(
                looked_up_at=self._looked_up_at, searched=step.reach, nearest=_nearest(one) if one else None
            )
            for location, one in zip(batch, nearest, strict=True)
        }
        self._record(findings)

    def refused(self, location: Location) -> None:
        """The server does not take this location."""
        self._record(
            {location: Finding(looked_up_at=self._looked_up_at, searched=self._open[location], is_refused=True)}
        )

    def take(self) -> dict[Location, Finding]:
        """The findings since the last time."""
        with self._lock:
            findings, self._findings = self._findings, {}
        return findings

    def _record(self, findings: Mapping[Location, Finding]) -> None:
        for location, finding in findings.items():
            if finding.nearest or finding.is_refused:
                del self._open[location]
            else:
                self._open[location] = finding.searched
        with self._lock:
            self._findings.update(findings)


class PostcodesIo:
    """See the module: an `Upstream`. The instance owns a thread with an event loop, its connections and its limits:
    `close` it.

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
        in_background: bool = False,
    ) -> None:
        self._politeness = Politeness(
            name=self.name,
            calls_per_second=calls_per_second,
            max_concurrency=max_concurrency,
            in_background=in_background,
        )
        self._client = Client(url=url, contact=contact, call_seconds=call_seconds, politeness=self._politeness)
        self._attempts = attempts
        self._first_backoff = first_backoff
        self._loop = LoopThread(name=self.name)

    def search(
        self, searched: Mapping[Location, int], max_distance: float, deadline: Deadline
    ) -> Generator[dict[Location, Finding], None, None]:
        """See `Upstream`. To be called from any thread but the loop's own."""
        progress = _Progress(searched)
        work = self._loop.start(self._in_time(progress, max_distance, deadline))
        end = Deadline(deadline.remaining() + _LOOP_GRACE)
        is_done = False
        try:
            while not is_done and end.remaining():
                is_done = bool(concurrent.futures.wait([work], timeout=min(_TICK, end.remaining())).done)
                yield progress.take()
            work.result(0)
        except TimeoutError:
            raise ProviderUnavailableError("The provider did not answer in time.") from None
        finally:
            work.cancel()

    def close(self) -> None:
        """Close the connections and stop the thread."""
        self._loop.run(self._client.close(), timeout=_LOOP_GRACE)
        self._loop.run(self._politeness.close(), timeout=_LOOP_GRACE)
        self._loop.close()

    async def _in_time(self, progress: _Progress, max_distance: float, deadline: Deadline) -> None:
        async with asyncio.timeout(deadline.remaining()):
            for step in STEPS:
                locations = progress.open_for(step)
                batches = [locations[start : start + BATCH_SIZE] for start in range(0, len(locations), BATCH_SIZE)]
                await _all_or_none([self._find(batch, step, progress, deadline) for batch in batches])
                if step.reach >= max_distance:
                    return

    async def _find(self, batch: Sequence[Location], step: Step, progress: _Progress, deadline: Deadline) -> None:
        """Finds out what one step says about a batch of distinct locations."""
        try:
            found = await self._ask(batch, step, deadline, crash_attempts=self._crash_attempts(batch, 2))
        except RefusedError as error:
            logger.warning("batch refused locations=%d why=%r", len(batch), error.detail)
            await self._check_control(step, deadline)
            await self._halve(batch, step, progress, deadline)
        else:
            progress.found(batch, found, step)

    async def _halve(self, batch: Sequence[Location], step: Step, progress: _Progress, deadline: Deadline) -> None:
        """Finds out about all of a refused batch but the locations that are refused alone.

        One half after the other, the first one down to its end: should the server break meanwhile, the control question
        finds out after a few calls.
        """
        if len(batch) == 1:
            await self._check_control(step, deadline)
            logger.warning("location refused search=%s", step.search)
            progress.refused(batch[0])
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            try:
                found = await self._ask(half, step, deadline, crash_attempts=self._crash_attempts(half, 1))
            except RefusedError:
                await self._halve(half, step, progress, deadline)
            else:
                progress.found(half, found, step)

    def _crash_attempts(self, batch: Sequence[Location], several: int) -> int:
        """What breaks the server alone is failed. It also breaks for no reason, so that is not said lightly."""
        return self._attempts if len(batch) == 1 else several

    async def _check_control(self, step: Step, deadline: Deadline) -> None:
        """Raises `ProviderUnavailableError` unless a certainly good question is answered in the same kind of search."""
        try:
            await self._ask([CONTROL], step, deadline, crash_attempts=1)
        except RefusedError as error:
            raise ProviderUnavailableError(f"The provider refuses every question: {error.detail}") from error

    async def _ask(
        self, batch: Sequence[Location], step: Step, deadline: Deadline, *, crash_attempts: int
    ) -> list[Found | None]:
        """One question, asked again as long as that may help. Raises `RefusedError` or `ProviderUnavailableError`."""
        try:
            return await ask_again(
                lambda: self._call(batch, step, deadline),
                deadline=deadline,
                attempts=self._attempts,
                crash_attempts=crash_attempts,
                first_backoff=self._first_backoff,
            )
        except RefusedError:
            raise
        except CallFailedError as error:
            raise ProviderUnavailableError(error.detail, retry_after=error.retry_after) from error

    async def _call(self, batch: Sequence[Location], step: Step, deadline: Deadline) -> list[Found | None]:
        """One call, counted."""
        try:
            found = await self._client.ask(batch, step.search, deadline)
        except CallFailedError as error:
            if not isinstance(error, LimiterFailedError):  # then there was no call
                self._count(batch, step, type(error).__name__.removesuffix("Error"))
            raise
        self._count(batch, step, "answered")
        return found

    def _count(self, batch: Sequence[Location], step: Step, outcome: str) -> None:
        counters.UPSTREAM_CALLS.labels(self.name, outcome).inc()
        counters.UPSTREAM_LOCATIONS.labels(self.name, str(step.reach)).inc(len(batch))


def _nearest(found: Found) -> Nearest:
    details = PostcodeDetails(
        outcode=found.outcode,
        incode=found.incode,
        country=found.country,
        region=found.region,
        admin_district=found.admin_district,
        admin_ward=found.admin_ward,
        latitude=found.latitude,
        longitude=found.longitude,
    )
    return Nearest(found.postcode, found.distance, details)


async def _all_or_none(steps: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs them at once. The first failure ends the others: the lookup has failed then."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
