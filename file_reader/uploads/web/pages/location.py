"""One location that somebody types → what postcode_consumer answers."""

import re
from dataclasses import dataclass
from math import cos, radians
from typing import Any

import msgspec
import requests
from django.conf import settings
from django.utils.translation import gettext as _

from service_kit.logs import request_id
from uploads.reading.notations import Notation, read_cell

_SECONDS = 5.0
_DIGITS_OF_A_PLACE = 2
#: The outline of the locator is drawn with the degrees of this latitude (design of the page).
_ASPECT = cos(radians(55))


@dataclass(frozen=True)
class Looked:
    """What was asked, and the answer, or what is wrong with it."""

    asked: str
    answer: dict[str, Any] | None = None
    error: str = ""
    #: Where it lies on the locator.
    x: float = 0.0
    y: float = 0.0


def look_up(text: str) -> Looked:
    """The postcode nearest to a location such as "51.501, -0.142"."""
    located = read_cell(re.sub(r"\s+", " ", text), Notation.LAT_LON)
    if located == "coordinates_swapped":
        return Looked(text, error=_("Latitude and longitude seem to be swapped: write the latitude first."))
    if isinstance(located, str):
        return Looked(text, error=_("Write a latitude and a longitude, such as 51.501, -0.142."))
    latitude, longitude = located
    try:
        response = requests.get(
            f"{settings.POSTCODE_CONSUMER_URL}/api/v1/reverse-geocode/",
            params={"latitude": latitude, "longitude": longitude},
            headers={"X-Internal-Token": settings.INTERNAL_TOKEN, "X-Request-Id": request_id.get()},
            timeout=_SECONDS,
            allow_redirects=False,
        )
        answer = msgspec.json.decode(response.content, type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        answer, response = {}, None
    if response is None or response.status_code != 200:
        return Looked(text, error=_("The postcode service does not answer now. Try again in a minute."))
    return Looked(
        text,
        answer,
        x=round(longitude * _ASPECT, _DIGITS_OF_A_PLACE),
        y=round(-latitude, _DIGITS_OF_A_PLACE),
    )
