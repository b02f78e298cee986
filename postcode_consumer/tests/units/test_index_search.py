"""The nearest postcode of the index is the one that brute force finds, with another implementation of the geodesic."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from tests.index_files import plain

from lookups.country import EAST, NORTH, SOUTH, WEST
from lookups.index.build import build
from lookups.index.ellipsoid import distances, earth_centred
from lookups.index.file import load
from lookups.index.search import SAME_DISTANCE, Index

Place = tuple[str, float, float]

GEOD = Geod(ellps="WGS84")
LIMIT = 20_000.0


def make(folder: Path, places: Sequence[Place]) -> Index:
    build(plain(folder / "places.csv", places), folder / "index")
    return Index(load(folder / "index"))


def found(index: Index, latitude: float, longitude: float, limit: float = LIMIT) -> tuple[str, float] | None:
    numbers, metres, matches = index.nearest(np.array([latitude]), np.array([longitude]), limit)
    return (index.places.details["postcode"][numbers[0]].decode(), metres[0]) if matches[0] else None


def by_brute_force(places: Sequence[Place], latitude: float, longitude: float) -> tuple[str, float] | None:
    names, latitudes, longitudes = zip(*places, strict=True)
    here = np.full(len(places), longitude), np.full(len(places), latitude)
    metres = GEOD.inv(*here, longitudes, latitudes)[2]
    least = min(metres)
    first = min(name for name, distance in zip(names, metres, strict=True) if distance <= least + SAME_DISTANCE)
    return (first, least) if least <= LIMIT else None


def agree(index: Index, places: Sequence[Place], latitude: float, longitude: float) -> None:
    truth, given_ = by_brute_force(places, latitude, longitude), found(index, latitude, longitude)
    assert (given_ and given_[0]) == (truth and truth[0])
    if truth and given_:
        assert given_[1] == pytest.approx(truth[1], abs=1e-5)


@pytest.mark.parametrize("metres", [0.0, 0.001, 1.0, 100.0, 2_000.0, 20_000.0, 50_000.0])
def test_distances_are_those_of_the_geodesic(metres: float) -> None:
    draw = np.random.default_rng(1)
    latitudes, longitudes = draw.uniform(49, 61, 5_000), draw.uniform(-9, 3, 5_000)
    there = GEOD.fwd(longitudes, latitudes, draw.uniform(0, 360, 5_000), np.full(5_000, metres))
    exact = GEOD.inv(longitudes, latitudes, there[0], there[1])[2]
    ours = distances(earth_centred(latitudes, longitudes), earth_centred(there[1], there[0]))
    assert np.abs(ours - exact).max() < (2e-6 if metres > LIMIT else 5e-8)


# Coordinates on a grid of 0.0001 to 0.01 degrees: full of places that are shared, and of distances that are equal.
_STEP = st.sampled_from([0.0001, 0.001, 0.01])
_CELL = st.tuples(st.integers(-12, 12), st.integers(-12, 12))


@given(
    step=_STEP,
    corner=st.tuples(st.integers(50, 60), st.integers(-8, 1)),
    cells=st.lists(_CELL, min_size=1, max_size=60),
    asked=st.lists(st.tuples(st.floats(-15, 15), st.floats(-15, 15)) | _CELL, min_size=1, max_size=20),
)
def test_answers_equal_brute_force_on_any_country(
    tmp_path_factory: pytest.TempPathFactory,
    step: float,
    corner: tuple[int, int],
    cells: list[tuple[int, int]],
    asked: list[tuple[float, float]],
) -> None:
    def place(cell: tuple[float, float]) -> tuple[float, float]:
        return corner[0] + cell[0] * step, corner[1] + cell[1] * step

    names = [f"AA{number // 26 + 1} 1A{chr(65 + number % 26)}" for number in range(len(cells))]
    # The last cell has the first name.
    places = [(name, *place(cell)) for name, cell in zip(reversed(names), cells, strict=True)]
    index = make(tmp_path_factory.mktemp("country"), places)
    # Half a step lies half-way between neighbours.
    for cell in [*asked, *((cell[0] / 2, cell[1] / 2) for cell in cells)]:
        agree(index, places, *place(cell))


def test_answers_equal_brute_force_where_towns_villages_and_the_sea_meet(tmp_path: Path) -> None:
    """Cells of all sizes, and locations of all kinds: in towns, between them, far away from all, and on the borders."""
    draw = np.random.default_rng(1)
    centres = draw.uniform((51, -3), (52, -1), (30, 2))
    spreads = 10 ** draw.uniform(-4, -1, (30, 1))
    around = (centres[draw.integers(0, 30, 2_500)], spreads[draw.integers(0, 30, 2_500)])
    places = [
        (f"AA{n // 676 + 10} 1{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}", *place)
        for n, place in enumerate((around[0] + draw.normal(0, 1, (2_500, 2)) * around[1]).round(6).tolist())
    ]
    index = make(tmp_path, places)
    coordinates = np.array([place[1:] for place in places])
    asked = np.concatenate(
        [
            draw.uniform((50.5, -3.8), (52.5, -0.2), (150, 2)),
            coordinates[draw.integers(0, 2_500, 100)] + draw.normal(0, 0.001, (100, 2)),
            (coordinates[draw.integers(0, 2_500, 50)] + coordinates[draw.integers(0, 2_500, 50)]) / 2,
            # On the borders and corners of cells.
            np.column_stack((51 + draw.integers(0, 8_192, 100) / 8_192, -3 + draw.integers(0, 10_240, 100) / 5_120)),
        ]
    )
    numbers, metres, matches = index.nearest(*asked.T, LIMIT)
    names = index.places.details["postcode"][numbers].astype(str)
    assert matches.any()
    assert not matches.all()
    for place, name, distance, is_match in zip(asked, names, metres, matches, strict=True):
        truth = by_brute_force(places, *place)
        assert (name if is_match else None) == (truth and truth[0])
        assert truth is None or distance == pytest.approx(truth[1], abs=1e-5)


def test_locations_outside_the_country_have_no_nearest_place_and_others_beside_them_do(tmp_path: Path) -> None:
    index = make(tmp_path, [("B1 1AA", 52.5, -1.9), ("ZZ1 1AA", NORTH, EAST), ("ZZ2 1AA", 0.0, 0.0)])
    latitudes = np.array([0.0, 52.5, NORTH + 1e-9, NORTH, SOUTH, -90.0, 90.0])
    longitudes = np.array([0.0, -1.9, EAST, EAST, WEST, -180.0, 180.0])
    assert index.nearest(latitudes, longitudes, LIMIT)[2].tolist() == [False, True, False, True, False, False, False]
    assert not index.nearest(latitudes[:1], longitudes[:1], LIMIT)[2].any()


def test_an_index_without_a_place_in_the_country_finds_nothing(tmp_path: Path) -> None:
    assert found(make(tmp_path, [("ZZ2 1AA", 0.0, 0.0)]), 52.5, -1.9) is None


def test_of_postcodes_at_one_place_the_first_in_the_alphabet_answers(tmp_path: Path) -> None:
    names = ["B10 1AA", "B1 1ZZ", "B1 2AA", "AB1 0AA", "AB10 0AA", "ZE1 0AA"]
    index = make(tmp_path, [(name, 52.5, -1.9) for name in names] + [("A1 1AA", 52.6, -1.9)])
    assert len(index.places.details) == 2
    assert found(index, 52.5001, -1.9001, 100)[0] == min(names) == "AB1 0AA"  # type: ignore[index]


@pytest.mark.parametrize("names", [("B1 1AA", "B1 1AB"), ("B1 1AB", "B1 1AA")])
def test_of_places_at_one_distance_the_first_in_the_alphabet_answers(tmp_path: Path, names: tuple[str, str]) -> None:
    index = make(tmp_path, [(names[0], 52.5, -1.90), (names[1], 52.5, -1.88)])
    assert found(index, 52.5, -1.89)[0] == "B1 1AA"  # type: ignore[index]


@pytest.mark.parametrize("first", ["north", "east"])
def test_the_nearer_by_the_geodesic_answers_although_its_chord_is_longer(tmp_path: Path, first: str) -> None:
    """Northwards the earth is more curved than eastwards: of equal arcs, the northward one has the shorter chord."""
    latitude, longitude = 50.0, -1.0
    # The place in the north is 5 µm farther away, its chord is shorter all the same.
    north = GEOD.fwd(longitude, latitude, 0, 19_000.000_005)
    east = GEOD.fwd(longitude, latitude, 90, 19_000)
    names = {"north": ("AA1 1AA", "ZZ1 1ZZ"), "east": ("ZZ1 1ZZ", "AA1 1AA")}[first]
    places = [(names[0], north[1], north[0]), (names[1], east[1], east[0])]
    here = earth_centred(np.array([latitude]), np.array([longitude]))
    there = earth_centred(np.array([north[1], east[1]]), np.array([north[0], east[0]]))
    chords = np.linalg.norm(there - here, axis=1)
    assert chords[0] < chords[1]
    index = make(tmp_path, places)
    assert found(index, latitude, longitude)[0] == names[1]  # type: ignore[index]


def test_many_places_at_one_distance_are_all_looked_at(tmp_path: Path) -> None:
    around = [GEOD.fwd(-1.0, 52.0, azimuth, 15_000) for azimuth in range(0, 360, 10)]
    names = [f"AA{n} 1AA" for n in range(10, 46)]
    draw = np.random.default_rng(1)
    draw.shuffle(names)
    places = [(name, lat, lon) for name, (lon, lat, _) in zip(names, around, strict=True)]
    assert found(make(tmp_path, places), 52.0, -1.0)[0] == "AA10 1AA"  # type: ignore[index]


@pytest.mark.parametrize("metres", [0.5, 100.0, 2_000.0, 20_000.0])
def test_exactly_at_the_limit_is_a_match_and_a_millimetre_beyond_is_none(tmp_path: Path, metres: float) -> None:
    index = make(tmp_path, [("B1 1AA", 52.5, -1.9), ("B1 1AB", 56.0, -1.9)])
    for azimuth in range(0, 360, 15):
        longitude, latitude, _ = GEOD.fwd(-1.9, 52.5, azimuth, metres)
        assert found(index, latitude, longitude, metres) is not None
        assert found(index, latitude, longitude, metres - 0.001) is None


def test_an_index_of_one_place_answers(tmp_path: Path) -> None:
    index = make(tmp_path, [("B1 1AA", 52.5, -1.9)])
    assert found(index, 52.5, -1.9) == ("B1 1AA", 0.0)
    assert found(index, 53.5, -1.9) is None
