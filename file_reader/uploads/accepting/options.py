"""The options of an upload: form fields or query parameters → what the reader is told."""

import codecs
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from uploads.addresses import AddressError, check_address
from uploads.errors import OptionError
from uploads.reading.detecting.dialect import Declared
from uploads.reading.fields import QUOTING
from uploads.reading.notations import Notation

#: What an upload may be given, by form field or in the query.
OPTIONS = (
    "latitude",
    "longitude",
    "has_header",
    "delimiter",
    "quoting",
    "encoding",
    "decimal",
    "coordinates",
    "sheet",
    "max_distance",
    "filename",
    "webhook_url",
)
#: Those that say how a file is read: all that a preview takes.
READING_OPTIONS = tuple(name for name in OPTIONS if name != "webhook_url")
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
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
#: What may stand between fields: nothing that is part of a number, a name, a quote or a line end.
_DELIMITER = re.compile(r"[^\w\d\"'+.\-\r\n\0]|_")


@dataclass(frozen=True)
class UploadOptions:
    """`max_distance` in metres; `said` has those of how the file is read and answered, as they were given."""

    declared: Declared
    max_distance: float
    webhook_url: str
    said: dict[str, str]


def parse_options(values: Mapping[str, str]) -> UploadOptions:
    """Checks every option; an empty one counts as not given. Raises OptionError."""
    given = {name: value for name, value in values.items() if value.strip() or (name == "delimiter" and value)}
    return UploadOptions(
        declared=Declared(
            latitude=given.get("latitude"),
            longitude=given.get("longitude"),
            has_header=None if given.get("has_header") is None else parse_switch("has_header", given["has_header"]),
            delimiter=_delimiter(given.get("delimiter")),
            quoting=_quoting(given.get("quoting")),
            encoding=_encoding(given.get("encoding")),
            decimal=_decimal(given.get("decimal")),
            coordinates=_notation(given.get("coordinates")),
            sheet=_sheet(given.get("sheet")),
        ),
        max_distance=_max_distance(given.get("max_distance")),
        webhook_url=_webhook_url(given.get("webhook_url", "")),
        said=kept_options(given),
    )


def kept_options(values: Mapping[str, str]) -> dict[str, str]:
    """What counts again when the file is sent once more: neither its name nor who is told."""
    return {name: values[name] for name in READING_OPTIONS if values.get(name) and name != "filename"}


def check_no_text(declared: Declared, what: str) -> None:
    """Raises OptionError when it is said how the text of a table is written, and it was none: `what` it was."""
    for option in ("delimiter", "quoting", "encoding"):
        if (value := getattr(declared, option)) is not None:
            raise OptionError(option, value, f"{what} has none; leave it out")


def check_converted(declared: Declared, what: str) -> None:
    """Raises OptionError when something is said that does not go with a file that has a name for each value."""
    check_no_text(declared, what)
    if declared.has_header is False:
        raise OptionError("has_header", "false", f"{what} has names for all its values; leave it out")


def check_no_workbook(declared: Declared) -> None:
    """Raises OptionError when a sheet is named of what has none."""
    if declared.sheet is not None:
        raise OptionError("sheet", declared.sheet, "only an Excel workbook has sheets; leave it out")


def parse_switch(option: str, value: str | None) -> bool:
    """Whether an option is switched on; not given, it is off. Raises OptionError."""
    if value is None:
        return False
    if value.lower() not in _YES | _NO:
        raise OptionError(option, value, "true or false")
    return value.lower() in _YES


def _delimiter(value: str | None) -> str | None:
    if value is None:
        return None
    delimiter = _DELIMITER_NAMES.get(value.lower(), value)
    if len(delimiter) != 1 or not _DELIMITER.fullmatch(delimiter):
        raise OptionError(
            "delimiter",
            value,
            "one character that is no letter, digit, sign or quote; or comma, semicolon, tab, pipe, space",
        )
    return delimiter


def _quoting(value: str | None) -> str | None:
    if value is not None and value not in QUOTING:
        raise OptionError("quoting", value, ", ".join(QUOTING))
    return value


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
        raise OptionError("sheet", value, "the name of a sheet, its number from 1, or *")
    return value


def _webhook_url(value: str) -> str:
    if value:
        try:
            check_address(value, settings.WEBHOOK_ALLOWED_HOSTS)
        except AddressError as error:
            raise OptionError("webhook_url", value, str(error)) from None
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
