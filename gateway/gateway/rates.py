"""How many requests a minute somebody may make: the generic cell rate algorithm, in memory."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60
#: A caller has one number: at most some 2 MB. Whoever was not heard of for longest is forgotten first.
MOST_CALLERS = 10_000
#: Sums of floats are a little off.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after a request. Times are in whole seconds from now."""

    allowed: bool
    #: Requests that would be allowed at once.
    remaining: int
    #: When as many are allowed as after a long silence.
    reset: int
    #: When the next one is allowed.
    retry_after: int


class Rate:
    """Lets every caller make `per_minute` requests at once, and then as many a minute, evenly."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._interval = WINDOW_SECONDS / per_minute
        self._clock = clock
        #: By caller: when all of its requests so far would have been made, had they come evenly.
        self._used_until: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> Standing:
        """Count a request. One that is not allowed costs nothing."""
        now = self._clock()
        before = max(self._used_until.get(caller, now), now)
        after = before + self._interval
        allowed = after - now <= WINDOW_SECONDS + _TOLERANCE
        if allowed:
            self._used_until[caller] = after
            if len(self._used_until) > MOST_CALLERS:
                self._used_until.popitem(last=False)
        if caller in self._used_until:
            self._used_until.move_to_end(caller)
        used = (after if allowed else before) - now
        return Standing(
            allowed,
            remaining=max(0, math.floor((WINDOW_SECONDS - used) / self._interval + _TOLERANCE)),
            reset=math.ceil(used),
            retry_after=max(1, math.ceil(after - now - WINDOW_SECONDS)),
        )

    def give_back(self, caller: str) -> None:
        """Take a counted request back."""
        if caller in self._used_until:
            self._used_until[caller] -= self._interval
