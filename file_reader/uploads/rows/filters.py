"""The filters of the query API: what a call may ask of rows, and where in the row index that is found."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Max, Min, QuerySet

from uploads.errors import ParameterError
from uploads.models import AREA_BITS, STATUS_WORDS, Area, IndexKind, Row, RowStatus, Upload
from uploads.row_ids import ids_of_upload
from uploads.rows.keys import cell_range, postcode_key, reason_key

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
ROW_FILTERS = ("status", "reason", "postcode", "outcode", *_AREA_FILTERS, "bbox", "near", "radius")
_STATUSES = {word: value for value, word in STATUS_WORDS.items()}
#: The mean radius of the earth in metres (IUGG).
_EARTH_RADIUS = 6_371_008.8
MAX_RADIUS = 100_000.0
#: What a key has of a postcode.
_KEY_BYTES = 8


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

    def is_empty(self) -> bool:
        return self.south > self.north or self.west > self.east


class Circle(NamedTuple):
    """Degrees, and the angle that its radius has as seen from the middle of the earth, in radians."""

    latitude: float
    longitude: float
    radius: float


class Lead(NamedTuple):
    """Keys of one kind: every row that is asked for has one of them, and others may have, too."""

    kind: IndexKind
    first_key: int
    last_key: int


@dataclass(frozen=True)
class Filters:
    """What a call asks of rows, all of it at once."""

    status: int | None = None
    reason: str | None = None
    postcode: str | None = None
    outcode: str | None = None
    #: Names of areas, by the field of `Area`, and the first and the last id that an area of these names has.
    names: dict[str, str] = field(default_factory=dict)
    areas: tuple[int, int] | None = None
    box: Box | None = None
    #: Within the box.
    circle: Circle | None = None

    @property
    def wants_postcode(self) -> bool:
        """Whether only rows that have a postcode are asked for."""
        return self.postcode is not None or self.outcode is not None or bool(self.names)

    @property
    def are_contradictory(self) -> bool:
        """Whether no row can be asked for: those without a match have no postcode, those that have one or wait for it
        have no reason, the rejected have no location."""
        return (
            (self.wants_postcode and (self.reason is not None or self.status not in (None, RowStatus.MATCH)))
            or (self.reason is not None and self.status in (RowStatus.MATCH, RowStatus.PENDING))
            or (self.box is not None and (self.box.is_empty() or self.status == RowStatus.REJECTED))
            or (bool(self.names) and self.areas is None)
            or not (self.postcode is None or self.outcode is None or self.postcode.startswith(f"{self.outcode} "))
        )

    @property
    def leads(self) -> list[Lead]:
        """Where in the row index the rows are found; empty when only walking through them will do."""
        leads = []
        if self.postcode is not None:
            leads.append(Lead(IndexKind.POSTCODE, *[postcode_key(self.postcode)] * 2))
        elif self.outcode is not None:
            first, behind = in_outcode(self.outcode)
            leads.append(Lead(IndexKind.POSTCODE, postcode_key(first), postcode_key(behind)))
        if self.areas:
            leads.append(Lead(IndexKind.AREA, *(area >> AREA_BITS for area in self.areas)))
        if self.status is not None and self.status != RowStatus.MATCH:
            leads.append(Lead(IndexKind.STATUS, self.status, self.status))
        if self.reason is not None:
            leads.append(Lead(IndexKind.REASON, *[reason_key(self.reason)] * 2))
        if self.box:
            leads.append(Lead(IndexKind.CELL, *cell_range(*self.box)))
        return leads

    @property
    def is_key(self) -> bool:
        """Whether all rows that have the lead's key are asked for, and nothing else is."""
        postcode = self.postcode or ""
        return self == Filters(postcode=postcode) and postcode.isascii() and len(postcode) <= _KEY_BYTES


def parse_filters(parameters: dict[str, str]) -> Filters:
    """The filters of the query API. Raises ParameterError for a value that is not valid."""
    for name, text in parameters.items():
        if "\0" in text:  # PostgreSQL's text cannot hold it, so nothing can equal it
            raise ParameterError(name, "A NUL character is not accepted.")
    word = parameters.get("status")
    if word and word not in _STATUSES:
        raise ParameterError("status", f"Accepted: {', '.join(_STATUSES)}.")
    names = {name: value for name in _AREA_FILTERS if (value := parameters.get(name))}
    box, circle = None, None
    if bbox := parameters.get("bbox"):
        accepted = "minlon,minlat,maxlon,maxlat in degrees"
        west, south, east, north = _numbers("bbox", bbox, 4, accepted)
        box = Box(south, north, west, east)
        if box.is_empty():
            raise ParameterError("bbox", f"Accepted: {accepted}, the smaller of each pair first.")
    if "near" in parameters or "radius" in parameters:
        around, circle = _near(parameters.get("near", ""), parameters.get("radius", ""))
        box = around.within(box) if box else around
    return Filters(
        status=_STATUSES[word] if word else None,
        reason=parameters.get("reason") or None,
        postcode=normal_postcode(postcode) if (postcode := parameters.get("postcode")) else None,
        outcode=normal_outcode(outcode) if (outcode := parameters.get("outcode")) else None,
        names=names,
        areas=_areas_named(names) if names else None,
        box=box,
        circle=circle,
    )


def _areas_named(names: dict[str, str]) -> tuple[int, int] | None:
    found = Area.objects.filter(**names).aggregate(first=Min("pk"), last=Max("pk"))
    return None if found["first"] is None else (found["first"], found["last"])


def _near(near: str, radius: str) -> tuple[Box, Circle]:
    latitude, longitude = _numbers("near", near, 2, "latitude,longitude in degrees, together with radius")
    (metres,) = _numbers("radius", radius, 1, f"metres, up to {MAX_RADIUS:,.0f}, together with near")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ParameterError("near", "The latitude is from -90 to 90, the longitude from -180 to 180 degrees.")
    if not 0 < metres <= MAX_RADIUS:
        raise ParameterError("radius", f"The radius is above 0 and up to {MAX_RADIUS:,.0f} m.")
    angle = metres / _EARTH_RADIUS
    degrees = math.degrees(angle)
    widest = max(math.cos(math.radians(min(90.0, abs(latitude) + degrees))), 1e-6)
    west, east = longitude - degrees / widest, longitude + degrees / widest
    if west < -180 or east > 180:  # what is left of it lies on the other side of the world's map
        west, east = -180.0, 180.0
    return Box(latitude - degrees, latitude + degrees, west, east), Circle(latitude, longitude, angle)


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


def in_outcode(outcode: str) -> tuple[str, str]:
    """Before the first and behind the last postcode with that outcode, in their order."""
    return f"{outcode} ", f"{outcode}!"  # "!" is what comes after a space
