"""Letters and figures for a square or a cell: its centre is taken, and its size is known."""

import re

from uploads.reading.notations.grids import (
    IRISH_GRID,
    SQUARE_METRES,
    british,
    irish_square_corner,
    on_grid,
    square_corner,
)
from uploads.reading.notations.located import Located, checked
from uploads.reading.notations.texts import MISSING, bare

#: TQ 29090 79645, TQ2979, J 338 743: the letters of a square of 100 km, then half of the figures east, half north.
_REFERENCE = re.compile(r"([A-HJ-Z]{1,2})\s?(?:(\d{1,5})\s(\d{1,5})|((?:\d\d){1,5}))", re.ASCII | re.IGNORECASE)
_GEOHASH = re.compile("[0-9b-hjkmnp-z]{1,12}", re.IGNORECASE)
_BITS = {letter: number for number, letter in enumerate("0123456789bcdefghjkmnpqrstuvwxyz")}
_METRES_A_DEGREE = 111_320


def read_grid_reference(text: str) -> Located:
    """The centre of the square. Two letters are of the British National Grid, one is of the Irish Grid."""
    text = bare(text)
    if text.lower() in MISSING:
        return "coordinates_missing"
    if (parts := _parts(text)) is None:
        return "not_a_reference"
    letters, easting, northing = parts
    size = 10 ** (5 - len(easting))
    corner = square_corner(letters) if len(letters) == 2 else irish_square_corner(letters)
    if corner is None:
        return "not_a_reference"
    east, north = (corner[axis] + (int(part) + 0.5) * size for axis, part in enumerate((easting, northing)))
    return british(east, north) if len(letters) == 2 else on_grid(IRISH_GRID, east, north)


def square_of_reference(text: str) -> float | None:
    """How long the sides of its square are, in metres."""
    parts = _parts(bare(text))
    return parts and SQUARE_METRES / 10 ** len(parts[1])


def _parts(text: str) -> tuple[str, str, str] | None:
    if (found := _REFERENCE.fullmatch(text)) is None:
        return None
    half = len(found[4] or "") // 2
    easting, northing = found[2] or found[4][:half], found[3] or found[4][half:]
    return (found[1], easting, northing) if len(easting) == len(northing) else None


def read_geohash(text: str) -> Located:
    """The centre of the cell."""
    text = bare(text).lower()
    if text in MISSING:
        return "coordinates_missing"
    if not _GEOHASH.fullmatch(text):
        return "not_a_reference"
    at, half = _cell(text)
    # No more digits than the cell is wide.
    digits = max(0, 1 - int(f"{min(half):e}".partition("e")[2]))
    return checked(round(at[1], digits), round(at[0], digits))


def cell_of_geohash(text: str) -> float | None:
    """How long the longer side of its cell is, in metres, at the equator."""
    text = bare(text).lower()
    return 2 * max(_cell(text)[1]) * _METRES_A_DEGREE if _GEOHASH.fullmatch(text) else None


def _cell(text: str) -> tuple[list[float], list[float]]:
    """Centre and half of the extent, in degrees, of longitude and latitude: each bit halves one of them, in turn."""
    at, half = [0.0, 0.0], [180.0, 90.0]
    axis = 0
    for letter in text:
        for bit in (16, 8, 4, 2, 1):
            half[axis] /= 2
            at[axis] += half[axis] if _BITS[letter] & bit else -half[axis]
            axis = 1 - axis
    return at, half
