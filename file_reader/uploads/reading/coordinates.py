"""Text to coordinates, strictly: what `float()` takes but no person means is rejected with a reason.

The reason codes of rejected rows are a closed list; REASONS has a sentence for each.
"""

import re

REASONS = {
    "coordinates_missing": "The latitude or the longitude is empty.",
    "not_a_number": "The latitude or the longitude is not a decimal number such as 51.501 or -0.1419.",
    "latitude_out_of_range": "The latitude is not between -90 and 90 degrees.",
    "longitude_out_of_range": "The longitude is not between -180 and 180 degrees.",
    "too_few_fields": "The row has fewer fields than the file's first record.",
    "too_many_fields": "The row has more fields than the file's first record.",
    "nul_byte": "The row contains a NUL byte.",
}
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "\\n", "-"})
# Each digit can be matched in one way only: a pattern with a choice takes quadratic time for a cell of many digits.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
#: Longer than any coordinate that somebody means; what is longer is not looked at.
_MAX_CHARS = 1_000


def read_coordinates(latitude: str, longitude: str) -> tuple[float, float] | str:
    """The two numbers in degrees, or the code of the reason why not."""
    latitude, longitude = latitude.strip(), longitude.strip()
    if len(latitude) > _MAX_CHARS or len(longitude) > _MAX_CHARS:
        return "not_a_number"
    if latitude.lower() in _MISSING or longitude.lower() in _MISSING:
        return "coordinates_missing"
    if not _NUMBER.fullmatch(latitude) or not _NUMBER.fullmatch(longitude):
        return "not_a_number"
    degrees = float(latitude), float(longitude)
    if not -90 <= degrees[0] <= 90:
        return "latitude_out_of_range"
    if not -180 <= degrees[1] <= 180:
        return "longitude_out_of_range"
    return degrees
