"""Waits until a call may be made: in the order and at the rate that all processes share.

It prevents this accident: each process keeps the rate that the provider allows, all of them together exceed it, and the
provider locks us out. The same happens when a process stands still and then makes its late calls all at once.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lookups.deadline import Deadline
from lookups.errors import DeadlineExceededError, ProviderUnavailableError
from lookups.politeness import limiter
from lookups.politeness.limiter import Open, Probing, Reservation, Reserved, State, TooLate
from lookups.politeness.limiter_stores import Store

T = TypeVar("T")

#: Seconds that a call may leave after its moment; later, it needs another one. Calls are spaced so much wider than the
#: rate asks for that in no second there are more than the rate and one.
LATENESS = 0.05
_SPACING = 1.0 + LATENESS
#: What is done in the background makes a tenth of the calls that the rate allows; without a rate, one a second.
_BACKGROUND_SPACING, _BACKGROUND_SECONDS = 10.0, 1.0
#: Seconds between looks at another caller's probe.
_LOOK_SECONDS = 0.2


class SharedLimiter:
    """The limiter from an event loop: a thread of its own waits for the store, unless that is at hand.

    A pause is also kept here, for the case that the store cannot be told. In the background it takes a moment only when
    that is free at once: whoever waits comes first.
    """

    def __init__(
        self, store: Store, *, calls_per_second: float, probe_seconds: float, in_background: bool = False
    ) -> None:
        self._store = store
        self._interval = _SPACING / calls_per_second if calls_per_second else 0.0
        self._probe_seconds = probe_seconds
        self._silent_until = 0.0
        self._in_background = in_background
        self._background_from = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="limiter")

    async def wait(self, deadline: Deadline) -> bool:
        """Wait for the moment to make one call in; whether it is the probe of an open breaker."""
        lead = 0.0
        while True:
            await self._keep_silence(deadline)
            await self._keep_back(deadline)
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
                    raise ProviderUnavailableError(
                        f"The provider does not work, and is asked again in {wait:.0f} s.", retry_after=wait
                    )
                case TooLate(wait) if self._in_background and wait < deadline.remaining():
                    pass
                case TooLate(wait):
                    raise _too_late(wait)

    async def pause(self, seconds: float) -> None:
        """No call is made for `seconds`: the provider asked for it."""
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
                longest_wait=lead if self._in_background else deadline.remaining(),
                probe_seconds=self._probe_seconds,
            )
            return changed, (reservation, time.monotonic())

        return await self._in_thread(lambda: self._store.update(change))

    async def _is_silent(self) -> bool:
        """Whether a silence began meanwhile; then earlier reservations do not count."""
        if self._silent_until > time.monotonic():
            return True
        return limiter.is_silent(*await self._in_thread(self._store.read))

    async def _change(self, change: Callable[[State, float], State]) -> None:
        await self._in_thread(lambda: self._store.update(lambda state, now: (change(state, now), None)))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._store.is_at_hand:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _keep_back(self, deadline: Deadline) -> None:
        if not self._in_background:
            return
        wait = self._background_from - time.monotonic()
        if wait > deadline.remaining():
            raise _too_late(wait)
        await asyncio.sleep(wait)
        self._background_from = time.monotonic() + (_BACKGROUND_SPACING * self._interval or _BACKGROUND_SECONDS)

    async def _keep_silence(self, deadline: Deadline) -> None:
        while (wait := self._silent_until - time.monotonic()) > 0:
            if wait > deadline.remaining():
                raise _too_late(wait)
            await asyncio.sleep(wait)


def _too_late(wait: float) -> DeadlineExceededError:
    return DeadlineExceededError(
        f"The next call may be made in {wait:.0f} s: there is no time for that.", retry_after=wait
    )
