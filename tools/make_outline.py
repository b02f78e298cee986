#!/usr/bin/env python3
"""Draws the outline of the pages' map: `python tools/make_outline.py countries-10m.json <folder>`.

The folder is `file_reader/uploads/static/pages`. The source is in the npm package world-atlas 2.0.2 (`npm pack
world-atlas@2.0.2`): TopoJSON made from Natural Earth 4.1.0, 1:10,000,000, which is in the public domain. The same input
gives the same bytes.

It writes `outline.json` for the map, `{"scale", "uk", "other", "places"}` with rings of integers, the first point
absolute, the others as deltas, in thousandths of a degree (WGS 84, longitude first), and places as `[name, latitude,
longitude, rank, whether the name stands to the left]`; and `outline.svg` for the locator, with
x = longitude × cos 55° and y = −latitude.
"""

import heapq
import json
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import Any

Point = tuple[float, float]
Ring = list[Point]
#: West, south, east, north, in degrees.
BOX = (-14.0, 47.0, 6.6, 61.5)
#: Triangles of less are left out, in km², on the map and on the locator; rings of less are no island here.
MAP_KM2, LOCATOR_KM2, ISLAND_KM2 = 0.4, 8.0, 0.05
#: Of the locator's other land only Ireland, which is west and north of this.
IRELAND = (-4.3, 51.3)
SCALE = 1_000
KM_A_DEGREE = 111.2
#: Names on the map: the first rank always, the others when it is nearer.
PLACES = [
    ["London", 51.507, -0.128, 1, False], ["Birmingham", 52.48, -1.9, 1, False],
    ["Manchester", 53.479, -2.245, 1, False], ["Glasgow", 55.861, -4.251, 1, True],
    ["Edinburgh", 55.953, -3.188, 1, False], ["Belfast", 54.597, -5.93, 1, True],
    ["Cardiff", 51.481, -3.18, 1, True], ["Inverness", 57.478, -4.225, 1, False],
    ["Lerwick", 60.155, -1.145, 1, False], ["Newcastle", 54.978, -1.618, 2, False],
    ["Leeds", 53.8, -1.549, 2, False], ["Bristol", 51.455, -2.588, 2, False],
    ["Plymouth", 50.376, -4.143, 2, False], ["Norwich", 52.63, 1.297, 2, True],
    ["Aberdeen", 57.149, -2.094, 2, False], ["Aberystwyth", 52.415, -4.083, 2, True],
    ["Southampton", 50.91, -1.404, 2, False], ["Kirkwall", 58.981, -2.96, 2, False],
    ["Stornoway", 58.209, -6.387, 2, False], ["Penzance", 50.118, -5.537, 2, False],
    ["Liverpool", 53.408, -2.992, 3, True], ["Nottingham", 52.954, -1.15, 3, False],
    ["Cambridge", 52.205, 0.122, 3, False], ["Oxford", 51.752, -1.258, 3, False],
    ["Exeter", 50.725, -3.527, 3, False], ["Brighton", 50.822, -0.137, 3, False],
    ["Dundee", 56.462, -2.971, 3, False], ["Carlisle", 54.893, -2.933, 3, False],
    ["Derry", 54.997, -7.319, 3, True], ["Swansea", 51.621, -3.944, 3, True],
    ["York", 53.96, -1.08, 3, False], ["Hull", 53.744, -0.333, 3, False],
    ["Dover", 51.127, 1.313, 3, False], ["Fort William", 56.817, -5.111, 3, True],
    ["Douglas", 54.15, -4.482, 3, False], ["St Helier", 49.186, -2.107, 3, False],
]  # fmt: skip
ASPECT = cos(radians(55))


def arcs_of(topology: dict[str, Any]) -> list[Ring]:
    """The arcs in degrees: running sums of deltas, scaled and moved."""
    (scale_x, scale_y), (move_x, move_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        arcs.append(points)
    return arcs


def km2(points: Iterable[Point]) -> float:
    """The area of a ring in km²."""
    flat = [(x * ASPECT * KM_A_DEGREE, y * KM_A_DEGREE) for x, y in points]
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(flat, [*flat[1:], flat[0]], strict=True))) / 2


