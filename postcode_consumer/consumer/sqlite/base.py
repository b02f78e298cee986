"""Django's SQLite, but a transaction that waits for its turn to write looks for it every millisecond.

SQLite itself looks after ever longer pauses, up to 0.1 s, in which often nobody writes.
"""

import sqlite3
import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_PAUSE = 0.001


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module. It waits as long as the `timeout` of the connection says, in seconds."""

    def _start_transaction_under_autocommit(self) -> None:
        seconds = self.settings_dict["OPTIONS"]["timeout"]
        end = time.monotonic() + seconds
        self._set_busy_timeout(0)
        try:
            while not self._begin(is_last_try=time.monotonic() > end):
                time.sleep(_PAUSE)
        finally:
            self._set_busy_timeout(seconds)

    def _begin(self, *, is_last_try: bool) -> bool:
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # the stubs have it not
        except OperationalError as error:
            is_busy = getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            if is_last_try or not is_busy:
                raise
            return False
        return True

    def _set_busy_timeout(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
