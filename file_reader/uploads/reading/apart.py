"""How far two locations of one row are from each other."""

from collections.abc import Sequence
from math import cos, hypot, nan, radians
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from uploads.reading.detecting.dialect import Dialect, Second
from uploads.reading.notations import Notation
from uploads.reading.other_readings import on_grid

_METRES_A_DEGREE = 111_200
#: Degrees where metres in columns may be of the Irish Grid, or of ITM: they are not compared.
_IRELAND = (51.3, 55.5), (-10.7, -5.3)
#: How far a location may be from where `on_grid` puts it, in metres.
_ON_GRID = 500.0


def is_in_ireland(latitude: float, longitude: float) -> bool:
    """Whether it is where metres may be of other grids than the British one."""
    (south, north), (west, east) = _IRELAND
    return south <= latitude <= north and west <= longitude <= east


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two near locations; of far ones about that."""
    return hypot(one[0] - other[0], (one[1] - other[1]) * cos(radians(one[0]))) * _METRES_A_DEGREE


def second_is_apart(fields: Sequence[str], located: tuple[float, float], dialect: Dialect) -> bool:
    """Whether a row has its location once more, and at another place."""
    if (second := dialect.second) is None:
        return False
    other = second.locator(dialect.decimal)(fields)
    if isinstance(other, str) or metres_between(located, other) <= second.within:
        return False
    is_metres = Notation.OSGB36 in (second.coordinates, dialect.coordinates)
    return not (is_metres and (is_in_ireland(*located) or is_in_ireland(*other)))


def any_second_is_apart(
    records: Sequence[Sequence[str]], latitudes: Sequence[float], longitudes: Sequence[float], dialect: Dialect
) -> bool:
    """The same of many rows: only those that may be apart are looked at one by one."""
    if (second := dialect.second) is None:
        return False
    own = _cells(records, dialect.latitude_column), _cells(records, dialect.longitude_column)
    if own == (_cells(records, second.latitude_column), _cells(records, second.longitude_column)):
        return False
    may_be = _may_be_apart(records, np.array(latitudes), np.array(longitudes), second)
    return any(second_is_apart(records[at], (latitudes[at], longitudes[at]), dialect) for at in may_be.tolist())


def _may_be_apart(
    records: Sequence[Sequence[str]],
    latitudes: npt.NDArray[np.float64],
    longitudes: npt.NDArray[np.float64],
    second: Second,
) -> npt.NDArray[np.intp]:
    if second.coordinates not in (Notation.DEGREES, Notation.OSGB36):
        return np.arange(len(records))
    norths, easts = (
        np.array(list(map(_number, _cells(records, column))))
        for column in (second.latitude_column, second.longitude_column)
    )
    if second.coordinates == Notation.OSGB36:
        own_easts, own_norths = on_grid(latitudes, longitudes)
        metres = np.hypot(norths - own_norths, easts - own_easts) + _ON_GRID
    else:
        metres = _METRES_A_DEGREE * np.hypot(norths - latitudes, (easts - longitudes) * np.cos(np.radians(latitudes)))
    return np.flatnonzero(~(metres <= second.within))  # NaN may be, too


def _cells(records: Sequence[Sequence[str]], column: int) -> list[str]:
    return list(map(itemgetter(column), records))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return nan
