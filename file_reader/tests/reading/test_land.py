"""The map of land: places on it are where they are, and so is the sea."""

import numpy as np
import pytest
from tests.places import known_places

from uploads.reading.land import COAST, ELSEWHERE, INLAND, NORTHERN_IRELAND, SEA, land_at

_BRITISH = (NORTHERN_IRELAND, COAST, INLAND)


def at(latitude: float, longitude: float) -> int:
    return int(land_at(np.array([latitude]), np.array([longitude]))[0])


def test_every_known_place_is_on_british_land() -> None:
    assert {name: at(*place) for name, place in known_places().items() if at(*place) not in _BRITISH} == {}


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(60.84, -0.78, id="Unst"),
        pytest.param(59.54, -1.63, id="Fair Isle"),
        pytest.param(57.81, -8.58, id="St Kilda"),
        pytest.param(49.915, -6.315, id="St Mary's"),
        pytest.param(49.19, -2.11, id="St Helier"),
        pytest.param(49.72, -2.2, id="Alderney"),
        pytest.param(54.15, -4.48, id="Douglas"),
        pytest.param(54.47, -7.65, id="Belleek, at the border"),
        pytest.param(55.68, -1.8, id="Lindisfarne"),
        pytest.param(52.48, 1.76, id="Lowestoft, the farthest east"),
        pytest.param(49.96, -5.2, id="the Lizard"),
    ],
)
def test_islands_and_coasts_are_british_land(latitude: float, longitude: float) -> None:
    assert at(latitude, longitude) in _BRITISH


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(56.0, 3.0, id="the North Sea"),
        pytest.param(53.9, -4.9, id="the Irish Sea"),
        pytest.param(50.0, -8.0, id="the Atlantic"),
        pytest.param(50.2, -1.5, id="the Channel"),
        pytest.param(58.6, -5.8, id="the Minch"),
        pytest.param(54.75, -5.3, id="the North Channel"),
    ],
)
def test_the_sea_is_sea(latitude: float, longitude: float) -> None:
    assert at(latitude, longitude) == SEA


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(53.35, -6.26, id="Dublin"),
        pytest.param(51.9, -8.47, id="Cork"),
        pytest.param(52.37, 4.9, id="Amsterdam"),
        pytest.param(50.95, 1.85, id="Calais"),
        pytest.param(60.39, 5.32, id="Bergen"),
        pytest.param(0.0, 0.0, id="beyond the map"),
        pytest.param(61.0, 9.0, id="its corner"),
        pytest.param(49.0, -9.0, id="its other corner"),
        pytest.param(float("nan"), float("nan"), id="nowhere"),
    ],
)
def test_other_land_and_what_is_beyond_the_map_are_elsewhere(latitude: float, longitude: float) -> None:
    assert at(latitude, longitude) == ELSEWHERE


def test_northern_ireland_is_beside_great_britain() -> None:
    assert (at(54.597, -5.93), at(54.995, -7.32)) == (NORTHERN_IRELAND, NORTHERN_IRELAND)
    assert (at(54.9, -5.03), at(55.32, -5.75)) == (INLAND, COAST)  # Stranraer, the Mull of Kintyre


def test_inland_is_what_has_no_sea_around_it() -> None:
    assert (at(52.48, -1.9), at(51.5, -0.14)) == (INLAND, INLAND)
    assert (at(51.12, 1.32), at(54.15, -4.48)) == (COAST, COAST)  # Dover, Man


def test_the_edges_of_the_map_are_cells_of_it() -> None:
    assert at(60.9999999, 8.9999999) == ELSEWHERE  # Norway
    assert at(49.0000001, -8.9999999) == SEA
