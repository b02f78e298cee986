"""Both coordinates in one cell."""

import re
from typing import Any

import msgspec

from uploads.reading.notations.degrees import SIDE, read_coordinates
from uploads.reading.notations.grids import IRISH_GRID, ITM, UTM29, UTM30, UTM31, WEB_MERCATOR, british, on_grid
from uploads.reading.notations.located import Located, checked
from uploads.reading.notations.texts import DIGITS, MAX_CHARS, MISSING, bare

#: Two numbers; a height and an accuracy may follow.
_PAIR = re.compile(rf"({DIGITS})(?:\s*[,;]\s*|\s+)({DIGITS})(?:(?:\s*[,;]\s*|\s+){DIGITS}){{0,2}}", re.ASCII)
#: Where the first of two angles may end and the second begin.
_BETWEEN = re.compile(r"\s*[,;/|]\s*|\s+|(?<=[A-Za-z])(?=\d)|(?<=[\d\"'°])(?=[A-Za-z])")
#: What only angles have, and no other two numbers: a letter or a word for a side, or the mark of degrees.
MARKED = re.compile(rf"\d\s*(?:[°º]|d(?:eg|\d))|\d\W*(?:{SIDE})\b|\b(?:{SIDE})\W*\d", re.IGNORECASE)
#: One number, or something beside the numbers. Only for speed.
_MAY_BE_ANGLE = re.compile(r"[^\d\s.+-]|^[+-]?[\d.]+$")
#: Longer than two angles.
_ANGLES_CHARS = 120
_NUMBERS = rf"({DIGITS})\s+({DIGITS})(?:\s+{DIGITS}){{0,2}}"
_WKT_POINT = re.compile(
    rf"(?:SRID=(\d{{1,6}});)?\s*(?:POINT\s*Z?M?\s*\(\s*{_NUMBERS}\s*\)"
    rf"|MULTIPOINT\s*Z?M?\s*\(\s*\(?\s*{_NUMBERS}\s*\)?\s*\))",
    re.ASCII | re.IGNORECASE,
)
_DEGREES = "4326"
_BRITISH = "27700"
_GRIDS = {str(grid.epsg): grid for grid in (IRISH_GRID, ITM, UTM29, UTM30, UTM31, WEB_MERCATOR)}
_LATITUDES = ("latitude", "lat")
_LONGITUDES = ("longitude", "lon", "lng", "long")


def read_lat_lon(text: str) -> Located:
    """51.5, -0.1 or (51.5, -0.1); also as angles, each with its letter or its marks."""
    return _read_pair(text, is_latitude_first=True)


def read_lon_lat(text: str) -> Located:
    """The same, longitude first."""
    return _read_pair(text, is_latitude_first=False)


def read_wkt(text: str) -> Located:
    """POINT (-0.1 51.5), MULTIPOINT of one, with Z and M, with an SRID (EWKT)."""
    text = bare(text)
    if (reason := _no_text(text)) is not None:
        return reason
    if text.upper().endswith(" EMPTY"):
        return "coordinates_missing"
    if (found := _WKT_POINT.fullmatch(text)) is None:
        return "not_coordinates"
    srid = found[1] or _DEGREES
    x, y = float(found[2] or found[4]), float(found[3] or found[5])
    if srid == _DEGREES:
        return checked(y, x)
    if srid == _BRITISH:
        return british(x, y)
    return on_grid(_GRIDS[srid], x, y) if srid in _GRIDS else "unknown_srid"


def read_geojson(text: str) -> Located:
    """{"type": "Point", "coordinates": [-0.1, 51.5]}, a MultiPoint of one, or a Feature of such a geometry."""
    found = _object(text)
    if isinstance(found, str):
        return found
    if found.get("type") == "Feature":
        found = {**found, **(found["geometry"] if isinstance(found.get("geometry"), dict) else {})}
    position = found.get("coordinates")
    if found.get("type") == "MultiPoint" and isinstance(position, list) and len(position) == 1:
        position = position[0]
    elif found.get("type") != "Point":
        return "not_coordinates"
    if "crs" in found and not re.search("CRS84|4326", str(found["crs"])):
        return "unknown_srid"
    if not isinstance(position, list) or len(position) < 2 or not all(map(_is_number, position[:2])):
        return "not_coordinates"
    return checked(float(position[1]), float(position[0]))


def read_json(text: str) -> Located:
    """{"lat": 51.5, "lon": -0.1} or with other names for these, as numbers or as text."""
    found = _object(text)
    if isinstance(found, str):
        return found
    latitudes, longitudes = ([found[name] for name in names if name in found] for names in (_LATITUDES, _LONGITUDES))
    if len(latitudes) != 1 or len(longitudes) != 1:
        return "not_coordinates"
    return read_coordinates(*("" if value is None else str(value) for value in (latitudes[0], longitudes[0])))


def _read_pair(text: str, *, is_latitude_first: bool) -> Located:
    text = bare(text)
    if (reason := _no_text(text)) is not None:
        return reason
    if text[0] in "([":
        text = text[1:].lstrip()
    if text[-1:] in (")", "]"):
        text = text[:-1].rstrip()
    if (found := _PAIR.fullmatch(text)) is not None:
        first, second = float(found[1]), float(found[2])
        return checked(first, second) if is_latitude_first else checked(second, first)
    return _read_angles(text, is_latitude_first=is_latitude_first)


def _read_angles(text: str, *, is_latitude_first: bool) -> Located:
    """Two angles: wherever the second may begin, both must be angles."""
    if len(text) > _ANGLES_CHARS or not MARKED.search(text):
        return "not_coordinates"
    for between in _BETWEEN.finditer(text):
        pair = text[: between.start()], text[between.end() :]
        if not all(map(_MAY_BE_ANGLE.search, pair)):
            continue
        located = read_coordinates(*(pair if is_latitude_first else reversed(pair)))
        if located not in ("not_a_number", "letter_of_other_axis", "coordinates_missing"):
            return located
    return "not_coordinates"


def _object(text: str) -> dict[str, Any] | str:
    text = bare(text)
    if (reason := _no_text(text)) is not None:
        return reason
    if text.startswith("{'"):  # as Python writes it
        text = text.replace("'", '"')
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "not_coordinates"
    return found if isinstance(found, dict) else "not_coordinates"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_text(text: str) -> str | None:
    if text.lower() in MISSING:
        return "coordinates_missing"
    return "not_coordinates" if len(text) > MAX_CHARS else None
