"""Input for the benchmarks: a country of postcodes, and files of locations with the statistics of a real one.

The real file has 2,634,087 rows: 23 % of them stand in it before, 2.7 % are without a postcode within 2,000 m, 0.35 %
are at 0,0 and 0.35 % abroad; the others lie within some hundred metres of a postcode.
"""

import csv
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

DUPLICATES = 613_444 / 2_634_087
NOWHERE, AT_ZERO, ABROAD = 0.020, 0.0035, 0.0035
#: Degrees: a box in the sea west of Scotland, more than 20 km from any postcode, and inside what is asked for.
_SEA = (56.5, 58.0, -9.4, -8.7)

Places = npt.NDArray[np.float64]


def write_country(path: Path, *, towns: int = 4_000, postcodes: int = 1_700_000, seed: int = 20) -> None:
    """Writes a postcode file: clusters of postcodes around towns, from Cornwall to Caithness."""
    rng = np.random.default_rng(seed)
    centres = np.column_stack([rng.uniform(50.2, 58.4, towns), rng.uniform(-4.8, 1.2, towns)])
    sizes = rng.pareto(1.2, towns) + 0.05
    home = rng.choice(towns, postcodes, p=sizes / sizes.sum())
    places = np.round(centres[home] + rng.normal(0, (0.02, 0.035), (postcodes, 2)), 6)
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    with path.open("w", newline="", encoding="ascii") as file:
        file.write("postcode,latitude,longitude\n")
        for number, (latitude, longitude) in enumerate(places.tolist()):
            # Every number has a postcode of its own, in the form of real ones.
            rest, unit = divmod(number, 400)
            rest, sector = divmod(rest, 10)
            area, district = divmod(rest, 99)
            first, second = divmod(area, 20)
            name = f"{letters[first]}{letters[second]}{district + 1} {sector}{letters[unit // 20]}{letters[unit % 20]}"
            file.write(f"{name},{latitude},{longitude}\n")


def read_places(path: Path) -> Places:
    """The positions of a postcode file (CSV, or gzipped CSV) with columns `latitude` and `longitude`."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        rows = ((row["latitude"], row["longitude"]) for row in csv.DictReader(file))
        return np.array([row for row in rows if row[0]], dtype=float)


def write_locations(path: Path, rows: int, places: Places, *, seed: int = 1) -> None:
    """Writes `lat,lon` for that many rows, as the real file has them."""
    rng = np.random.default_rng(seed)
    chosen = places[rng.integers(len(places), size=rows)]
    locations = chosen + rng.exponential(0.0006, (rows, 2)) * rng.choice((-1, 1), (rows, 2))
    kind = rng.random(rows)
    sea = kind < NOWHERE
    locations[sea] = np.column_stack(
        [rng.uniform(_SEA[0], _SEA[1], sea.sum()), rng.uniform(_SEA[2], _SEA[3], sea.sum())]
    )
    zero = (kind >= NOWHERE) & (kind < NOWHERE + AT_ZERO)
    locations[zero] = 0.0
    abroad = (kind >= NOWHERE + AT_ZERO) & (kind < NOWHERE + AT_ZERO + ABROAD)
    locations[abroad] = np.column_stack([rng.uniform(-52, -40, abroad.sum()), rng.uniform(-75, -65, abroad.sum())])
    # What stands in the file before, anywhere before.
    is_again = rng.random(rows) < DUPLICATES
    is_again[0] = False
    firsts, again = np.flatnonzero(~is_again), np.flatnonzero(is_again)
    firsts_before = np.searchsorted(firsts, again)
    locations[again] = locations[firsts[(rng.random(len(again)) * firsts_before).astype(int)]]
    with path.open("w", encoding="ascii") as file:
        file.write("lat,lon\n")
        for start in range(0, rows, 100_000):
            part = np.round(locations[start : start + 100_000], 6).tolist()
            file.write("".join([f"{latitude},{longitude}\n" for latitude, longitude in part]))
