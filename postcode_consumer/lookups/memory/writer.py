"""Findings are written to the database by one thread of each process: no answer waits for it.

That thread writes at once what came while it was writing. A transaction costs the pages that it changes, and several
lookups change much the same ones; and SQLite lets one write at a time, and has the others look again after a pause.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from lookups import call_minutes, counters
from lookups.answers import Location
from lookups.findings import Finding
from lookups.memory import claims
from lookups.memory import known_locations as memory

logger = logging.getLogger(__name__)

#: Lookups whose findings wait to be written, at most; the next one waits. And how many are written at once.
MOST_WAITING, MOST_AT_ONCE = 32, 4
#: Seconds between two looks for locations that are too old, and how many of them are forgotten at a time.
PRUNE_EVERY, PRUNE_LIMIT = 60.0, 1_000
#: Seconds.
MINUTE = 60.0
#: Seconds that what waits has to be written when the process ends.
LONGEST_END = 10.0


class _Found(NamedTuple):
    """What a lookup found, the owner of its claims when it is done with them, and what it wanted that is nearly too
    old."""

    findings: Mapping[Location, Finding]
    owner: int | None
    wanted: Sequence[Location] = ()


class Keeper:
    """Keeps the findings of one provider, and then lets go of the claims: until then, no lookup asks again.

    Findings that are older than `ttl` seconds are forgotten by and by. When the database cannot keep something,
    that is logged and counted. The instance owns a thread: `close` it.
    """

    def __init__(self, provider: str, *, ttl: int) -> None:
        self._provider = provider
        for counter in (counters.NOT_REMEMBERED, counters.WAITED):
            counter.labels(provider)  # shown as 0 before anything has happened
        self._ttl = ttl
        self._prune_at = 0.0
        self._waiting: queue.Queue[_Found | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name=f"{provider}-keeper", daemon=True)
        self._thread.start()

    def keep(self, findings: Mapping[Location, Finding]) -> None:
        """Has it written soon."""
        if findings:
            self._waiting.put(_Found(findings, None))

    def release(self, owner: int) -> None:
        """Has the claims of that owner end when all that was found before is written."""
        self._waiting.put(_Found({}, owner))

    def want(self, locations: Sequence[Location]) -> None:
        """Has it noted that somebody asked about these, which are nearly too old."""
        if locations:
            self._waiting.put(_Found({}, None, locations))

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join(LONGEST_END)

    def _run(self) -> None:
        is_over = False
        while not is_over:
            found: list[_Found | None] = []
            with contextlib.suppress(queue.Empty):
                # What was counted is written when its minute is over, though nobody asks any more.
                found.append(self._waiting.get(timeout=MINUTE if call_minutes.is_any_unwritten() else None))
                while len(found) < MOST_AT_ONCE:
                    found.append(self._waiting.get_nowait())
            is_over = None in found
            self._write([one for one in found if one])
            attempt("the minutes of calls wait", call_minutes.write)
        attempt("the last minute of calls is lost", lambda: call_minutes.write(is_last=True))
        connection.close()

    def _write(self, found: Sequence[_Found]) -> None:
        if not self._remember(_newest([one.findings for one in found])):
            # The connection may have died since, and is a new one now. And what one of them has must not take away the
            # others.
            for one in found:
                if not self._remember(one.findings):
                    logger.error("what was found could not be kept locations=%d", len(one.findings))
                    counters.NOT_REMEMBERED.labels(self._provider).inc(len(one.findings))
        if wanted := {location for one in found for location in one.wanted}:
            attempt("nothing is noted as wanted", lambda: memory.want(self._provider, wanted))
        if owners := [one.owner for one in found if one.owner is not None]:
            attempt("the claims stay until they expire", lambda: claims.release(owners))
        if time.monotonic() > self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_EVERY
            attempt("nothing is pruned", self._prune)

    def _remember(self, findings: Mapping[Location, Finding]) -> bool:
        return attempt("nothing is kept yet", lambda: memory.remember(self._provider, findings))

    def _prune(self) -> None:
        if memory.prune(before=int(time.time()) - self._ttl, limit=PRUNE_LIMIT) == PRUNE_LIMIT:
            self._prune_at = 0.0


def _newest(several: Sequence[Mapping[Location, Finding]]) -> Mapping[Location, Finding]:
    """All of them; of what two lookups found, as one of them stood still, what the database would keep."""
    newest: dict[Location, Finding] = {}
    for findings in several:
        for location, finding in findings.items():
            if (other := newest.get(location)) is None or finding.is_as_new_as(other):
                newest[location] = finding
    return newest


def attempt(what: str, work: Callable[[], object]) -> bool:
    """Does it; False when the database fails or does not take it, which is logged with what follows from it."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the errors of its driver, too; and the thread has more to do
        logger.warning("database trouble, %s: %r", what, error)
        connection.close_if_unusable_or_obsolete()
        return False
    return True
