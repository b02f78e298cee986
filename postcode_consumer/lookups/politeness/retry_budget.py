"""How many failed calls may be made again.

It prevents this accident: in an outage every call fails, each is made again as often as it may be, and a provider that
is already overloaded gets several times its usual calls.
"""

import time


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
