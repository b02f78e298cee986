"""Politeness towards a provider: how many calls at once and a second, how many are repeated, and silence.

Silence is what the provider asks for (Retry-After), or what it is left in when it does not work (circuit breaker). It
prevents this accident: a provider that is down is called on and on, and each call costs its caller the whole timeout.
"""

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable

from lookups import counters
from lookups.deadline import Deadline
from lookups.errors import (
    LimiterFailedError,
    OverloadedError,
    ProviderUnavailableError,
    RefusedError,
    RetryableError,
    TimedOutError,
)
from lookups.politeness.limiter_stores import MemoryStore, shared_store
from lookups.politeness.retry_budget import RetryBudget
from lookups.politeness.shared_limiter import SharedLimiter
from lookups.politeness.slots import Slots

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


class Politeness:
    """The limits of one provider, for one process.

    `calls_per_second`, pauses and the circuit breaker hold for all processes together, through the database or Redis;
    with 0 there is no such limit, and pauses and breaker hold for this process. `max_concurrency` is the ceiling for
    this process; 0 stands for `UNLIMITED_CONCURRENCY`. The retry budget is this process's too. To be used from one
    event loop. `probe_seconds` is the longest time that a call takes. `in_background`: one call at a time, a
    tenth of the rate, and only when nobody waits.
    """

    def __init__(
        self,
        *,
        name: str,
        calls_per_second: float,
        max_concurrency: int,
        probe_seconds: float = 10.0,
        in_background: bool = False,
    ) -> None:
        self._slots = Slots(
            1 if in_background else max_concurrency or UNLIMITED_CONCURRENCY,
            step=1 if calls_per_second else UNLIMITED_STEP,
        )
        self._budget = RetryBudget()
        self._failures = 0
        # Shown before anything has happened.
        self._waits = counters.TURN_WAIT_SECONDS.labels(name)
        self._calls = counters.UPSTREAM_SECONDS.labels(name)
        self._pauses, self._opened = counters.PAUSES.labels(name), counters.BREAKER_OPENED.labels(name)
        self._limiter = SharedLimiter(
            shared_store(name) if calls_per_second else MemoryStore(),
            calls_per_second=calls_per_second,
            probe_seconds=probe_seconds,
            in_background=in_background,
        )

    @contextlib.asynccontextmanager
    async def turn(self, deadline: Deadline) -> AsyncIterator[None]:
        """Wait for a slot and a moment to make one call in. What the call raises decides about those after it.

        Raises at once: `DeadlineExceededError` when that moment is later than the deadline, `ProviderUnavailableError`
        while the breaker is open, `LimiterFailedError` when the limiter does not answer. `ProviderUnavailableError`
        takes the place of a `RetryableError` when the call must not be made again.
        """
        asked = time.monotonic()
        async with self._slots.slot() as overloads:
            is_probe = await self._limiter.wait(deadline)
            self._waits.observe(time.monotonic() - asked)
            try:
                with self._calls.time():
                    yield
            except RetryableError as error:
                if isinstance(error, OverloadedError | TimedOutError):
                    self._slots.shrink(overloads=overloads)
                await self._failed(error, is_probe=is_probe)
                raise
            except RefusedError:
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

    async def _failed(self, error: RetryableError, *, is_probe: bool) -> None:
        """Raises `ProviderUnavailableError` when the call must not be made again."""
        if error.retry_after:
            self._pauses.inc()
            await _noted(self._limiter.pause(min(error.retry_after, LONGEST_PAUSE)))
        else:
            self._failures += 1
        if is_probe or self._failures >= FAILURES_IN_A_ROW:
            self._failures = 0
            self._opened.inc()
            logger.warning("breaker opened probe=%s why=%r", is_probe, error.detail)
            await _noted(self._limiter.open_breaker(after_probe=is_probe))
            raise ProviderUnavailableError(error.detail, retry_after=error.retry_after) from error
        if not error.retry_after and not self._budget.spend():
            logger.warning("retry budget spent why=%r", error.detail)
            raise ProviderUnavailableError(error.detail) from error


async def _noted(note: Awaitable[None]) -> None:
    """A store that cannot be told must not take away an answer, nor hide why a call failed."""
    try:
        await note
    except LimiterFailedError as error:
        logger.warning("limiter not told why=%r", error.detail)
