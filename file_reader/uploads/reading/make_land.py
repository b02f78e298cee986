"""Draws land.txt, the map of land by which a reading is judged; to be run again only for another map.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    (in file_reader/) python -m uploads.reading.make_land package/countries-10m.json

Source: Natural Earth 4.1.0, 1:10,000,000 (public domain), as the npm package world-atlas 2.0.2 has it (TopoJSON, ISC,
© 2013-2019 Michael Bostock).
"""

import json
import sys
from itertools import accumulate, pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from uploads.reading.land import EAST, MAP, NORTH, SOUTH, STEP, WEST

#: Those whose land has British postcodes.
_BRITISH = {"United Kingdom", "Isle of Man", "Jersey", "Guernsey"}
#: Islands that are too small for the source, by latitude and longitude.
_ISLANDS = [(49.93, -6.3), (49.95, -6.35), (49.72, -2.2), (57.81, -8.58)]  # St Mary's, Tresco, Alderney, St Kilda
#: Fine cells in a cell, each way; two of them, some 2 km, are also land around a coast.
_FINE, _COAST = 10, 2

Location = tuple[float, float]


def main() -> None:
    world = json.loads(Path(sys.argv[1]).read_bytes())
    (x_scale, y_scale), (x, y) = world["transform"]["scale"], world["transform"]["translate"]
    arcs = [
        [(x + east * x_scale, y + north * y_scale) for east, north in zip(*map(accumulate, zip(*arc, strict=True)),
                                                                          strict=True)]
        for arc in world["arcs"]
    ]  # fmt: skip
    countries = world["objects"]["countries"]["geometries"]
    rings = [ring for one in countries if one["properties"]["name"] in _BRITISH for ring in _rings(one, arcs)]
    irish = _drawn([ring for ring in rings if _is_irish(ring)])
    british = _drawn([ring for ring in rings if not _is_irish(ring)])
    for latitude, longitude in _ISLANDS:
        british[round((NORTH - latitude) / STEP[0] * _FINE), round((longitude - WEST) / STEP[1] * _FINE)] = True
    other = _drawn([ring for one in countries for ring in _rings(one, arcs)])
    signs = np.full(_cells(other).shape, ".")
    for sign, drawn in (("+", other), ("=", irish), ("#", british)):
        signs[_cells(drawn)] = sign
    MAP.write_text("".join("".join(row) + "\n" for row in signs.tolist()))


def _is_irish(ring: list[Location]) -> bool:
    """Whether a British ring is of Northern Ireland."""
    return all(longitude < -5.4 and 54 < latitude < 55.35 for longitude, latitude in ring)


def _rings(geometry: Any, arcs: list[list[Location]]) -> list[list[Location]]:
    """The outer rings of a country, as (longitude, latitude); an arc of number ~n is arc n from its end."""
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    return [[at for n in rings[0] for at in (arcs[n] if n >= 0 else arcs[~n][::-1])] for rings in polygons]


def _drawn(rings: list[list[Location]]) -> npt.NDArray[np.bool_]:
    """The fine cells whose middle is inside one of the rings, or through which one goes."""
    height, width = round((NORTH - SOUTH) / STEP[0] * _FINE), round((EAST - WEST) / STEP[1] * _FINE)
    drawn = np.zeros((height, width), bool)
    for ring in rings:
        corners = [((lon - WEST) / STEP[1] * _FINE, (NORTH - lat) / STEP[0] * _FINE) for lon, lat in ring]
        inside = np.zeros_like(drawn)
        for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
            for row in range(max(0, ceil(min(y0, y1) - 0.5)), min(height, ceil(max(y0, y1) - 0.5))):
                crossing = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                inside[row, max(0, ceil(crossing - 0.5)) :] ^= True
            if 0 <= x0 < width and 0 <= y0 < height:
                drawn[int(y0), int(x0)] = True
        drawn |= inside
    return drawn


def _cells(fine: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The cells in which something is drawn, or around which something is within the width of a coast."""
    reach = _FINE + 2 * _COAST
    around = np.pad(fine, _COAST)
    windows = np.lib.stride_tricks.sliding_window_view(around, (reach, reach))[::_FINE, ::_FINE]
    return np.asarray(windows.any((2, 3)))


if __name__ == "__main__":
    main()
