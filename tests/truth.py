"""Checks a result file against the nearest postcodes found by brute force; shares nothing with any service or fake.

    python tests/truth.py --postcodes gb_postcodes.csv.gz --result result.csv --sample 2000 --seed 1

For rows drawn at random, every postcode in a generous box around the location is measured with the WGS84 geodesic. A
row is right when its status, its postcode and its distance agree. Postcodes at one distance come in alphabetical order.
Where several are within a millimetre of each other, the alphabetical first of them is as right as the exactly nearest.
Exit code 0 when all agree, 1 on any difference, 2 when there was nothing to compare.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

LATITUDE_NAMES = ("latitude", "lat", "y_lat", "y")
LONGITUDE_NAMES = ("longitude", "lon", "lng", "long", "x_lon", "x")
METRES_A_DEGREE = 110_500  # of latitude, where that is least: at the equator
SAME_DISTANCE = 0.001  # metres
EXACTLY_SAME_DISTANCE = 1e-6  # metres; rounding alone
TOLERANCE = 0.1  # metres; result files have two decimals
SHOWN = 20  # differences

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampled:
    """One data row: its number (from 1), where it is in degrees, and what its result columns say."""

    number: int
    latitude: float
    longitude: float
    result: Mapping[str, str]


class Postcodes:
    """All postcodes with coordinates, ordered by latitude."""

    def __init__(self, path: Path) -> None:
        names: list[str] = []
        latitudes: list[float] = []
        longitudes: list[float] = []
        with _opened(path) as file:
            for row in csv.DictReader(file):
                if row["latitude"]:
                    names.append(row["postcode"])
                    latitudes.append(float(row["latitude"]))
                    longitudes.append(float(row["longitude"]))
        order = np.argsort(latitudes, kind="stable")
        self._names: NDArray[Any] = np.array(names)[order]
        self._latitudes: Floats = np.array(latitudes)[order]
        self._longitudes: Floats = np.array(longitudes)[order]
        self._geod = Geod(ellps="WGS84")

    def __len__(self) -> int:
        return len(self._names)

    def nearby(self, latitude: float, longitude: float, metres: float) -> Iterator[tuple[float, str]]:
        """Distance in metres and name of every postcode in a box that reaches at least `metres` to each side."""
        reach = metres * 1.1 / METRES_A_DEGREE + 1e-4
        first, last = np.searchsorted(self._latitudes, [latitude - reach, latitude + reach])
        shrinking = max(np.cos(np.radians(min(abs(latitude) + reach, 90.0))), 1e-6)
        within = np.abs(self._longitudes[first:last] - longitude) <= reach / shrinking
        latitudes, longitudes = self._latitudes[first:last][within], self._longitudes[first:last][within]
        here = np.full(len(latitudes), longitude), np.full(len(latitudes), latitude)
        _, _, distances = self._geod.inv(*here, longitudes, latitudes)
        yield from zip(np.asarray(distances).tolist(), self._names[first:last][within].tolist(), strict=True)

    def truth(self, latitude: float, longitude: float, metres: float) -> tuple[float, set[str]] | None:
        """The distance of the nearest postcode, and the names that may be given for it; None if nothing is in reach."""
        reach = 150.0  # small boxes first: most locations have a postcode within them, and a box of 2 km has thousands
        while True:
            reach = min(reach, metres)
            near = [one for one in self.nearby(latitude, longitude, reach) if one[0] <= reach + SAME_DISTANCE]
            if near or reach == metres:
                break
            reach *= 4
        near = [one for one in near if one[0] <= metres]
        if not near:
            return None
        least = min(distance for distance, _ in near)
        firsts = {
            min(name for distance, name in near if distance <= least + tie)
            for tie in (EXACTLY_SAME_DISTANCE, SAME_DISTANCE)
        }
        return least, firsts


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def sample(path: Path, options: argparse.Namespace) -> tuple[list[Sampled], int]:
    """Rows with readable coordinates, drawn with equal chances in one pass, and how many such rows there are."""
    draw = random.Random(options.seed)
    chosen: list[Sampled] = []
    readable = 0
    with _opened(path) as file:
        rows = csv.DictReader(file, delimiter=options.delimiter)
        seen = rows.fieldnames or []
        latitude = options.latitude or _column(seen, LATITUDE_NAMES)
        longitude = options.longitude or _column(seen, LONGITUDE_NAMES)
        lacking = {latitude, longitude, "result_status", "result_postcode", "result_distance_m"} - set(seen)
        if lacking:
            raise SystemExit(f"{path} has no columns {sorted(lacking)}, only {seen}")
        for number, row in enumerate(rows, 1):
            location = _location(row[latitude], row[longitude])
            if location is None:
                continue
            readable += 1
            if len(chosen) < options.sample:
                chosen.append(Sampled(number, *location, row))
            elif (place := draw.randrange(readable)) < options.sample:
                chosen[place] = Sampled(number, *location, row)
    return sorted(chosen, key=lambda row: row.number), readable


def _column(seen: Any, names: tuple[str, ...]) -> str:
    for wanted in names:
        for name in seen:
            if name.strip().lower() == wanted:
                return str(name)
    raise SystemExit(f"no column of {names} among {list(seen)}: name it with --latitude and --longitude")


def _location(latitude: str | None, longitude: str | None) -> tuple[float, float] | None:
    texts = [(text or "").strip() for text in (latitude, longitude)]
    if not all(_NUMBER.fullmatch(text) for text in texts):
        return None
    lat, lon = float(texts[0]), float(texts[1])
    return (lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None


def difference(row: Sampled, postcodes: Postcodes, max_distance: float) -> str | None:
    """What is wrong with a row, or None."""
    status, postcode, distance = (row.result[f"result_{name}"] for name in ("status", "postcode", "distance_m"))
    if status == "rejected" and 49 <= row.longitude <= 61 and -9 <= row.latitude <= 3:
        return None  # evidently latitude and longitude swapped, which is said and not guessed at
    truth = postcodes.truth(row.latitude, row.longitude, max_distance + TOLERANCE)
    if truth is None or (status == "no_match" and truth[0] > max_distance - TOLERANCE):
        if (status, postcode, distance) == ("no_match", "", ""):
            return None
        return f"expected no_match, got {status} {postcode} {distance}"
    least, names = truth
    if status != "match":
        return f"expected {' or '.join(sorted(names))} at {least:.2f} m, got {status}"
    close = _NUMBER.fullmatch(distance or "") and abs(float(distance) - least) <= TOLERANCE
    if postcode not in names or not close:
        return f"expected {' or '.join(sorted(names))} at {least:.2f} m, got {postcode} at {distance} m"
    return None


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks a result file against the truth, found by brute force.")
    parser.add_argument("--postcodes", type=Path, required=True, help="CSV with postcode, latitude, longitude; or .gz")
    parser.add_argument("--result", type=Path, required=True, help="the downloaded result.csv; or .gz")
    parser.add_argument("--sample", type=int, default=2000, help="how many rows to check")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-distance", type=float, default=2000, help="metres, as asked for at the upload")
    parser.add_argument("--latitude", help="name of the column; found by itself for the usual ones")
    parser.add_argument("--longitude", help="name of the column; found by itself for the usual ones")
    parser.add_argument("--delimiter", default=",")
    options = parser.parse_args()

    rows, readable = sample(options.result, options)
    postcodes = Postcodes(options.postcodes)
    checked = [(row, difference(row, postcodes, options.max_distance)) for row in rows]
    wrong = [(row, what) for row, what in checked if what]
    statuses = Counter(row.result["result_status"] for row in rows)
    print(f"{readable} rows with readable coordinates, {len(rows)} checked against {len(postcodes)} postcodes")
    print("  " + ", ".join(f"{count} {status}" for status, count in statuses.most_common()))
    print(f"  {len(rows) - len(wrong)} agree, {len(wrong)} differ")
    for row, what in wrong[:SHOWN]:
        print(f"  row {row.number} ({row.latitude}, {row.longitude}): {what}")
    if not rows:
        return 2
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
