"""Which postcodes are nearest, as postcodes.io's PostGIS finds them: by geodesic distance on WGS84, then by postcode.

Places are searched in a tree of earth-centred coordinates, where the straight line (the chord) replaces the geodesic.
Up to 20 km the arc over a chord, with the mean radius of curvature at that latitude, is the geodesic to 0.2 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from postcodes_io_data import PostcodeTable
from scipy.spatial import cKDTree

WIDE_RADIUS = 19_500.0  # metres; postcodes.io tries 500 m, then steps of 1 km for as long as they are below 20 km
WIDE_MINIMUM = 10  # it is content with a radius in which there are so many postcodes
_TIE = 0.0001  # metres; above what chords instead of arcs, and rounding, do to equal distances
_SPARE_PLACES = 8  # asked for beyond the limit, because places that tie with the last one may come before it
_EQUATOR = 6_378_137.0  # metres, WGS84
_ECCENTRICITY_2 = 0.006694379990141317

Floats = NDArray[np.float64]


class Question(NamedTuple):
    """One location in degrees; `radius` in metres; `wide` is postcodes.io's widesearch, which ignores the radius."""

    latitude: float
    longitude: float
    limit: int
    radius: float
    wide: bool


class Found(NamedTuple):
    """A position in the table and how far it is from the question's location, in metres."""

    position: int
    distance: float


class PostcodeSearch:
    """Answers many questions at once; every answer is a list, nearest first, empty when nothing is in reach."""

    def __init__(self, table: PostcodeTable) -> None:
        self._table = table
        moved = (np.diff(table.latitude) != 0) | (np.diff(table.longitude) != 0)
        first = np.concatenate(([0] if len(table) else [], np.flatnonzero(moved) + 1)).astype(np.int64)
        self._starts = np.append(first, len(table))  # place p holds the table's positions starts[p] … starts[p + 1] - 1
        earth = _earth_centred(table.latitude[first], table.longitude[first])
        self._tree = cKDTree(earth, compact_nodes=False)  # quicker to build than compact nodes, and no slower to ask

    def nearest(self, questions: Sequence[Question]) -> list[list[Found]]:
        """The answers to the questions, in their order."""
        answers: list[list[Found]] = [[] for _ in questions]
        groups: dict[int, list[int]] = {}
        for number, question in enumerate(questions):
            groups.setdefault(_places_to_ask_for(question), []).append(number)
        for places, numbers in groups.items():
            asked = [questions[number] for number in numbers]
            found = self._only_nearest(asked) if places == 2 else self._several(asked, places)
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return answers

    def _query(self, asked: list[Question], places: int) -> tuple[Floats, Floats, NDArray[Any], Floats]:
        latitude = np.array([question.latitude for question in asked], dtype=np.float64)
        earth = _earth_centred(latitude, np.array([question.longitude for question in asked], dtype=np.float64))
        radius = np.array([WIDE_RADIUS if question.wide else question.radius for question in asked], dtype=np.float64)
        chords, found = self._tree.query(earth, k=places, distance_upper_bound=float(radius.max()) + 1)
        return earth, _arc(chords, latitude), found, radius

    def _only_nearest(self, asked: list[Question]) -> list[list[Found]]:
        """The usual question, without a loop over what was found: the nearest place, and a second one to see a tie."""
        earth, distances, places, radius = self._query(asked, 2)
        nearest = distances[:, 0]
        reached = nearest <= radius
        positions = self._starts[np.where(reached, places[:, 0], 0)]
        answers = [
            [Found(position, distance)] if inside else []
            for position, distance, inside in zip(positions.tolist(), nearest.tolist(), reached.tolist(), strict=True)
        ]
        for row in np.flatnonzero(reached & (distances[:, 1] <= nearest + _TIE)).tolist():
            tied = np.array(self._tree.query_ball_point(earth[row], nearest[row] + _TIE))
            chords = np.linalg.norm(self._tree.data[tied] - earth[row], axis=1)
            answers[row] = self._ranked(_arc(chords, np.array([asked[row].latitude])), tied, radius[row], 1)[:1]
        return answers

    def _several(self, asked: list[Question], places: int) -> list[list[Found]]:
        _, distances, found, radius = self._query(asked, places)
        answers = []
        for row, question in enumerate(asked):
            needed = max(question.limit, WIDE_MINIMUM) if question.wide else question.limit
            ranked = self._ranked(distances[row], found[row], radius[row], needed)
            enough = not question.wide or len(ranked) >= WIDE_MINIMUM
            answers.append(ranked[: question.limit] if enough else [])
        return answers

    def _ranked(self, distances: Floats, places: NDArray[Any], radius: float, needed: int) -> list[Found]:
        """At least `needed` postcodes (if there are) of these places, by distance, then by postcode."""
        order = np.argsort(distances, kind="stable")
        near = [(float(distances[i]), int(places[i])) for i in order if distances[i] <= radius]
        ranked: list[Found] = []
        while near and len(ranked) < needed:
            tied = [item for item in near if item[0] <= near[0][0] + _TIE]
            near = near[len(tied) :]
            found = [
                Found(position, distance)
                for distance, place in tied
                for position in range(int(self._starts[place]), int(self._starts[place + 1]))
            ]
            found.sort(key=lambda one: bytes(self._table.postcode[one.position]))
            ranked += found
        return ranked


def _places_to_ask_for(question: Question) -> int:
    """2 stands for the quick way; a place holds at least one postcode, so `limit` places are always enough."""
    if question.wide:
        return max(question.limit, WIDE_MINIMUM) + _SPARE_PLACES
    return 2 if question.limit == 1 else question.limit + _SPARE_PLACES


def _earth_centred(latitude: Floats, longitude: Floats) -> Floats:
    """Metres from the centre of the earth, one row for each location on the ellipsoid."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    normal = _EQUATOR / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(phi) ** 2)
    across = normal * np.cos(phi)
    upward = normal * (1 - _ECCENTRICITY_2) * np.sin(phi)
    return np.stack((across * np.cos(lam), across * np.sin(lam), upward), axis=-1)


def _arc(chords: Floats, latitude: Floats) -> Floats:
    """Geodesic lengths of chords that begin at these latitudes; an infinite chord (nothing found) stays infinite."""
    sine_2 = np.sin(np.radians(latitude)) ** 2
    curvature = _EQUATOR * np.sqrt(1 - _ECCENTRICITY_2) / (1 - _ECCENTRICITY_2 * sine_2)
    diameter = 2 * (curvature[:, None] if chords.ndim == 2 else curvature)
    ratio = np.minimum(chords / diameter, 1)
    return np.where(np.isfinite(chords), diameter * np.arcsin(ratio), np.inf)
