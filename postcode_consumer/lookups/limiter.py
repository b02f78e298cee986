"""The row that spaces the calls of all processes (generic cell rate algorithm): statements for SQLite and PostgreSQL.

The clock is the database's, so that machines need not agree on the time. When that clock was set back, what the row
says is about a time that will come again much later: the row starts anew.
"""

from typing import NamedTuple

from django.db import connection, transaction

#: Seconds; smaller steps back are the clock's usual corrections, and only lengthen a wait.
CLOCK_TOLERANCE = 30.0

_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
}
_GREATEST = {"sqlite": "max", "postgresql": "greatest"}

# `excluded` is the row as it would be if it were the first one: as if nobody had called yet, or the clock were new.
_CLOCK_WAS_SET_BACK = "kept.seen_at > excluded.seen_at + %(tolerance)s"

# The condition at the end keeps a reservation that nobody would wait for from being made: otherwise callers that give
# up and come back would push the next free moment ever further.
_RESERVE = """
INSERT INTO lookups_limiter AS kept (name, free_at, paused_until, seen_at)
SELECT %(name)s, clock.now + %(interval)s, 0, clock.now FROM (SELECT {now} AS now) AS clock WHERE true
ON CONFLICT (name) DO UPDATE SET
    free_at = CASE WHEN {set_back} THEN excluded.free_at
                   ELSE {greatest}(kept.free_at + %(interval)s, excluded.free_at) END,
    paused_until = CASE WHEN {set_back} THEN 0 ELSE kept.paused_until END,
    seen_at = excluded.seen_at
WHERE kept.free_at <= excluded.seen_at + %(longest_wait)s OR {set_back}
RETURNING seen_at, free_at - %(interval)s - seen_at
"""
_PAUSE = """
INSERT INTO lookups_limiter AS kept (name, free_at, paused_until, seen_at)
SELECT %(name)s, clock.now + %(seconds)s, clock.now + %(seconds)s, clock.now
FROM (SELECT {now} AS now) AS clock WHERE true
ON CONFLICT (name) DO UPDATE SET
    free_at = CASE WHEN {set_back} THEN excluded.free_at ELSE {greatest}(kept.free_at, excluded.free_at) END,
    paused_until = CASE WHEN {set_back} THEN excluded.paused_until
                        ELSE {greatest}(kept.paused_until, excluded.paused_until) END,
    seen_at = excluded.seen_at
"""
_WAITS = "SELECT free_at - {now}, paused_until - {now} FROM lookups_limiter WHERE name = %(name)s"


class Reservation(NamedTuple):
    """The right to make one call `wait` seconds after `made_at` (the database's Unix time)."""

    made_at: float
    wait: float


def reserve(*, name: str, interval: float, longest_wait: float) -> Reservation | None:
    """Reserves the next free moment; None, and nothing is reserved, when it is more than `longest_wait` seconds away.

    `interval` is the least time between two calls, in seconds.
    """
    values: dict[str, str | float] = {
        "name": name,
        "interval": interval,
        "longest_wait": longest_wait,
        "tolerance": CLOCK_TOLERANCE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_sql(_RESERVE), values)
        row = cursor.fetchone()
    return Reservation(made_at=row[0], wait=max(0.0, row[1])) if row else None


def pause(*, name: str, seconds: float) -> None:
    """Nobody may call for `seconds`. A pause is never shortened."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_sql(_PAUSE), {"name": name, "seconds": seconds, "tolerance": CLOCK_TOLERANCE})


def waits(*, name: str) -> tuple[float, float]:
    """Seconds until the next free moment, and until the pause is over; zero when they are past."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(_WAITS), {"name": name})
        row = cursor.fetchone() or (0.0, 0.0)
    return max(0.0, row[0]), max(0.0, row[1])


def _sql(statement: str) -> str:
    vendor = connection.vendor
    return statement.format(now=_NOW[vendor], greatest=_GREATEST[vendor], set_back=_CLOCK_WAS_SET_BACK)
