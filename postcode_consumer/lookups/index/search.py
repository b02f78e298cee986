"""The nearest place: the candidates of a location's cell are measured, exactly where two are nearly equal."""

import numpy as np
from numpy.typing import NDArray

from lookups.country import is_inside
from lookups.index.ellipsoid import Floats, distances, earth_centred
from lookups.index.file import PlaceNumbers, Places

#: Metres; distances that differ by less are the same: rounding errors are a hundredth of it.
SAME_DISTANCE = 1e-6
#: Metres. Chords are compared first. Up to 20 km, the nearer of two places can have the longer chord by 0.05 mm: the
#: earth is not equally curved in all directions.
_NEARLY_EQUAL = 1e-3


class Index:
    """Answers for many threads at once, out of `places`, which it only reads."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def nearest(
        self, latitudes: Floats, longitudes: Floats, max_distance: float
    ) -> tuple[PlaceNumbers, Floats, NDArray[np.bool_]]:
        """The nearest place to each location: its number, its distance in metres, and whether there is one.

        Degrees; places are looked for up to `max_distance` metres, inclusive, at most 20 km (`candidates.REACH`), and
        none for locations outside the country. Of those at one distance it is the one whose postcode is the first in
        the alphabet.
        """
        inside = is_inside(latitudes, longitudes)
        if not inside.all():
            return self._where(inside, latitudes, longitudes, max_distance)
        here = earth_centred(latitudes, longitudes)
        starts, counts = self.places.grid.find(latitudes, longitudes)
        # All candidates of all locations in a row, `which` location each belongs to, and where those of each begin.
        ends = np.cumsum(counts)
        firsts = ends - counts
        which = np.repeat(np.arange(len(counts)), counts)
        numbers = self.places.grid.lists.take(np.arange(len(which)) + (starts - firsts)[which])
        lines = self.places.positions.take(numbers, axis=0)
        lines -= here.take(which, axis=0)
        squares = np.einsum("ij,ij->i", lines, lines)
        limits = (np.sqrt(np.minimum.reduceat(squares, firsts)) + _NEARLY_EQUAL) ** 2
        near = np.flatnonzero(squares <= limits[which])
        nearest, which = numbers[near].astype(np.intp), which[near]
        metres = distances(here[which], self.places.positions[nearest])
        if len(nearest) > len(here):
            chosen = self._first_of_equals(which, nearest, metres)
            nearest, metres = nearest[chosen], metres[chosen]
        return nearest, metres, metres <= max_distance + SAME_DISTANCE

    def place_of(self, postcode: str) -> int | None:
        """The number of a place that has this postcode, spaced as `DETAILS` has it; None when there is none."""
        found = np.flatnonzero(self.places.details["postcode"] == postcode.encode())
        return int(found[0]) if len(found) else None

    def _where(
        self, inside: NDArray[np.bool_], latitudes: Floats, longitudes: Floats, max_distance: float
    ) -> tuple[PlaceNumbers, Floats, NDArray[np.bool_]]:
        """Only those that are inside are looked up."""
        nearest, metres, found = np.zeros(len(inside), np.intp), np.full(len(inside), np.inf), np.zeros_like(inside)
        if inside.any():
            nearest[inside], metres[inside], found[inside] = self.nearest(
                latitudes[inside], longitudes[inside], max_distance
            )
        return nearest, metres, found

    def _first_of_equals(self, which: PlaceNumbers, numbers: PlaceNumbers, metres: Floats) -> PlaceNumbers:
        """For each location, which of its nearly equal candidates is the nearest, and of those the alphabet's first."""
        least = np.minimum.reduceat(metres, np.flatnonzero(np.diff(which, prepend=-1)))
        equals = np.flatnonzero(metres <= least[which] + SAME_DISTANCE)
        # The eight bytes of a postcode, the first one first, are a number that is ordered as postcodes are.
        alphabetical = np.ascontiguousarray(self.places.details["postcode"][numbers[equals]]).view(">u8")
        equals = equals[np.lexsort((alphabetical, which[equals]))]
        return equals[np.flatnonzero(np.diff(which[equals], prepend=-1))]
