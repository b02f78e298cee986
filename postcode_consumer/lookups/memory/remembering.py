"""The provider that asks an upstream about a location once, and remembers the finding, for all processes.

A location that upstream refuses is not remembered. That says something about the server of today rather than about the
place, and a failed row is put back to work so that it is asked again.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from lookups import counters
from lookups.answers import Answer, Location, PostcodeDetails
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.findings import Finding
from lookups.memory import claims
from lookups.memory import known_locations as memory
from lookups.memory.claims import Claims
from lookups.memory.writer import Keeper, attempt
from lookups.models import KnownLocation
from lookups.provider import Upstream

#: Seconds between two looks at what another lookup is asking about. They grow, so that a long wait costs little.
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 1.0
#: A finding that has this share of its time left is asked again if somebody wants it meanwhile.
LAST_PART = 0.1
#: Locations that are asked again at once, and how long that may take, in seconds.
REFRESHED_AT_ONCE, REFRESH_SECONDS = 100, 60.0


class Remembering:
    """See the module. Matches that are older than `ttl` seconds, and misses than `ttl_of_misses`, are asked again.

    Raises `django.db.Error` when known locations or claims cannot be read: without them, upstream would be asked again
    and again. When findings cannot be written, that is logged and the answers are given.
    """

    def __init__(self, upstream: Upstream, *, ttl: int, ttl_of_misses: int) -> None:
        self.name = upstream.name
        self._upstream = upstream
        self._ttl = ttl
        self._ttl_of_misses = ttl_of_misses
        self._keeper = Keeper(upstream.name, ttl=max(ttl, ttl_of_misses))

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """See `Provider`."""
        known = self._recall(locations)
        missing = _missing(locations, known, max_distance)
        self._count_remembered(len(locations) - len(missing), known, max_distance)
        wait = SHORTEST_WAIT
        while missing:
            asked = self._ask_unclaimed(missing, known, max_distance, deadline)
            others = [location for location in missing if location not in asked]
            if not asked:
                _sleep(wait, deadline)
                wait = min(wait * 1.5, LONGEST_WAIT)
                claims.drop_expired()
            known.update(self._recall(others))
            missing = _missing(others, known, max_distance)
            counters.WAITED.labels(self.name).inc(len(others) - len(missing))
        return [known[location].answer(location, max_distance, provider=self.name) for location in locations]

    def refresh(self, is_over: Callable[[], bool]) -> int:
        """Asks again what somebody wanted in the last tenth of its time, a hundred at once; returns how many.

        To the reach of the first search, so that nobody who asked before gets less. Raises `ProviderUnavailableError`.
        """
        count = 0
        while not is_over() and (first := memory.wanted(self.name).first()):
            rows = list(memory.wanted(self.name).filter(searched_m=first.searched_m)[:REFRESHED_AT_ONCE])
            mine = Claims(self.name)
            try:
                # What is claimed is being asked by a lookup, and new in a moment.
                taken = mine.take([Location(row.latitude, row.longitude) for row in rows])
                if taken:
                    self._ask(taken, {}, first.searched_m, Deadline(REFRESH_SECONDS), mine)
            finally:
                self._keeper.release(mine.owner)
            # Also what upstream refuses: it would be asked for ever.
            KnownLocation.objects.filter(pk__in=[row.pk for row in rows]).update(wanted=False)
            count += len(taken)
        return count

    def wanted(self) -> int:
        """How many locations `refresh` would ask about."""
        return memory.wanted(self.name).count()

    def details_of(self, postcode: str, *, remembered: bool) -> PostcodeDetails | None:
        """See `Provider`: what was said about it the last time, however long ago that is."""
        return memory.details_of(postcode) if remembered else None

    def close(self) -> None:
        """Close the upstream, and write what waits to be written."""
        self._upstream.close()
        self._keeper.close()

    def _recall(self, locations: Sequence[Location]) -> dict[Location, Finding]:
        now = int(time.time())
        matches_after, misses_after = now - self._ttl, now - self._ttl_of_misses
        known = memory.recall(self.name, locations, matches_after=matches_after, misses_after=misses_after)
        fading = (matches_after + LAST_PART * self._ttl, misses_after + LAST_PART * self._ttl_of_misses)
        self._keeper.want(
            [place for place, found in known.items() if found.looked_up_at < fading[found.nearest is None]]
        )
        return known

    def _ask_unclaimed(
        self, missing: Sequence[Location], known: dict[Location, Finding], max_distance: float, deadline: Deadline
    ) -> frozenset[Location]:
        """Has `known` answer those of the locations that no other lookup is asking about, and returns these."""
        mine = Claims(self.name)
        taken = mine.take(missing)
        if not taken:
            return frozenset()
        try:
            # Another lookup may have remembered it, and let go of it, since we looked.
            known.update(self._recall(taken))
            asked = _missing(taken, known, max_distance)
            counters.WAITED.labels(self.name).inc(len(taken) - len(asked))
            if asked:
                self._ask(asked, known, max_distance, deadline, mine)
        finally:
            self._keeper.release(mine.owner)
        return frozenset(taken)

    def _ask(
        self,
        locations: Sequence[Location],
        known: dict[Location, Finding],
        max_distance: float,
        deadline: Deadline,
        mine: Claims,
    ) -> None:
        """Asks upstream, and remembers what it says as it comes: then it is not lost with this lookup or process."""
        searched = {location: known[location].searched if location in known else 0 for location in locations}
        with contextlib.closing(self._upstream.search(searched, max_distance, deadline)) as pieces:
            for findings in pieces:
                known.update(findings)
                self._keeper.keep({place: found for place, found in findings.items() if not found.is_refused})
                attempt("the claims may expire", mine.renew)

    def _count_remembered(self, count: int, known: Mapping[Location, Finding], max_distance: float) -> None:
        matches = sum(1 for finding in known.values() if finding.nearest)
        counters.REMEMBERED.labels(self.name, "match").inc(matches)
        counters.REMEMBERED.labels(self.name, "no_match").inc(count - matches)


def _missing(locations: Iterable[Location], known: Mapping[Location, Finding], max_distance: float) -> list[Location]:
    return [
        location
        for location in locations
        if (finding := known.get(location)) is None or not finding.is_final(max_distance)
    ]


def _sleep(seconds: float, deadline: Deadline) -> None:
    if not deadline.remaining():
        raise ProviderUnavailableError("Another lookup of the same locations did not end in time.")
    time.sleep(min(seconds, deadline.remaining()))
