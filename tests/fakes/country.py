"""A small country for tests: a few thousand postcodes, strewn with a fixed seed, and files of locations in it."""

import math
import random
from collections.abc import Iterator

from postcodes_io_data import Postcode

Location = tuple[float, float]

_SOUTH, _NORTH, _WEST, _EAST = 51.0, 52.0, -1.5, 0.0
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_EARTH_RADIUS = 6_371_008.8


def _postcodes(count: int) -> list[Postcode]:
    rng = random.Random(20)
    made = {}
    while len(made) < count:
        outcode = f"{rng.choice(_LETTERS)}{rng.choice(_LETTERS)}{rng.randint(1, 20)}"
        name = f"{outcode} {rng.randint(1, 9)}{rng.choice(_LETTERS)}{rng.choice(_LETTERS)}"
        made[name] = Postcode(
            name,
            round(rng.uniform(_SOUTH, _NORTH), 6),
            round(rng.uniform(_WEST, _EAST), 6),
            names={"region": "South East", "admin_district": f"District {outcode}", "admin_ward": "Ward, with a comma"},
        )
    return list(made.values())


POSTCODES = _postcodes(3_000)
_BY_CELL: dict[tuple[int, int], list[Postcode]] = {}
for _postcode in POSTCODES:
    _cell = (math.floor(_postcode.latitude * 20), math.floor(_postcode.longitude * 20))
    _BY_CELL.setdefault(_cell, []).append(_postcode)


def _metres(one: Location, other: Location) -> float:
    """Great-circle distance by the haversine formula, on a sphere: right to 0.5 %."""
    south_north = math.sin(math.radians(other[0] - one[0]) / 2) ** 2
    east_west = math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    chord = south_north + math.cos(math.radians(one[0])) * math.cos(math.radians(other[0])) * east_west
    return 2 * _EARTH_RADIUS * math.asin(math.sqrt(chord))


def expected(location: Location, max_distance: float = 2_000.0) -> set[str]:
    """The postcodes that are right for a location; empty: no match. Several where the sphere cannot tell."""
    row, column = math.floor(location[0] * 20), math.floor(location[1] * 20)
    near = [
        (_metres(location, (postcode.latitude, postcode.longitude)), postcode.postcode)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        for postcode in _BY_CELL.get((row + dy, column + dx), ())
    ]
    nearest = min(near, default=(math.inf, ""))[0]
    if nearest > max_distance * 1.005:
        return set()
    found = {name for distance, name in near if distance <= nearest * 1.01}
    # Within half a per cent of the limit, both answers are right.
    return found | ({""} if nearest > max_distance * 0.995 else set())


def locations(count: int, *, seed: int = 1) -> Iterator[Location]:
    """Locations as files have them: a quarter said before, some at 0,0, some abroad, the others in the country."""
    rng = random.Random(seed)
    said: list[Location] = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.25 and said:
            yield rng.choice(said)
        elif kind < 0.255:
            yield 0.0, 0.0
        elif kind < 0.26:
            yield round(rng.uniform(-52, -40), 6), round(rng.uniform(-75, -65), 6)
        else:
            location = round(rng.uniform(_SOUTH, _NORTH), 6), round(rng.uniform(_WEST, _EAST), 6)
            if len(said) < 10_000:
                said.append(location)
            yield location


def some_of(content: bytes, count: int, *, seed: int = 1) -> set[Location]:
    """Locations of such a file that lie in the country."""
    fields = (line.split(b",")[1:3] for line in content.splitlines()[1:])
    there = sorted({(float(lat), float(lon)) for lat, lon in fields} - {(0.0, 0.0)})
    inside = [location for location in there if _SOUTH <= location[0] <= _NORTH]
    return set(random.Random(seed).sample(inside, count))


def csv_of(count: int, *, seed: int = 1) -> bytes:
    """A file of that many rows, with a column of its own in front and one behind."""
    lines = ["id,lat,lon,note"]
    lines += [
        f'{number},{lat},{lon},"note, {number}"' for number, (lat, lon) in enumerate(locations(count, seed=seed), 1)
    ]
    return ("\n".join(lines) + "\n").encode()
