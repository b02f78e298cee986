"""Questions and answers as columns: msgpack around plain little-endian arrays. contracts/README.md has every member."""

from contextlib import suppress
from hashlib import blake2b
from typing import Any, NamedTuple, NoReturn

import msgspec
import numpy as np
from rest_framework.exceptions import ParseError

from lookups.columns import Columns, Floats
from lookups.web.request_body import (
    DEFAULT_DISTANCE_METRES,
    check_count,
    check_members,
    checked_distance,
    fault_of,
    invalid_location,
)

CONTENT_TYPE = "application/vnd.postcode-columns+msgpack"
MAX_LOCATIONS = 5_000
_KINDS = {"status": "u1", "reason": "u1", "distance": "<f8", "place": "<i4", "postcodes": "S8", "area": "<u4"}


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    latitudes: bytes
    longitudes: bytes
    #: Checked as that of JSON is.
    max_distance: Any = DEFAULT_DISTANCE_METRES


class Question(NamedTuple):
    """Coordinates in degrees, in range and as many of the ones as of the others; the distance in metres."""

    latitudes: Floats
    longitudes: Floats
    max_distance: float
    #: A digest of the coordinates as they came. The answer repeats it: it is to this question, in its order.
    digest: bytes


_decoder = msgspec.msgpack.Decoder(_Body)


def parse(body: bytes) -> Question:
    """The question. Raises a problem (400) as for JSON, or ParseError when it is not one at all."""
    try:
        asked = _decoder.decode(body)
        latitudes, longitudes = np.frombuffer(asked.latitudes, "<f8"), np.frombuffer(asked.longitudes, "<f8")
    # ValueError: bytes that are not whole numbers, or not UTF-8.
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _explain(body, error)
    check_count(max(len(latitudes), len(longitudes)), MAX_LOCATIONS)
    max_distance = checked_distance(asked.max_distance)
    _check(latitudes, longitudes)
    digest = blake2b(asked.latitudes + asked.longitudes, digest_size=16).digest()
    return Question(latitudes, longitudes, max_distance, digest)


def encoded(columns: Columns, question: Question) -> bytes:
    """The answer to the question."""
    arrays = {name: getattr(columns, name).astype(kind, copy=False).tobytes() for name, kind in _KINDS.items()}
    return msgspec.msgpack.encode({**arrays, "areas": columns.areas, "asked": question.digest})


def _explain(body: bytes, error: Exception) -> NoReturn:
    """Raises the problem of a body that cannot be read."""
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        members = msgspec.msgpack.decode(body, type=dict[str, msgspec.Raw])
        check_members(members, _Body.__struct_fields__)
    raise ParseError(f"The body is not a question in columns: {error}.") from None


def _check(latitudes: Floats, longitudes: Floats) -> None:
    count = min(len(latitudes), len(longitudes))
    # NaN is in no range.
    is_good = (np.abs(latitudes[:count]) <= 90) & (np.abs(longitudes[:count]) <= 180)
    if is_good.all() and len(latitudes) == len(longitudes):
        return
    # Of columns that are not of one length, the first location that lacks one of the two is the last to be bad.
    index = int(np.append(is_good, False).argmin())
    columns = {"latitude": latitudes, "longitude": longitudes}
    fault = fault_of({name: float(column[index]) for name, column in columns.items() if index < len(column)})
    raise invalid_location(f"Location {index}: {fault}", index=index)
