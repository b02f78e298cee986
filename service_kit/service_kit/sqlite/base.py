"""Django's SQLite, but a transaction queues for the lock at its start, and looks for it every other millisecond.

At its start, waiting is harmless: it never fails half-way. SQLite itself looks after ever longer pauses, up to 0.1 s,
in which often nobody writes.
"""

import sqlite3
import time

from django.db.backends.sqlite3 import base
from django.db.backends.utils import debug_transaction

_PAUSE = 0.002


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module. It waits as long as the `timeout` of the connection says, in seconds."""

    def _start_transaction_under_autocommit(self) -> None:
        seconds = self.settings_dict["OPTIONS"]["timeout"]
        end = time.monotonic() + seconds
        # Not by a cursor of Django's, whose errors cost as much as everything else here.
        with debug_transaction(self, "BEGIN IMMEDIATE"), self.wrap_database_errors:
            self._set_busy_timeout(0)
            try:
                while not self._begin(is_last_try=time.monotonic() > end):
                    time.sleep(_PAUSE)
            finally:
                self._set_busy_timeout(seconds)

    def _begin(self, *, is_last_try: bool) -> bool:
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_last_try or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _set_busy_timeout(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
