"""Politeness towards a provider: how many calls at once and a second, how many are repeated, and silence.

Silence is what the provider asks for (Retry-After), or what it is left in when it does not work (circuit breaker).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lookups.deadline import Deadline
from lookups.errors import (
    DeadlineExceeded,
    LimiterFailed,
    Overloaded,
    ProviderUnavailable,
    Refused,
    Retryable,
    TimedOut,
)
from lookups.politeness import limiter
from lookups.politeness.limiter import Open, Probing, Reservation, Reserved, State, TooLate
from lookups.politeness.limiter_stores import MemoryStore, Store, shared_store
from lookups.politeness.slots import Slots

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Calls at once when no limit is set: more only wait in the provider's queue instead of ours.
UNLIMITED_CONCURRENCY = 64
#: How many more calls are tried after a round that went well, when no rate is set: the server is the operator's own. So
#: many too many, refused in one moment, neither open the breaker nor use up the reserve of retries.
UNLIMITED_STEP = 4
#: Seconds; a longer Retry-After is cut, so that a mistake upstream does not silence this service for days.
LONGEST_PAUSE = 3_600.0
#: Calls that fail one after the other, with no answer between them, until the breaker opens. With 20 % of calls failing
#: at random, that happens after 400,000 calls.
FAILURES_IN_A_ROW = 8
#: Seconds that a call may leave after its moment; later, it needs another one. Calls are spaced so much wider than the
#: rate asks for that in no second there are more than the rate and one.
LATENESS = 0.05
_SPACING = 1.0 + LATENESS
#: Seconds between looks at a probe that is somebody else's.
_LOOK_SECONDS = 0.2


class RetryBudget:
    """How many calls may be made again: half as many as are answered, and a reserve that comes back with time.

    In an outage, calls are not multiplied by the attempts that each of them has.
    """

    RESERVE = 10.0
    SHARE = 0.5
    PER_SECOND = 1.0

    def __init__(self) -> None:
        self._left = self.RESERVE
        self._counted_at = time.monotonic()

    def earn(self) -> None:
        """A call was answered."""
        self._left = min(self._left + self.SHARE, self.RESERVE)

    def spend(self) -> bool:
        """Whether a call that failed may be made again."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._counted_at) * self.PER_SECOND, self.RESERVE)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Politeness:
    """The limits of one provider, for one process.

    `calls_per_second`, pauses and the circuit breaker hold for all processes together, through the database or Redis;
    with 0 there is no such limit, and pauses and breaker hold for this process. `max_concurrency` is the ceiling for
    this process; 0 stands for `UNLIMITED_CONCURRENCY`. The retry budget is this process's too. To be used from one
    event loop. `probe_seconds` is the longest time that a call takes.
    """

    def __init__(
        self, *, name: str, calls_per_second: float, max_concurrency: int, probe_seconds: float = 10.0
    ) -> None:
        self._slots = Slots(
            max_concurrency or UNLIMITED_CONCURRENCY,
            step=1 if calls_per_second else UNLIMITED_STEP,
        )
        self._budget = RetryBudget()
        self._failures = 0
        self._limiter = SharedLimiter(
            shared_store(name) if calls_per_second else MemoryStore(),
            calls_per_second=calls_per_second,
            probe_seconds=probe_seconds,
        )

    @contextlib.asynccontextmanager
    async def turn(self, deadline: Deadline) -> AsyncIterator[None]:
        """Wait for a slot and a moment to make one call in. What the call raises decides about those after it.

        Raises at once: `DeadlineExceeded` when that moment is later than the deadline, `ProviderUnavailable` while the
        breaker is open, `LimiterFailed` when nobody can say. `ProviderUnavailable` takes the place of a `Retryable`
        that must not be tried again.
        """
        async with self._slots.slot() as overloads:
            is_probe = await self._limiter.wait(deadline)
            try:
                yield
            except Retryable as error:
                if isinstance(error, Overloaded | TimedOut):
                    self._slots.shrink(overloads=overloads)
                await self._failed(error, is_probe=is_probe)
                raise
            except Refused:
                # It answers, and what it says is about the question.
                await self._probe_answered(is_probe)
                raise
            except BaseException:
                if is_probe:
                    await _noted(self._limiter.open_breaker(after_probe=True))
                raise
            self._failures = 0
            self._slots.grow()
            self._budget.earn()
            await self._probe_answered(is_probe)

    async def close(self) -> None:
        """Give connections back."""
        await self._limiter.close()

    async def _probe_answered(self, is_probe: bool) -> None:
        if is_probe:
            self._failures = 0
            logger.warning("breaker closed")
            await _noted(self._limiter.close_breaker())

    async def _failed(self, error: Retryable, *, is_probe: bool) -> None:
        """Raises `ProviderUnavailable` when the call must not be made again."""
        if error.retry_after:
            await _noted(self._limiter.pause(min(error.retry_after, LONGEST_PAUSE)))
        else:
            self._failures += 1
        if is_probe or self._failures >= FAILURES_IN_A_ROW:
            self._failures = 0
            logger.warning("breaker opened probe=%s why=%r", is_probe, error.detail)
            await _noted(self._limiter.open_breaker(after_probe=is_probe))
            raise ProviderUnavailable(error.detail, retry_after=error.retry_after) from error
        if not error.retry_after and not self._budget.spend():
            logger.warning("retry budget spent why=%r", error.detail)
            raise ProviderUnavailable(error.detail) from error


