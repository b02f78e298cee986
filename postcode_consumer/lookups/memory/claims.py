"""Claims on locations that are being asked about, so that no two lookups ask the same: statements for both databases.

A lookup claims the locations that are not claimed, asks about them, remembers the findings, and lets go of them all. It
never waits for others while it has claims of its own, so no two lookups can wait for each other. The claims of a
process that died end by themselves.
"""

import secrets
import time
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from lookups.answers import Location
from lookups.memory.sql import filled, query_of

#: Seconds that a claim is good for when it is not renewed.
CLAIM_SECONDS = 15.0

#: In the order of the keys, and without a lock on the rows of others: no two lookups wait for each other.
_TAKE = """
WITH wanted (latitude, longitude) AS ({rows})
INSERT INTO lookups_claim (latitude, longitude, provider, owner, until)
SELECT latitude, longitude, %s, %s, {now} + %s FROM wanted WHERE true
ON CONFLICT DO NOTHING
RETURNING latitude, longitude
"""
_RENEW = "UPDATE lookups_claim SET until = {now} + %s WHERE owner = %s"
_RELEASE = "DELETE FROM lookups_claim WHERE owner = %s"
#: A claim that ends later than any can is one from before the clock was set back.
_DROP = {
    "sqlite": "DELETE FROM lookups_claim WHERE until < {now} OR until > {now} + %s + 1",
    # A claim that is locked is being renewed or dropped.
    "postgresql": """
DELETE FROM lookups_claim WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM lookups_claim WHERE until < {now} OR until > {now} + %s + 1 FOR UPDATE SKIP LOCKED))
""",
}


class Claims:
    """Those of one lookup, which is their `owner`."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.owner = secrets.randbits(63)
        self._renewed = time.monotonic()

    def take(self, locations: Iterable[Location]) -> list[Location]:
        """Claims those of the locations that are not claimed, and returns these."""
        rows, values = query_of(
            sorted((location.latitude, location.longitude) for location in locations), ("float8", "float8")
        )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(filled(_TAKE, rows=rows), [*values, self._provider, self.owner, CLAIM_SECONDS])
            return [Location(latitude, longitude) for latitude, longitude in cursor.fetchall()]

    def renew(self) -> None:
        """They are good for longer, when a third of their time is over."""
        if time.monotonic() - self._renewed > CLAIM_SECONDS / 3:
            _execute(_RENEW, [(CLAIM_SECONDS, self.owner)])
            self._renewed = time.monotonic()


def release(owners: Sequence[int]) -> None:
    """Lets go of all claims of these owners."""
    _execute(_RELEASE, [(owner,) for owner in owners])


def drop_expired() -> None:
    """Removes the claims of processes that died."""
    _execute(_DROP[connection.vendor], [(CLAIM_SECONDS,)])


def _execute(statement: str, values: Sequence[tuple[float, ...]]) -> None:
    """Executes it in one transaction, once for each of the values."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(filled(statement), values)
