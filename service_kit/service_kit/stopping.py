"""The time before a service stops: `/readyz` says 503 already, and everything is served as before.

Whoever spreads requests over several of the same service sends the next ones elsewhere, so that none meets a socket
that is closed.
"""

import mmap
import signal

#: Of gunicorn's master and all processes that it forks.
_SHARED = mmap.mmap(-1, 1)


def is_stopping() -> bool:
    """Whether this service was told to stop."""
    return _SHARED[0] == 1


def announce_stops(seconds: float) -> None:
    """From now on a SIGTERM does in so many seconds what it does at present, a second one at once."""

    def announce(*_: object) -> None:
        _SHARED[0] = 1
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, seconds)

    stop = signal.signal(signal.SIGTERM, announce)
