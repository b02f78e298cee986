"""Positions and distances on the WGS 84 ellipsoid, for whole arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Metres; the equatorial and the polar radius.
_A = 6_378_137.0
_B = _A * (1 - 1 / 298.257223563)
_E2 = 1 - (_B / _A) ** 2
#: The ellipsoid is where the squares of the coordinates, times these, add up to 1.
_QUADRIC = np.array([_A**-2, _A**-2, _B**-2])


def earth_centred(latitudes: Any, longitudes: Any) -> Floats:
    """Degrees → metres from the earth's centre; shape (n, 3)."""
    phi, lam = np.radians(latitudes), np.radians(longitudes)
    sine, cosine = np.sin(phi), np.cos(phi)
    normal = _A / np.sqrt(1 - _E2 * sine * sine)
    positions = np.empty((len(phi), 3))
    positions[:, 0] = normal * cosine * np.cos(lam)
    positions[:, 1] = normal * cosine * np.sin(lam)
    positions[:, 2] = normal * (1 - _E2) * sine
    return positions


def distances(here: Floats, there: Floats) -> Floats:
    """Geodesic distances in metres between earth-centred positions; shapes (n, 3) or (3,).

    An arc of curvature k over the chord c is c + k² c³ / 24 long. The curvature is that of the ellipsoid half-way, in
    the chord's direction. Up to 20 km it is within 0.02 µm of the geodesic, up to 50 km within 2 µm.
    """
    chord = there - here
    normal = (here + there) / 2 * _QUADRIC
    length = np.sqrt(_dot(chord, chord))
    bend = _dot(chord * chord, _QUADRIC) / np.sqrt(_dot(normal, normal))  # k c²
    result: Floats = length + bend * bend / (24 * np.maximum(length, 1e-9))
    return result


def _dot(left: Floats, right: Floats) -> Floats:
    result: Floats = np.einsum("...i,...i->...", left, right)
    return result
