"""Where the country is: the one box that all know."""

from typing import Any

#: Degrees. Every UK postcode lies inside, from the Isles of Scilly (49.86 N) to Unst (60.86 N), from St Kilda (8.6 W)
#: to Lowestoft (1.77 E), and so does every place within 20 km of one, the largest distance that can be asked for. The
#: box also contains parts of Ireland and France, of which the provider knows more. 0,0 is outside: a receiver without a
#: fix often reports it.
SOUTH, NORTH = 49.0, 61.5
WEST, EAST = -9.5, 2.6


def is_inside(latitudes: Any, longitudes: Any) -> Any:
    """Whether these degrees are in the box; also for whole arrays."""
    return (latitudes >= SOUTH) & (latitudes <= NORTH) & (longitudes >= WEST) & (longitudes <= EAST)
