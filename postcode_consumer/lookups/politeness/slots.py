"""How many calls one process has in flight: few at first, more while that goes well, half as many after an overload.

It prevents this accident: a provider that can do few calls at once gets as many as we may make, refuses most of them,
and gets the refused ones again on top.
"""

import contextlib
from asyncio import Semaphore
from collections.abc import AsyncIterator

#: After the first overload, one more call is tried after so many that were answered: at most so often, one in excess is
#: refused. Textbook additive increase, one more after every round, was refused 31 % of its calls.
CALLS_PER_STEP = 100


class Slots:
    """Slots for calls, first come, first served; never more than `ceiling`. To be used from one event loop.

    Until the first overload there are as many again after every round of calls, but at most `step` more.
    """

    def __init__(self, ceiling: int, *, step: int = 1) -> None:
        self._ceiling = ceiling
        self._step = step
        self._limit = 1
        self._free = Semaphore(self._limit)
        self._to_withdraw = 0
        self._overloads = 0
        self._answered = 0

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Waits for a slot. Yields the number of overloads so far, which `shrink` wants to know."""
        await self._free.acquire()
        try:
            yield self._overloads
        finally:
            if self._to_withdraw:
                self._to_withdraw -= 1
            else:
                self._free.release()

    def grow(self) -> None:
        """A call was answered. Until the first overload, `step` more follow after every round."""
        self._answered += 1
        if self._limit < self._ceiling and self._answered >= (CALLS_PER_STEP if self._overloads else self._limit):
            self._answered = 0
            for _ in range(1 if self._overloads else min(self._step, self._limit, self._ceiling - self._limit)):
                self._limit += 1
                if self._to_withdraw:
                    self._to_withdraw -= 1
                else:
                    self._free.release()

    def shrink(self, *, overloads: int) -> None:
        """A call that began when there were so many `overloads` met another one: calls of one moment count once."""
        if overloads != self._overloads:
            return
        self._overloads += 1
        self._answered = 0
        halved = max(1, self._limit // 2)
        self._to_withdraw += self._limit - halved
        self._limit = halved