class SharedLimiter:
    """The limiter from an event loop: a thread of its own waits for the store, unless that is at hand.

    A pause is also kept here, for the case that the store cannot be told.
    """

    def __init__(self, store: Store, *, calls_per_second: float, probe_seconds: float) -> None:
        self._store = store
        self._interval = _SPACING / calls_per_second if calls_per_second else 0.0
        self._probe_seconds = probe_seconds
        self._silent_until = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="limiter")

    async def wait(self, deadline: Deadline) -> bool:
        """Wait for the moment to make one call in; whether it is the probe of an open breaker."""
        lead = 0.0
        while True:
            await self._keep_silence(deadline)
            reservation, read_at = await self._reserve(deadline, lead)
            match reservation:
                case Reserved(wait, is_probe):
                    moment = read_at + wait
                    await asyncio.sleep(moment - time.monotonic())
                    if wait and await self._is_silent():
                        continue
                    late = time.monotonic() - moment
                    if late <= LATENESS or is_probe or not self._interval:
                        return is_probe
                    # Where the store is far away, the next moment is one that can be kept.
                    lead = 2 * late
                case Probing(wait):
                    await asyncio.sleep(min(wait, _LOOK_SECONDS))
                case Open(wait):
                    raise ProviderUnavailable(
                        f"The provider does not work, and is asked again in {wait:.0f} s.", retry_after=wait
                    )
                case TooLate(wait):
                    raise _too_late(wait)

    async def pause(self, seconds: float) -> None:
        """Nobody calls for `seconds`: the provider asked for it."""
        self._silent_until = max(self._silent_until, time.monotonic() + seconds)
        await self._change(lambda state, now: limiter.pause(state, now, seconds=seconds))

    async def open_breaker(self, *, after_probe: bool) -> None:
        """The provider does not work."""
        await self._change(lambda state, now: limiter.open_breaker(state, now, after_probe=after_probe))

    async def close_breaker(self) -> None:
        """The provider works again."""
        await self._change(lambda state, now: limiter.close_breaker(state, now, interval=self._interval))

    async def close(self) -> None:
        """Close the thread's connections and the thread."""
        await self._in_thread(self._store.close)
        self._thread.shutdown()

    async def _reserve(self, deadline: Deadline, lead: float) -> tuple[Reservation, float]:
        """The reservation, and when it was made, on this process's clock."""

        def change(state: State, now: float) -> tuple[State, tuple[Reservation, float]]:
            changed, reservation = limiter.reserve(
                state,
                now,
                interval=self._interval,
                lead=lead,
                longest_wait=deadline.remaining(),
                probe_seconds=self._probe_seconds,
            )
            return changed, (reservation, time.monotonic())

        return await self._in_thread(lambda: self._store.update(change))

    async def _is_silent(self) -> bool:
        """Whether a silence began meanwhile; then what was reserved before is worth nothing."""
        if self._silent_until > time.monotonic():
            return True
        return limiter.is_silent(*await self._in_thread(self._store.read))

    async def _change(self, change: Callable[[State, float], State]) -> None:
        await self._in_thread(lambda: self._store.update(lambda state, now: (change(state, now), None)))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._store.is_at_hand:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _keep_silence(self, deadline: Deadline) -> None:
        while (wait := self._silent_until - time.monotonic()) > 0:
            if wait > deadline.remaining():
                raise _too_late(wait)
            await asyncio.sleep(wait)


def _too_late(wait: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"The next call may be made in {wait:.0f} s: there is no time for that.", retry_after=wait)


async def _noted(note: Awaitable[None]) -> None:
    """A store that cannot be told must not take away an answer, nor hide why a call failed."""
    try:
        await note
    except LimiterFailed as error:
        logger.warning("limiter not told why=%r", error.detail)