def simplified(arc: Ring, least: float) -> Ring:
    """Visvalingam and Whyatt: the point whose triangle is the smallest goes first; the ends stay."""
    before, after = {i: i - 1 for i in range(len(arc))}, {i: i + 1 for i in range(len(arc))}
    heap = [(km2(arc[i - 1 : i + 2]), i) for i in range(1, len(arc) - 1)]
    heapq.heapify(heap)
    size = {i: area for area, i in heap}
    while heap:
        area, i = heapq.heappop(heap)
        if size.get(i) != area:
            continue
        if area >= least:
            break
        del size[i]
        left, right = before[i], after[i]
        after[left], before[right] = right, left
        for j in (left, right):
            if j in size:  # never below that of a point removed before
                size[j] = max(area, km2([arc[before[j]], arc[j], arc[after[j]]]))
                heapq.heappush(heap, (size[j], j))
    return [arc[i] for i in range(len(arc)) if i in size or i in (0, len(arc) - 1)]


def clipped(ring: Ring) -> Ring:
    """Sutherland and Hodgman: what of a ring lies in the box."""
    edges: list[tuple[int, float, Callable[[float, float], bool]]] = [
        (0, BOX[0], float.__ge__), (0, BOX[2], float.__le__), (1, BOX[1], float.__ge__), (1, BOX[3], float.__le__),
    ]  # fmt: skip
    for axis, limit, is_inside in edges:
        kept: Ring = []
        for a, b in zip([ring[-1], *ring[:-1]], ring, strict=True) if ring else ():
            inside_a, inside_b = is_inside(a[axis], limit), is_inside(b[axis], limit)
            if inside_a != inside_b:
                share = (limit - a[axis]) / (b[axis] - a[axis])
                kept.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
            if inside_b:
                kept.append(b)
        ring = kept
    return ring


def rings(topology: dict[str, Any], arcs: list[Ring]) -> tuple[list[Ring], list[Ring]]:
    """The outer rings of the United Kingdom, and those of all other land in the box."""
    countries = topology["objects"]["countries"]["geometries"]
    uk = next(country for country in countries if country["properties"]["name"] == "United Kingdom")
    own = [polygon[0] for polygon in uk["arcs"]]
    known = {frozenset(abs(i) if i >= 0 else ~i for i in ring) for ring in own}
    land = [polygon[0] for geometry in topology["objects"]["land"]["geometries"] for polygon in geometry["arcs"]]
    other = [ring for ring in land if frozenset(abs(i) if i >= 0 else ~i for i in ring) not in known]
    return [joined(ring, arcs) for ring in own], [joined(ring, arcs) for ring in other]


def joined(ring: list[int], arcs: list[Ring]) -> Ring:
    """The points of a ring of arcs; the end of one is the beginning of the next."""
    points: Ring = []
    for i in ring:
        points += (arcs[i] if i >= 0 else arcs[~i][::-1])[:-1]
    return points


def drawn(found: list[Ring]) -> list[Ring]:
    """The rings as they are written: in the box, rounded, without specks, the longest first."""
    kept = []
    for ring in map(clipped, found):
        if not ring or km2(ring) < ISLAND_KM2:
            continue
        points = [(round(x * SCALE), round(y * SCALE)) for x, y in ring]
        points = [point for i, point in enumerate(points) if point != points[i - 1]]
        if len(points) >= 3:
            kept.append(points)
    return sorted(kept, key=lambda points: (-len(points), points))


def as_deltas(points: list[tuple[int, int]]) -> list[int]:
    """The first point, then the steps."""
    steps = [(x - u, y - v) for (u, v), (x, y) in pairwise(points)]
    return [*points[0], *(number for step in steps for number in step)]


def as_path(found: list[Any]) -> str:
    """The rings as the path of an SVG."""
    return "".join(
        "M" + "L".join(f"{x / SCALE * ASPECT:.2f} {-y / SCALE:.2f}" for x, y in points) + "z" for points in found
    )


def main(source: str, folder: str) -> None:
    topology = json.loads(Path(source).read_text())
    arcs = arcs_of(topology)
    uk, other = (drawn(found) for found in rings(topology, [simplified(arc, MAP_KM2) for arc in arcs]))
    outline = {"scale": SCALE, "uk": [as_deltas(ring) for ring in uk], "other": [as_deltas(ring) for ring in other],
               "places": PLACES}  # fmt: skip
    (Path(folder) / "outline.json").write_text(json.dumps(outline, separators=(",", ":")) + "\n")
    uk, other = (drawn(found) for found in rings(topology, [simplified(arc, LOCATOR_KM2) for arc in arcs]))
    ireland = [
        ring for ring in other
        if max(x for x, _ in ring) < IRELAND[0] * SCALE and min(y for _, y in ring) > IRELAND[1] * SCALE
    ]  # fmt: skip
    (Path(folder) / "outline.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg"><path id="uk" d="{as_path(uk)}"/>'
        f'<path id="other" d="{as_path(ireland)}"/></svg>\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
