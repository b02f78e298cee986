"""The bell of idle workers: whoever has made work rings it, so that they need not wait for their next look.

Only a hint: a ring may be lost or doubled, and workers look by themselves, too. On PostgreSQL it is NOTIFY and LISTEN.
On SQLite, whose workers share DATA_DIR, each has a datagram socket in DATA_DIR/bells, under a random name. Where there
can be none, such as at a path longer than 107 bytes, there is no bell.
"""

import contextlib
import logging
import select
import socket
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection

logger = logging.getLogger(__name__)

_CHANNEL = "uploads_work"  # each database has its own
_REOPEN_SECONDS = 5.0


def ring_bells() -> None:
    """Has all idle workers look. To be called after the commit; returns at once and never fails."""
    try:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"NOTIFY {_CHANNEL}")
        else:
            _ring_sockets()
    except (OSError, Error) as error:
        logger.warning("idle workers cannot be woken: %s", error)
        connection.close_if_unusable_or_obsolete()  # so that the caller's next statement has a new one


def _ring_sockets() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
        ringer.setblocking(False)
        for path in _folder().glob("*"):
            with contextlib.suppress(OSError):  # a full one has been rung before, and one that has gone hears nothing
                try:
                    ringer.sendto(b"", str(path))
                except ConnectionRefusedError:  # its worker was killed
                    path.unlink()


def _folder() -> Path:
    return Path(settings.DATA_DIR, "bells")


class Bell:
    """One worker's bell. The first `wait` hangs it up, a later one does so again when it broke; `close` takes it down.

    It rings when it is hung up, and `works` from the moment when that was heard: behind a PgBouncer that shares
    connections between transactions, it never is.
    """

    def __init__(self) -> None:
        self.works = False
        self._line: Any = None  # a socket, or a connection of its own to PostgreSQL
        self._hang_up_from = 0.0
        self._trouble = ""

    def wait(self, seconds: float) -> bool:
        """Waits for a ring, that many seconds at most; True when it is time to look. Never fails."""
        try:
            with connection.wrap_database_errors:
                if self._line is None and time.monotonic() >= self._hang_up_from:
                    self._hang_up()
                if self._line is None:
                    time.sleep(seconds)
                    return False
                if not select.select([self._line], [], [], seconds)[0] or not self._take():
                    return False
        except (OSError, Error) as error:
            self.close()
            if str(error) != self._trouble:
                self._trouble = str(error)
                logger.info("the bell does not work: %s", error)
            return True  # a ring may have been missed
        if not self.works:
            self.works, self._trouble = True, ""
            logger.info("the bell works by=%s", "socket" if isinstance(self._line, socket.socket) else "notify")
        return True

    def close(self) -> None:
        line, self._line, self.works = self._line, None, False
        if line is not None:
            name = line.getsockname() if isinstance(line, socket.socket) else ""
            line.close()
            if name:
                with contextlib.suppress(OSError):
                    Path(name).unlink()

    def _hang_up(self) -> None:
        self._hang_up_from = time.monotonic() + _REOPEN_SECONDS
        if connection.vendor == "postgresql":
            import psycopg2  # 9 MB, which SQLite does not need

            self._line = psycopg2.connect(**connection.get_connection_params())
            self._line.autocommit = True
            self._line.cursor().execute(f"LISTEN {_CHANNEL}")
        else:
            self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._line.setblocking(False)
            _folder().mkdir(parents=True, exist_ok=True)
            self._line.bind(str(_folder() / uuid.uuid4().hex[:8]))
        ring_bells()

    def _take(self) -> bool:
        """Empties the line; whether there was a ring on it."""
        if isinstance(self._line, socket.socket):
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._line.recv(1)
            return True
        self._line.poll()
        rang = bool(self._line.notifies)
        self._line.notifies.clear()
        return rang
