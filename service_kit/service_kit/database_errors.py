"""What an error of the database says about the database, not about the statement that it was given."""

import sqlite3

from django.db import DatabaseError, Error, InterfaceError, OperationalError

_PG_DISK_FULL = "53100"


def database_is_full(error: Error) -> bool:
    """Whether the database has refused to write because its disk is full."""
    return _sqlite_code(error) == sqlite3.SQLITE_FULL or getattr(error.__cause__, "pgcode", None) == _PG_DISK_FULL


def database_is_away(error: Exception) -> bool:
    """The database is away, or cannot write just now: nobody's fault, and no reason to count an attempt.

    psycopg2 also raises plain DatabaseError when the server ends the connection; its other subclasses are faults.
    """
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def statement_is_wrong(error: Error) -> bool:
    """Whether SQLite, which has one exception for both, complains of the statement and not of its own state."""
    return _sqlite_code(error) == sqlite3.SQLITE_ERROR


def _sqlite_code(error: Error) -> int | None:
    return getattr(error.__cause__, "sqlite_errorcode", None)
