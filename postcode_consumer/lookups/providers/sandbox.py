"""The provider for demos and tests: a hand-written gazetteer of well-known British places, no network."""

import csv
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from lookups.answers import Answer, Location, PostcodeDetails, match, no_match, this_day
from lookups.deadline import Deadline

GAZETTEER = Path(__file__).with_name("gazetteer.csv")
#: Metres; the mean radius of the WGS 84 ellipsoid (IUGG).
EARTH_RADIUS = 6_371_008.8

_Vector = tuple[float, float, float]


class _Place(NamedTuple):
    postcode: str
    details: PostcodeDetails
    vector: _Vector


class Sandbox:
    """The nearest place of the gazetteer by great-circle distance; of equally near ones the first in the alphabet."""

    name = "sandbox"

    def __init__(self) -> None:
        self._places = _read(GAZETTEER)

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """See `Provider`."""
        day = this_day()
        return [self._answer(location, max_distance, day) for location in locations]

    def details_of(self, postcode: str, *, remembered: bool) -> PostcodeDetails | None:
        """See `Provider`."""
        return next((place.details for place in self._places if place.postcode == postcode), None)

    def _answer(self, location: Location, max_distance: float, day: datetime) -> Answer:
        here = _vector(location.latitude, location.longitude)
        # min() keeps the first of equals, and the places are in alphabetical order.
        nearest = min(self._places, key=lambda place: math.dist(here, place.vector))
        distance = 2 * EARTH_RADIUS * math.asin(min(1.0, math.dist(here, nearest.vector) / 2))
        if distance > max_distance:
            return no_match(location, "none_within_max_distance", provider=self.name, looked_up_at=day)
        return match(
            location,
            postcode=nearest.postcode,
            distance=distance,
            details=nearest.details,
            provider=self.name,
            looked_up_at=day,
        )


def _read(path: Path) -> list[_Place]:
    with path.open(encoding="utf-8", newline="") as file:
        return sorted((_place(record) for record in csv.DictReader(file)), key=lambda place: place.postcode)


def _place(record: dict[str, str]) -> _Place:
    latitude, longitude = float(record["latitude"]), float(record["longitude"])
    outcode, incode = record["postcode"].split()
    details = PostcodeDetails(
        outcode=outcode,
        incode=incode,
        country=record["country"] or None,
        region=record["region"] or None,
        admin_district=record["admin_district"] or None,
        admin_ward=record["admin_ward"] or None,
        latitude=latitude,
        longitude=longitude,
    )
    return _Place(record["postcode"], details, _vector(latitude, longitude))


def _vector(latitude: float, longitude: float) -> _Vector:
    """The place on a sphere of radius 1: straight distances there grow with great-circle distances."""
    phi, lam = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)
