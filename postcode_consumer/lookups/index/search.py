"""The nearest place: a k-d tree of earth-centred coordinates, and exact distances where two are nearly equal."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from lookups.index.ellipsoid import Floats, distances, earth_centred
from lookups.index.file import PlaceNumbers, Places

#: Metres; distances that differ by less are the same: rounding errors are a hundredth of it.
SAME_DISTANCE = 1e-6
# Metres. The tree orders by chords. Up to 20 km, the nearer of two places can have the longer chord by 0.05 mm, because
# the earth is not equally curved in all directions.
_NEARLY_EQUAL = 1e-3
# Large leaves: less memory and a quicker start. Between 16 and 48 the speed is the same.
_LEAF_SIZE = 32


class Index:
    """Answers for many threads at once: the tree is searched without the interpreter's lock."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._tree = cKDTree(places.positions, leafsize=_LEAF_SIZE, copy_data=False)

    def nearest(
        self, latitudes: Floats, longitudes: Floats, max_distance: float
    ) -> tuple[PlaceNumbers, Floats, NDArray[np.bool_]]:
        """The nearest place to each location: its number, its distance in metres, and whether there is one.

        Degrees; places are looked for up to `max_distance` metres, inclusive. Of those at one distance it is the one
        whose postcode is the first in the alphabet.
        """
        here = earth_centred(latitudes, longitudes)
        # A chord is never longer than the arc.
        chords, numbers = self._tree.query(here, k=2, distance_upper_bound=max_distance + 2 * _NEARLY_EQUAL)
        found = np.isfinite(chords[:, 0])
        nearest = np.where(found, numbers[:, 0], 0)
        metres = distances(here, self.places.positions[nearest])
        for location in np.flatnonzero(found & (chords[:, 1] <= chords[:, 0] + _NEARLY_EQUAL)):
            nearest[location], metres[location] = self._exactly_nearest(here[location], chords[location, 0])
        return nearest, metres, found & (metres <= max_distance + SAME_DISTANCE)

    def _exactly_nearest(self, here: Floats, shortest_chord: float) -> tuple[int, float]:
        numbers = np.array(self._tree.query_ball_point(here, shortest_chord + _NEARLY_EQUAL))
        metres = distances(here, self.places.positions[numbers])
        equals = np.flatnonzero(metres <= metres.min() + SAME_DISTANCE)
        first = equals[np.argmin(self._alphabetical(numbers[equals]))]
        return numbers[first], metres[first]

    def _alphabetical(self, numbers: PlaceNumbers) -> NDArray[np.uint64]:
        """Numbers that are ordered as the postcodes are: their eight bytes, the first one first."""
        return np.ascontiguousarray(self.places.details["postcode"][numbers]).view(">u8")
