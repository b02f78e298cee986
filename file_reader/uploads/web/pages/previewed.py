"""How the beginning of a file is read, in the words of the page that asks before anything is sent."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from uploads.reading.detecting.dialect import Dialect
from uploads.reading.notations import Notation, is_in_uk

DELIMITERS = {
    ",": ("comma", lazy("Comma"), lazy("commas")),
    ";": ("semicolon", lazy("Semicolon"), lazy("semicolons")),
    "\t": ("tab", lazy("Tab"), lazy("tabs")),
    "|": ("pipe", lazy("Vertical bar"), lazy("vertical bars")),
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
_ENCODINGS_TO_CHOOSE = {"utf-8": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16", "iso8859-1": "ISO 8859-1"}
_SHOWN_ROWS = 10


def previewed(filename: str, dialect: Dialect, shown: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """What the template needs; `given` are the settings that were sent."""
    rows = shown["rows"][:_SHOWN_ROWS]
    width = len(shown["columns"]) or max((len(row["fields"]) for row in rows), default=0)
    names = shown["columns"] or [_("Column %(number)s") % {"number": number} for number in range(1, width + 1)]
    roles = {dialect.latitude_column: "latitude", dialect.longitude_column: "longitude"}
    if dialect.latitude_column == dialect.longitude_column:
        roles = {dialect.latitude_column: "both"}
    estimated = shown["estimated_rows"]
    return {
        "filename": filename,
        "dialect": dialect,
        "shown": shown,
        "rows": rows,
        "columns": [
            {"number": number + 1, "name": name, "role": roles.get(number, "")} for number, name in enumerate(names)
        ],
        "given": given,
        "doubtful": any(warning["code"] == "coordinates_swapped" for warning in shown["warnings"]),
        "separator": DELIMITERS.get(dialect.delimiter, ("", dialect.delimiter, dialect.delimiter)),
        "delimiters": DELIMITERS.values(),
        "encoding": ENCODINGS.get(dialect.encoding, dialect.encoding),
        "encodings": _ENCODINGS_TO_CHOOSE.items(),
        "notations": [notation.value for notation in Notation],
        "header_line": dialect.preamble + 1,
        "in_uk": sum(is_in_uk(*at) for at in shown["locations"]),
        # Three digits are what a guess is worth.
        "estimated_rows": round(estimated, 3 - len(str(estimated))) if estimated else None,
    }
