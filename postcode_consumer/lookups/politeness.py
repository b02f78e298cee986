"""Politeness towards a provider: how many calls at once, how many a second, and silence when it asks for silence."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from lookups import limiter
from lookups.deadline import Deadline
from lookups.errors import LimiterFailed, ProviderUnavailable

T = TypeVar("T")

#: Calls at once when no limit is set: more only wait in the provider's queue instead of ours.
UNLIMITED_CONCURRENCY = 64
#: Seconds; a longer Retry-After is cut, so that a mistake upstream does not silence this service for days.
LONGEST_PAUSE = 3_600.0


class Politeness:
    """The limits of one provider, for one process.

    `calls_per_second` holds for all processes together, through a row in the database; with 0 there is no such limit,
    the database is not touched, and a pause holds for this process. `max_concurrency` holds for this process, first
    come, first served; 0 stands for `UNLIMITED_CONCURRENCY`. To be used from one event loop.
    """

    def __init__(self, *, name: str, calls_per_second: float, max_concurrency: int) -> None:
        self._slots = asyncio.Semaphore(max_concurrency or UNLIMITED_CONCURRENCY)
        self._shared = SharedLimiter(name=name, calls_per_second=calls_per_second) if calls_per_second else None
        self._silent_until = 0.0

    @contextlib.asynccontextmanager
    async def turn(self, deadline: Deadline) -> AsyncIterator[None]:
        """Wait for a slot and a moment to make one call in.

        Raises `ProviderUnavailable` at once when that moment is later than the deadline, `LimiterFailed` when the
        database does not answer.
        """
        async with self._slots:
            await self._wait(deadline)
            yield

    async def pause(self, seconds: float) -> None:
        """Nobody calls for `seconds`: the provider asked for it."""
        seconds = min(seconds, LONGEST_PAUSE)
        self._silent_until = max(self._silent_until, time.monotonic() + seconds)
        if self._shared:
            await self._shared.pause(seconds)

    async def close(self) -> None:
        """Give the database connection back."""
        if self._shared:
            await self._shared.close()

    async def _wait(self, deadline: Deadline) -> None:
        await self._keep_silence(deadline)
        if not self._shared:
            return
        # A pause may begin while we wait for the moment that we reserved; then it is worth nothing.
        while (wait := await self._shared.reserve(deadline)) > 0:
            await asyncio.sleep(wait)
            await self._keep_silence(deadline)
            if await self._shared.paused_for() == 0:
                return

    async def _keep_silence(self, deadline: Deadline) -> None:
        while (wait := self._silent_until - time.monotonic()) > 0:
            _refuse_if_too_long(wait, deadline)
            await asyncio.sleep(wait)


class SharedLimiter:
    """The limiter's row, from an event loop: a thread of its own, with a connection of its own, does the waiting."""

    def __init__(self, *, name: str, calls_per_second: float) -> None:
        self._name = name
        self._interval = 1.0 / calls_per_second
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="limiter")

    async def reserve(self, deadline: Deadline) -> float:
        """Seconds until the call may be made."""
        longest_wait = deadline.remaining()
        reservation = await self._in_thread(
            lambda: limiter.reserve(name=self._name, interval=self._interval, longest_wait=longest_wait)
        )
        if reservation:
            return reservation.wait
        wait, _ = await self._in_thread(lambda: limiter.waits(name=self._name))
        raise ProviderUnavailable(f"The next call may be made in {wait:.0f} s.", retry_after=wait)

    async def paused_for(self) -> float:
        """Seconds of silence that are left."""
        _, pause = await self._in_thread(lambda: limiter.waits(name=self._name))
        return pause

    async def pause(self, seconds: float) -> None:
        """Silence for all processes."""
        await self._in_thread(lambda: limiter.pause(name=self._name, seconds=seconds))

    async def close(self) -> None:
        """Close the thread's connection and the thread."""
        # Looked up there: `connection` is another one in every thread.
        await self._in_thread(lambda: connection.close())
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def checked() -> T:
            # What Django does at the beginning of a request: a dead connection is noticed before it is used.
            close_old_connections()
            return work()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, checked)
        except (DatabaseError, InterfaceError) as error:
            raise LimiterFailed(f"The limiter's database does not answer: {type(error).__name__}.") from error


def _refuse_if_too_long(wait: float, deadline: Deadline) -> None:
    if wait > deadline.remaining():
        raise ProviderUnavailable(f"The provider asked for {wait:.0f} s of silence.", retry_after=wait)
