"""Places as files have them: hand-written ones of the whole country, and as many around them as a test wants."""

import csv
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from uploads.reading.other_readings import on_grid

Location = tuple[float, float]
_GAZETTEER = Path(__file__).resolve().parents[2] / "postcode_consumer/lookups/providers/gazetteer.csv"


def known_places() -> dict[str, Location]:
    """The places of the sandbox, by name."""
    with _GAZETTEER.open(newline="", encoding="utf-8") as file:
        return {row["place"]: (float(row["latitude"]), float(row["longitude"])) for row in csv.DictReader(file)}


def around(centres: Iterable[Location], count: int, spread: float = 0.03, seed: int = 1) -> list[Location]:
    """So many locations, each within `spread` degrees of one of the centres, in no order."""
    random, among = Random(seed), list(centres)

    def near(at: Location) -> Location:
        return (round(at[0] + random.uniform(-spread, spread), 6), round(at[1] + random.uniform(-spread, spread), 6))

    return [near(random.choice(among)) for _ in range(count)]


@cache
def of_britain(count: int) -> list[Location]:
    """As `around` the known places of Great Britain and Northern Ireland."""
    return around(known_places().values(), count)


def exchanged_reference(at: Location) -> str:
    """A grid reference with the northing first."""
    easting, northing = (int(metres[0]) for metres in on_grid(np.array([at[0]]), np.array([at[1]])))
    column, row = easting // 100_000, northing // 100_000
    letters = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
    square = letters[(3 - row // 5) * 5 + 2 + column // 5] + letters[(4 - row % 5) * 5 + column % 5]
    return f"{square} {northing % 100_000:05} {easting % 100_000:05}"


def table(header: str, locations: Iterable[Any], as_written: Callable[[Any], str] = "{0[0]},{0[1]}".format) -> bytes:
    """A CSV file: the number of each row, and what is written of its location."""
    rows = (f"{number},{as_written(at)}\n" for number, at in enumerate(locations, 1))
    return (header + "\n" + "".join(rows)).encode()
