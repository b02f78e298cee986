"""Both coordinates in one cell."""

import re
from typing import Literal

import msgspec

from uploads.reading.notations.located import Located, checked
from uploads.reading.notations.texts import DIGITS, MAX_CHARS, MISSING, bare

_PAIR = re.compile(rf"[(\[]?\s*({DIGITS})(?:\s*[,;]\s*|\s+)({DIGITS})\s*[)\]]?", re.ASCII)
_WKT_POINT = re.compile(
    rf"(?:SRID=4326;)?\s*POINT\s*Z?M?\s*\(\s*({DIGITS})\s+({DIGITS})(?:\s+{DIGITS}){{0,2}}\s*\)",
    re.ASCII | re.IGNORECASE,
)


def read_lat_lon(text: str) -> Located:
    """51.5, -0.1 or (51.5, -0.1)"""
    found = _two_numbers(_PAIR, text)
    return found if isinstance(found, str) else checked(*found)


def read_lon_lat(text: str) -> Located:
    """The same, longitude first."""
    found = _two_numbers(_PAIR, text)
    return found if isinstance(found, str) else checked(*reversed(found))


def read_wkt(text: str) -> Located:
    """POINT (-0.1 51.5)"""
    found = _two_numbers(_WKT_POINT, text)
    return found if isinstance(found, str) else checked(*reversed(found))


def read_geojson(text: str) -> Located:
    """{"type": "Point", "coordinates": [-0.1, 51.5]}"""
    text = bare(text)
    if (reason := _no_text(text)) is not None:
        return reason
    try:
        longitude, latitude, *_ = msgspec.json.decode(text, type=_Point).coordinates
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "not_coordinates"
    return checked(latitude, longitude)


class _Point(msgspec.Struct):
    type: Literal["Point"]
    coordinates: list[float]


def _two_numbers(pattern: re.Pattern[str], text: str) -> tuple[float, float] | str:
    text = bare(text)
    if (reason := _no_text(text)) is not None:
        return reason
    found = pattern.fullmatch(text)
    return (float(found[1]), float(found[2])) if found else "not_coordinates"


def _no_text(text: str) -> str | None:
    if text.lower() in MISSING:
        return "coordinates_missing"
    return "not_coordinates" if len(text) > MAX_CHARS else None
