"""How workers show that they live: by files, for the health check of a container, `/metrics` and `/status/`; and to
systemd, whose watchdog ends a worker that hangs.

Each worker touches a file of its own, because several may share DATA_DIR: `run/worker-alive.<host>.<pid>`.
"""

import contextlib
import os
import socket
import time
from pathlib import Path

from django.conf import settings

#: Seconds. An idle worker begins a round every other second; in one round, a busy one waits for the answers to a chunk,
#: for 0.7 of LEASE_SECONDS at most.
ALIVE_SECONDS = 120.0
#: The same, for how long a worker that has fallen silent is told of, and not taken for one that was replaced.
_TOLD_SECONDS = 600.0
#: The same, after which the file of a worker that was killed is removed by the next that starts.
_FORGOTTEN_SECONDS = 86_400.0
_EVERY_SECONDS = 5.0
_NAME = "worker-alive."


class SignOfLife:
    """The file of this process. To be touched in every round: now and then it is."""

    def __init__(self) -> None:
        self._file = _folder() / f"{_NAME}{socket.gethostname()}.{os.getpid()}"
        self._due = 0.0

    def show(self) -> None:
        """Touches the file. A disk that is full, or away, is no reason to stop working."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()
        tell_watchdog()

    def end(self) -> None:
        """Removes it, and those that were left long ago."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
        for file, seconds in _ages():
            if seconds > _FORGOTTEN_SECONDS:
                with contextlib.suppress(OSError):
                    file.unlink()


def tell_watchdog() -> None:
    """Sends systemd the sign of life that `WatchdogSec` of the unit waits for; elsewhere it does nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        # A name that begins with @ is one of the kernel's, and no file.
        systemd.sendto(b"WATCHDOG=1", address.replace("@", "\0", 1) if address.startswith("@") else address)


def last_signs() -> list[float]:
    """How many seconds ago each worker of this DATA_DIR has shown that it lives, the latest first."""
    return sorted(max(0.0, seconds) for _, seconds in _ages() if seconds <= _TOLD_SECONDS)


def living_workers() -> int:
    """How many workers of this DATA_DIR have shown that they live within `ALIVE_SECONDS`."""
    return sum(seconds <= ALIVE_SECONDS for _, seconds in _ages())


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "run"


def _ages() -> list[tuple[Path, float]]:
    found = []
    for file in _folder().glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):
            found.append((file, time.time() - file.stat().st_mtime))
    return found
