"""The provider that needs no network: an index of the whole country on disk, which `build_index` writes."""

import logging
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookups.answers import Answer, Location, NoMatchReason, PostcodeDetails, no_match, this_day
from lookups.columns import NO_MATCH, NONE_WITHIN_MAX_DISTANCE, NOT_COVERED, Columns
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.index import file
from lookups.index.ellipsoid import Floats
from lookups.index.search import Index

logger = logging.getLogger(__name__)

#: Northern Ireland is inside these boxes (south, west, north, east), and no place of Great Britain is.
_NORTHERN_IRELAND = ((53.9, -8.3, 55.0, -5.4), (55.0, -8.3, 55.4, -5.92))
#: Degrees: whatever is farther east is more than 20 km from it (`candidates.REACH`), at any latitude of the country.
_OUT_OF_REACH = -5.0
#: Metres; a little less than any degree of latitude, or of longitude at the equator.
_METRES_A_DEGREE = 110_500.0

_Stamp = tuple[int, int, int]


class Edition(NamedTuple):
    """The name of the file that an index is from, how many postcodes it has, and the moment (UTC) when it was built."""

    source: str
    postcodes: int
    built_at: datetime


class Local:
    """The nearest postcode of the index in `folder`.

    An index that is built while the process runs is taken up at the next lookup; until it is loaded, and when it cannot
    be loaded, the old one answers. An index without Northern Ireland (Code-Point Open) gives no match where a postcode
    of Northern Ireland may be nearer than its own.
    """

    name = "local"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = str(folder / file.NAME)
        self._index: Index | None = None
        self._stamp: _Stamp | None = None
        self._why_missing = ""
        self._loading = threading.Lock()
        self._current()

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """See `Provider`. It takes milliseconds, so the deadline is not looked at."""
        index = self._usable()
        if not locations:
            return []
        latitudes = np.array([location.latitude for location in locations])
        longitudes = np.array([location.longitude for location in locations])
        return self._answers(index.places, locations, *_nearest(index, latitudes, longitudes, max_distance))

    def columns(self, latitudes: Floats, longitudes: Floats, max_distance: float, deadline: Deadline) -> Columns:
        """See `ColumnProvider`. Its places are those of the index that are the nearest ones, in the index's order."""
        index = self._usable()
        nearest, metres, found, uncovered = _nearest(index, latitudes, longitudes, max_distance)
        numbers, which = np.unique(nearest[found], return_inverse=True)
        details = index.places.details.take(numbers)
        areas, area = np.unique(details["area"], return_inverse=True)
        place = np.full(len(found), -1, "i4")
        place[found] = which
        return Columns(
            status=np.where(found, 0, NO_MATCH).astype("u1"),
            reason=np.where(found, 0, np.where(uncovered, NOT_COVERED, NONE_WITHIN_MAX_DISTANCE)).astype("u1"),
            distance=np.where(found, metres.round(2), np.nan),
            place=place,
            postcodes=np.ascontiguousarray(details["postcode"]),
            area=area.astype("u4"),
            areas=[index.places.area_names[number] for number in areas.tolist()],
        )

    def details_of(self, postcode: str, *, remembered: bool) -> PostcodeDetails | None:
        """See `Provider`. Of postcodes at one place, the index knows the first in the alphabet only."""
        index = self._usable()
        number = index.place_of(postcode)
        if number is None:
            return None
        latitude, longitude, _, area = index.places.details[number].item()
        outcode, incode = postcode.split()
        return PostcodeDetails(outcode, incode, *index.places.area_names[int(area)], latitude, longitude)

    def missing(self) -> str | None:
        """Why there is no index that could answer, and what helps; None when there is one."""
        return None if self._current() else self._why_missing

    def edition(self) -> "Edition | None":
        """Which index answers now; None when there is none."""
        index, stamp = self._current(), self._stamp
        if index is None or stamp is None:
            return None
        built_at = datetime.fromtimestamp(stamp[1] // 10**9, UTC)
        return Edition(index.places.source, index.places.postcodes, built_at)

    def _answers(
        self,
        places: file.Places,
        locations: Sequence[Location],
        nearest: file.PlaceNumbers,
        metres: Floats,
        found: NDArray[np.bool_],
        uncovered: NDArray[np.bool_],
    ) -> list[Answer]:
        day = this_day()
        details = places.details.take(nearest)
        text = b"\n".join(details["postcode"].tolist()).decode()
        halves = text.split()
        areas = details["area"].tolist()
        # All of it without a loop in Python, which would take half as long again.
        postcode_details = map(
            PostcodeDetails,
            halves[::2],
            halves[1::2],
            *(map(names.__getitem__, areas) for names in places.names),
            details["latitude"].tolist(),
            details["longitude"].tolist(),
        )
        answers = list(
            map(
                Answer,
                [location.latitude for location in locations],
                [location.longitude for location in locations],
                repeat("match"),
                repeat(None),
                text.split("\n"),
                metres.round(2).tolist(),
                postcode_details,
                repeat(self.name),
                repeat(day),
            )
        )
        for number in np.flatnonzero(~found).tolist():
            reason: NoMatchReason = "not_covered" if uncovered[number] else "none_within_max_distance"
            answers[number] = no_match(locations[number], reason, provider=self.name, looked_up_at=day)
        return answers

    def _usable(self) -> Index:
        index = self._current()
        if index is None:
            raise ProviderUnavailableError(self._why_missing)
        return index

    def _current(self) -> Index | None:
        """The newest index. The first thread that sees a new one loads it; the others go on with the old one."""
        stamp = _stamp(self._file)
        if self._index and stamp == self._stamp:
            return self._index
        if self._loading.acquire(blocking=self._index is None):
            try:
                # Another thread may have looked at it meanwhile.
                if stamp is None or stamp != self._stamp:
                    self._load(stamp)
            finally:
                self._loading.release()
        return self._index

    def _load(self, stamp: _Stamp | None) -> None:
        self._stamp = stamp
        try:
            places = file.load(self._folder)
        except file.IndexUnusableError as error:
            # Every caller is told: by the name of the setting, not by what is in it.
            why = str(error).replace(str(self._folder), "LOCAL_INDEX")
            if why != self._why_missing:
                logger.error("%s", error)  # noqa: TRY400 - the traceback says nothing more
            self._why_missing = why
            return
        self._index = Index(places)
        logger.info("index loaded places=%d", len(places.details))


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - every lookup asks, and a Path takes twice as long
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _nearest(
    index: Index, latitudes: Floats, longitudes: Floats, max_distance: float
) -> tuple[file.PlaceNumbers, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """As `Index.nearest`, but none where a postcode of Northern Ireland may be nearer that the index does not have.

    The last array says of which locations that may be.
    """
    nearest, metres, found = index.nearest(latitudes, longitudes, max_distance)
    uncovered = np.zeros(len(found), bool)
    if not index.places.has_northern_ireland and longitudes.min() < _OUT_OF_REACH:
        beyond = _metres_to_northern_ireland(latitudes, longitudes)
        found &= metres <= beyond
        uncovered = ~found & (beyond <= max_distance)
    return nearest, metres, found, uncovered


def _metres_to_northern_ireland(latitudes: Floats, longitudes: Floats) -> Floats:
    """At most as far as it is; 0 inside."""
    nearest = np.full(len(latitudes), np.inf)
    for south, west, north, east in _NORTHERN_IRELAND:
        up = np.maximum(0, np.maximum(south - latitudes, latitudes - north))
        # The farther north of the two, the shorter a degree of longitude.
        along = np.maximum(0, np.maximum(west - longitudes, longitudes - east)) * np.cos(
            np.radians(np.maximum(latitudes, north))
        )
        nearest = np.minimum(nearest, np.hypot(up, along) * _METRES_A_DEGREE)
    return nearest
