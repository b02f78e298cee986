"""The options of an upload: form fields or query parameters → what the reader is told."""

import codecs
import math
from collections.abc import Mapping
from dataclasses import dataclass

from reader.problems import Problem
from uploads.reading.dialect import DELIMITERS, Declared

DEFAULT_MAX_DISTANCE = 2_000.0
MAX_MAX_DISTANCE = 20_000.0
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})
#: Python has these for domain names and for its own source code.
_NOT_OF_FILES = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class UploadOptions:
    """`max_distance` in metres."""

    declared: Declared
    max_distance: float


def parse_options(values: Mapping[str, str]) -> UploadOptions:
    """Checks every option; an empty one counts as not given. Raises Problem (400) that names the option."""
    given = {name: value for name, value in values.items() if value.strip() or (name == "delimiter" and value)}
    return UploadOptions(
        declared=Declared(
            latitude=given.get("latitude"),
            longitude=given.get("longitude"),
            has_header=_has_header(given.get("has_header")),
            delimiter=_delimiter(given.get("delimiter")),
            encoding=_encoding(given.get("encoding")),
            decimal=_decimal(given.get("decimal")),
        ),
        max_distance=_max_distance(given.get("max_distance")),
    )


def _invalid(option: str, value: str, accepted: str) -> Problem:
    return Problem(
        "invalid-option",
        "An option of the upload is not valid",
        status=400,
        detail=f"{option}={value!r} is not accepted: {accepted}.",
        option=option,
    )


def _has_header(value: str | None) -> bool | None:
    if value is None:
        return None
    if value.lower() not in _YES | _NO:
        raise _invalid("has_header", value, "true or false")
    return value.lower() in _YES


def _delimiter(value: str | None) -> str | None:
    if value is None:
        return None
    delimiter = _DELIMITER_NAMES.get(value.lower(), value)
    if delimiter not in DELIMITERS:
        raise _invalid("delimiter", value, "comma, semicolon, tab or pipe, by name or as the character itself")
    return delimiter


def _encoding(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        info = codecs.lookup(value)
    except (LookupError, ValueError):
        info = None
    if info is None or not info._is_text_encoding or info.name in _NOT_OF_FILES:
        raise _invalid("encoding", value, "a text encoding such as utf-8, utf-16 or windows-1252")
    return info.name


def _decimal(value: str | None) -> str | None:
    if value is not None and value not in (".", ","):
        raise _invalid("decimal", value, "'.' or ','")
    return value


def _max_distance(value: str | None) -> float:
    if value is None:
        return DEFAULT_MAX_DISTANCE
    try:
        metres = float(value) if value.isascii() and "_" not in value else math.nan
    except ValueError:
        metres = math.nan
    if not 0 < metres <= MAX_MAX_DISTANCE:
        raise _invalid("max_distance", value, f"metres, above 0 and up to {MAX_MAX_DISTANCE:,.0f}")
    return metres
