"""The options of an upload: form fields or query parameters → what the reader is told."""

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from uploads.errors import OptionError
from uploads.reading.detecting.dialect import DELIMITERS, Declared
from uploads.reading.notations import Notation

#: What an upload may be given, by form field or in the query.
OPTIONS = (
    "latitude",
    "longitude",
    "has_header",
    "delimiter",
    "encoding",
    "decimal",
    "coordinates",
    "sheet",
    "max_distance",
    "filename",
)
DEFAULT_MAX_DISTANCE = 2_000.0
MAX_MAX_DISTANCE = 20_000.0
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})
#: Encodings of spreadsheets and databases in the west. All keep each character apart from the others: a fault in one
#: does not change how the next ones are read.
_ENCODINGS = re.compile(
    r"utf-8(-sig)?|utf-16(-le|-be)?|ascii|iso8859-\d+|cp125\d|cp437|cp850|cp858|mac-roman|koi8-[ru]"
)
_SHEET_CHARS = 100
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class UploadOptions:
    """`max_distance` in metres."""

    declared: Declared
    max_distance: float


def parse_options(values: Mapping[str, str]) -> UploadOptions:
    """Checks every option; an empty one counts as not given. Raises OptionError."""
    given = {name: value for name, value in values.items() if value.strip() or (name == "delimiter" and value)}
    return UploadOptions(
        declared=Declared(
            latitude=given.get("latitude"),
            longitude=given.get("longitude"),
            has_header=_has_header(given.get("has_header")),
            delimiter=_delimiter(given.get("delimiter")),
            encoding=_encoding(given.get("encoding")),
            decimal=_decimal(given.get("decimal")),
            coordinates=_notation(given.get("coordinates")),
            sheet=_sheet(given.get("sheet")),
        ),
        max_distance=_max_distance(given.get("max_distance")),
    )


def check_workbook(declared: Declared) -> None:
    """Raises OptionError when it is said how the text of a workbook is written: it has none."""
    for option, value in (("delimiter", declared.delimiter), ("encoding", declared.encoding)):
        if value is not None:
            raise OptionError(option, value, "an Excel workbook has none; leave it out")


def check_no_workbook(declared: Declared) -> None:
    """Raises OptionError when a sheet is named of what has none."""
    if declared.sheet is not None:
        raise OptionError("sheet", declared.sheet, "only an Excel workbook has sheets; leave it out")


def _has_header(value: str | None) -> bool | None:
    if value is None:
        return None
    if value.lower() not in _YES | _NO:
        raise OptionError("has_header", value, "true or false")
    return value.lower() in _YES


def _delimiter(value: str | None) -> str | None:
    if value is None:
        return None
    delimiter = _DELIMITER_NAMES.get(value.lower(), value)
    if delimiter not in DELIMITERS:
        raise OptionError("delimiter", value, "comma, semicolon, tab or pipe, by name or as the character itself")
    return delimiter


def _encoding(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        name = codecs.lookup(value).name
    except (LookupError, ValueError):
        name = ""
    if not _ENCODINGS.fullmatch(name):
        raise OptionError(
            "encoding", value, "a text encoding of tables: utf-8, utf-16, windows-1252, iso-8859-1 and their like"
        )
    return name


def _decimal(value: str | None) -> str | None:
    if value is not None and value not in (".", ","):
        raise OptionError("decimal", value, "'.' or ','")
    return value


def _notation(value: str | None) -> str | None:
    if value is not None and value not in list(Notation):
        raise OptionError("coordinates", value, ", ".join(Notation))
    return value


def _sheet(value: str | None) -> str | None:
    if value is not None and (len(value) > _SHEET_CHARS or not value.isprintable()):
        raise OptionError("sheet", value, "the name of a sheet, or its number from 1")
    return value


def _max_distance(value: str | None) -> float:
    if value is None:
        return DEFAULT_MAX_DISTANCE
    try:
        metres = float(value) if value.isascii() and "_" not in value else math.nan
    except ValueError:
        metres = math.nan
    if not 0 < metres <= MAX_MAX_DISTANCE:
        raise OptionError("max_distance", value, f"metres, above 0 and up to {MAX_MAX_DISTANCE:,.0f}")
    return metres
