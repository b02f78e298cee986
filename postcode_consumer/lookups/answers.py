"""The words of this service: a location goes in, an answer comes out. Both are also the JSON on the wire."""

import time
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Status = Literal["match", "no_match", "failed"]
NoMatchReason = Literal["none_within_max_distance", "searched_to_2000_m", "outside_uk", "not_covered"]
Reason = Literal[NoMatchReason, "upstream_rejected"]
#: Names of country, region, district and ward; None where the source does not say.
Area = tuple[str | None, str | None, str | None, str | None]

#: In seconds.
DAY = 86_400


class Location(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A latitude/longitude pair that was sent, in degrees (WGS 84)."""

    latitude: Latitude
    longitude: Longitude


class PostcodeDetails(msgspec.Struct, frozen=True, gc=False):
    """The details of a postcode. `latitude` and `longitude` are the postcode's own, not the location's."""

    outcode: str
    incode: str
    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The final answer to one location; its members are those of the wire, in their order.

    `reason` is None for a match. `distance_m` is in metres, from the location to the postcode. `looked_up_at` is the
    day on which the provider was asked (UTC), which may be long ago: answers are remembered. No answer says more: the
    moment would tell when somebody asked about this very location.
    """

    latitude: float
    longitude: float
    status: Status
    reason: Reason | None
    postcode: str | None
    distance_m: float | None
    postcode_details: PostcodeDetails | None
    provider: str
    looked_up_at: datetime


def day_of(seconds: float) -> datetime:
    """The day of a moment in Unix seconds, as answers have it."""
    return datetime.fromtimestamp(seconds // DAY * DAY, UTC)


def this_day() -> datetime:
    """The day, for all answers of one lookup."""
    return day_of(time.time())


def match(
    location: Location,
    *,
    postcode: str,
    distance: float,
    details: PostcodeDetails,
    provider: str,
    looked_up_at: datetime,
) -> Answer:
    """The nearest postcode was found, `distance` metres away."""
    return Answer(
        location.latitude,
        location.longitude,
        "match",
        None,
        postcode,
        round(distance, 2),
        details,
        provider,
        looked_up_at,
    )


def no_match(
    location: Location,
    reason: NoMatchReason,
    *,
    provider: str,
    looked_up_at: datetime,
) -> Answer:
    """The question was answered: there is no postcode."""
    return _without_postcode(location, "no_match", reason, provider, looked_up_at)


def failed(location: Location, *, provider: str, looked_up_at: datetime) -> Answer:
    """The provider refuses this very location, while it answers others."""
    return _without_postcode(location, "failed", "upstream_rejected", provider, looked_up_at)


def _without_postcode(
    location: Location, status: Status, reason: Reason, provider: str, looked_up_at: datetime
) -> Answer:
    return Answer(location.latitude, location.longitude, status, reason, None, None, None, provider, looked_up_at)
