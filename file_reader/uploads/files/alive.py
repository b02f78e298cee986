"""How workers show that they live: by files, for the health check of a container, `/metrics` and `/status/`; and to
systemd, whose watchdog ends a worker that hangs.

Each worker touches a file of its own, because several may share DATA_DIR: `run/worker-alive.<host>.<pid>`. It holds a
lock on it while it works. The lock ends with the process, so one that is frozen is told from one that was killed.
"""

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from uploads.files.locks import is_locked, lock, remove_unlocked

#: Seconds. A worker shows that it lives every other second, also while it waits for answers; what it reads, writes or
#: removes in between takes seconds.
ALIVE_SECONDS = 30.0
#: The same, after which the file of a worker that was killed is removed by the next that ends.
_FORGOTTEN_SECONDS = 86_400.0
_EVERY_SECONDS = 1.0
_NAME = "worker-alive."


class SignOfLife:
    """The file of this process, to be touched in every round, and locked from then on until `close`."""

    def __init__(self) -> None:
        self._path = _folder() / f"{_NAME}{socket.gethostname()}.{os.getpid()}"
        self._file: BinaryIO | None = None
        self._due = 0.0

    def show(self) -> None:
        """Touches the file, now and then. A disk that is full, or away, is no reason to stop working."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            if not (self._file and lock(self._file, self._path)):
                self.close()
                self._file = self._path.open("r+b")
                lock(self._file, self._path)
        tell_watchdog()

    def close(self) -> None:
        """Ends the lock: nobody is at work."""
        if self._file:
            self._file.close()
            self._file = None

    def end(self) -> None:
        """Removes it, and those that were left long ago."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for file, seconds in _ages():
            if seconds > _FORGOTTEN_SECONDS:
                remove_unlocked(file)


def tell_watchdog() -> None:
    """Sends systemd the sign of life that `WatchdogSec` of the unit waits for; elsewhere it does nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        # A name that begins with @ is one of the kernel's, and no file.
        systemd.sendto(b"WATCHDOG=1", address.replace("@", "\0", 1) if address.startswith("@") else address)


def last_signs() -> dict[str, float]:
    """How many seconds ago each worker of this DATA_DIR has shown that it lives, by machine and process.

    Those that have fallen silent are among them as long as their processes are there.
    """
    return {
        ":".join(file.name.removeprefix(_NAME).rsplit(".", 1)): max(0.0, seconds)
        for file, seconds in _ages()
        if seconds <= ALIVE_SECONDS or is_locked(file)
    }


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "run"


def _ages() -> list[tuple[Path, float]]:
    found = []
    for file in _folder().glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):
            found.append((file, time.time() - file.stat().st_mtime))
    return found
