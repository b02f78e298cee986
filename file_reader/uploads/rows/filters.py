"""The filters of the query API: what a call may ask of rows, and the conditions that it becomes."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import F, FloatField, Q, QuerySet, Value
from django.db.models.functions import ASin, Cos, Power, Radians, Sin, Sqrt
from django.db.models.lookups import LessThanOrEqual

from uploads.errors import ParameterError
from uploads.models import (
    STATUS_WORDS,
    Area,
    Row,
    Upload,
)
from uploads.row_ids import ids_of_upload

#: The fields of a row as the query API gives them; "id" is the position in the pages.
ROW_FIELDS = (
    "id",
    "upload__public_id",
    "latitude",
    "longitude",
    "status",
    "reason",
    "postcode",
    "distance_m",
    "area__country",
    "area__region",
    "area__admin_district",
    "area__admin_ward",
    "line",
    "raw",
)
#: Filters by the name of an area: fields of `Area`.
_AREA_FILTERS = ("admin_district", "country")
#: The parameters that `parse_filters` takes.
ROW_FILTERS = ("status", "postcode", "outcode", *_AREA_FILTERS, "bbox", "near", "radius")
_STATUSES = {word: value for value, word in STATUS_WORDS.items()}
#: The mean radius of the earth in metres (IUGG).
_EARTH_RADIUS = 6_371_008.8
_MAX_RADIUS = 100_000.0


def rows_of(upload: Upload) -> QuerySet[Row]:
    """The rows of one upload: a range of the primary key."""
    return Row.objects.filter(id__range=ids_of_upload(upload.pk))


class Box(NamedTuple):
    """Degrees; its edges belong to it."""

    south: float
    north: float
    west: float
    east: float

    def within(self, other: "Box") -> "Box":
        """What both have in common."""
        return Box(
            max(self.south, other.south),
            min(self.north, other.north),
            max(self.west, other.west),
            min(self.east, other.east),
        )


@dataclass(frozen=True)
class Filters:
    """What a call asks of rows: `where` is all of it."""

    where: Q


def parse_filters(parameters: dict[str, str]) -> Filters:
    """The filters of the query API. Raises ParameterError for a value that is not valid."""
    for name, text in parameters.items():
        if "\0" in text:  # PostgreSQL's text cannot hold it, so nothing can equal it
            raise ParameterError(name, "A NUL character is not accepted.")
    where, box = Q(), None
    if word := parameters.get("status"):
        if word not in _STATUSES:
            raise ParameterError("status", f"Accepted: {', '.join(_STATUSES)}.")
        where &= Q(status=_STATUSES[word])
    if names := {name: value for name in _AREA_FILTERS if (value := parameters.get(name))}:
        # PostgreSQL would look up the area of each row that it passes, unless it has a list.
        where &= Q(area__in=list(Area.objects.filter(**names).values_list("pk", flat=True)))
    if outcode := parameters.get("outcode"):
        where &= Q(**in_outcode(outcode))
    if postcode := parameters.get("postcode"):
        where &= Q(postcode=normal_postcode(postcode))
    if bbox := parameters.get("bbox"):
        accepted = "minlon,minlat,maxlon,maxlat in degrees"
        west, south, east, north = _numbers("bbox", bbox, 4, accepted)
        if west > east or south > north:
            raise ParameterError("bbox", f"Accepted: {accepted}, the smaller of each pair first.")
        box = Box(south, north, west, east)
        where &= _in_box(box)
    if "near" in parameters or "radius" in parameters:
        around, circle = _near(parameters.get("near", ""), parameters.get("radius", ""))
        # The box around the circle first: plain comparisons, which cost little.
        where &= _in_box(around) & circle
        box = around.within(box) if box else around
    return Filters(where)


def _in_box(box: Box) -> Q:
    return Q(latitude__range=(box.south, box.north), longitude__range=(box.west, box.east))


def _near(near: str, radius: str) -> tuple[Box, Q]:
    latitude, longitude = _numbers("near", near, 2, "latitude,longitude in degrees, together with radius")
    (metres,) = _numbers("radius", radius, 1, f"metres, up to {_MAX_RADIUS:,.0f}, together with near")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ParameterError("near", "The latitude is from -90 to 90, the longitude from -180 to 180 degrees.")
    if not 0 < metres <= _MAX_RADIUS:
        raise ParameterError("radius", f"The radius is above 0 and up to {_MAX_RADIUS:,.0f} m.")
    degrees = math.degrees(metres / _EARTH_RADIUS)
    widest = max(math.cos(math.radians(min(90.0, abs(latitude) + degrees))), 1e-6)
    west, east = longitude - degrees / widest, longitude + degrees / widest
    if west < -180 or east > 180:  # what is left of it lies on the other side of the world's map
        west, east = -180.0, 180.0
    box = Box(latitude - degrees, latitude + degrees, west, east)
    return box, Q(LessThanOrEqual(_great_circle(latitude, longitude), metres))


def _great_circle(latitude: float, longitude: float) -> Any:
    """Metres from a location to the row, by the haversine formula on a sphere: within 0.5 % of the ellipsoid."""
    here = Radians(Value(latitude, output_field=FloatField()))
    south_north = Power(Sin((Radians(F("latitude")) - here) / 2.0), 2)
    east_west = Power(Sin(Radians(F("longitude") - longitude) / 2.0), 2)
    chord = south_north + Cos(here) * Cos(Radians(F("latitude"))) * east_west
    return 2 * _EARTH_RADIUS * ASin(Sqrt(chord))


def _numbers(name: str, value: str, count: int, accepted: str) -> list[float]:
    try:
        numbers = [float(part) for part in value.split(",")] if value.isascii() and "_" not in value else []
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ParameterError(name, f"Accepted: {accepted}.")
    return numbers


def normal_postcode(text: str) -> str:
    """A postcode as it is stored: capitals, one space before the last three characters."""
    joined = "".join(text.split()).upper()
    return f"{joined[:-3]} {joined[-3:]}" if len(joined) > 3 else joined


def normal_outcode(text: str) -> str:
    """An outcode as it is stored."""
    return text.strip().upper()


def in_outcode(outcode: str) -> dict[str, str]:
    """The filter for what has a postcode with that outcode: a run of postcodes in their order."""
    outcode = normal_outcode(outcode)
    return {"postcode__gt": f"{outcode} ", "postcode__lt": f"{outcode}!"}  # "!" is what comes after a space
