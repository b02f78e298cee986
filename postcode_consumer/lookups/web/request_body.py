"""A request's body or query → locations, or the problem that names the fault and its place.

The usual body is decoded and checked in one pass by msgspec. Only when that fails it is read a second time, slowly, to
name every location that is at fault.
"""

import json
import logging
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import msgspec

from lookups.answers import Location
from service_kit.problems import Problem
from service_kit.query_parameters import hint

logger = logging.getLogger(__name__)

MAX_LOCATIONS = 1_000
MAX_DISTANCE_METRES = 20_000.0
DEFAULT_DISTANCE_METRES = 2_000.0
#: A body with 1,000 bad locations is explained by its first ones.
MAX_ERRORS = 100
#: So much of a name that nobody knows is shown.
_SHOWN_CHARS = 100

#: `float()` also takes underscores, digits of other scripts, spaces, nan and inf. Each digit can be matched in one way
#: only: a pattern with a choice takes quadratic time for many digits.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    locations: list[Location]
    max_distance: float = DEFAULT_DISTANCE_METRES


_decoder = msgspec.json.Decoder(_Body)


def parse_body(body: bytes) -> tuple[list[Location], float]:
    """The locations and the maximum distance (metres) of a bulk request."""
    try:
        question = _decoder.decode(body)
    except (msgspec.ValidationError, RecursionError) as error:
        _explain(body, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _invalid_json(str(error)) from None
    check_count(len(question.locations), MAX_LOCATIONS)
    return question.locations, checked_distance(question.max_distance)


def parse_query(*, latitude: str | None, longitude: str | None, max_distance: str | None) -> tuple[Location, float]:
    """The location and the maximum distance (metres) of a request for one location."""
    values: dict[str, float | None] = {}
    for name, text in (("latitude", latitude), ("longitude", longitude)):
        if text is None:
            raise invalid_location(f"The query parameter {name} is missing.")
        values[name] = _number(text)
    fault = fault_of(values)
    if fault:
        raise invalid_location(fault)
    distance = DEFAULT_DISTANCE_METRES if max_distance is None else checked_distance(_number(max_distance))
    return msgspec.convert(values, Location), distance


def parse_deadline(header: str | None) -> float:
    """`X-Request-Deadline`: the seconds that the caller will still wait; without it, any number of them."""
    seconds = math.inf if header is None else _number(header)
    if seconds is None or seconds < 0:
        raise Problem(
            "invalid-deadline",
            "X-Request-Deadline is not valid",
            status=400,
            detail="X-Request-Deadline must be a number of seconds, not below 0, such as 2.5.",
        )
    return seconds


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _explain(body: bytes, message: str) -> NoReturn:
    """Raises the problem of a body that msgspec refused with `message`."""
    question = _plain_json(body)
    if isinstance(question, dict):
        check_members(question, _Body.__struct_fields__)
    if not isinstance(question, dict) or not isinstance(question.get("locations"), list):
        raise _invalid_json("The body must be an object with a list named locations.")
    locations = question["locations"]
    check_count(len(locations), MAX_LOCATIONS)
    checked_distance(question.get("max_distance", DEFAULT_DISTANCE_METRES))
    faults = ((index, fault_of(location)) for index, location in enumerate(locations))
    errors = [{"index": index, "detail": fault} for index, fault in faults if fault]
    if not errors:
        for place, location in enumerate(locations):
            check_members(location, Location.__struct_fields__, index=place)
        logger.info("body refused why=%r", message)
        raise _invalid_json("The body is not as documented. Is a member there twice?")
    index, detail = errors[0]["index"], errors[0]["detail"]
    raise invalid_location(f"Location {index}: {detail}", index=index, errors=errors[:MAX_ERRORS])


def _plain_json(body: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        # ValueError also covers bytes that are not UTF-8 and integers of more digits than Python reads.
        return json.loads(body.decode(), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        logger.info("body refused why=%r", error)
        raise _invalid_json("The body is not JSON, or JSON of a kind that nobody means.") from None


def check_members(members: Iterable[str], known: Sequence[str], **place: int) -> None:
    """Raises Problem (400) for the first member of an object that is not known."""
    unknown = next((name[:_SHOWN_CHARS] for name in members if name not in known), None)
    if unknown is not None:
        raise Problem(
            "invalid-member",
            "A member of the body is not known",
            status=400,
            detail=f"There is no member {unknown!r}{hint(unknown, known)}",
            member=unknown,
            accepted=list(known),
            **place,
        )


def fault_of(location: Any) -> str | None:
    """The fault of one location, or None."""
    if not isinstance(location, dict):
        return "It must be an object with latitude and longitude."
    for name, limit in (("latitude", 90), ("longitude", 180)):
        if name not in location:
            return f"{name} is missing."
        value = location[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{name} must be a number."
        if not -limit <= value <= limit:
            return f"{name} must be from -{limit} to {limit}."
    return None


def checked_distance(value: Any) -> float:
    """`max_distance` in metres. Raises Problem (400) when it is not a number in its range."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= MAX_DISTANCE_METRES or not math.isfinite(value):
        raise Problem(
            "invalid-max-distance",
            "The maximum distance is not valid",
            status=400,
            detail=f"max_distance must be a number of metres above 0, up to {MAX_DISTANCE_METRES:.0f}.",
        )
    return float(value)


def check_count(count: int, most: int) -> None:
    """Raises Problem (400) for more locations than one call may have."""
    if count > most:
        raise Problem(
            "too-many-locations",
            "There are too many locations in one call",
            status=400,
            detail=f"{count} locations were sent; at most {most} are taken in one call.",
            max_locations=most,
        )


def _invalid_json(detail: str) -> Problem:
    return Problem("invalid-json", "The body is not the JSON that is expected here", status=400, detail=detail)


def invalid_location(detail: str, **extra: Any) -> Problem:
    """A problem (400) whose `index`, where there are several locations, is that of the first bad one."""
    return Problem("invalid-location", "A location is not valid", status=400, detail=detail, **extra)
