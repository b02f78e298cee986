"""What the readers of JSON and of XML have in common: records, their limits, and what goes wrong with one."""

from collections.abc import Iterator
from typing import Any, Protocol

from uploads.reading.errors import ReadingError
from uploads.reading.lines import MAX_RECORD_CHARS

#: The text of one record may be so long, in JSON in characters, in XML in bytes; as a row it may have half of that.
MAX_TEXT = 2 * MAX_RECORD_CHARS

#: A column: the name of a property, or whose it is and its name, where it is one of the format itself.
Key = str | tuple[str, str]
Record = dict[Key, Any]
LATITUDE: Key = ("geometry", "latitude")
LONGITUDE: Key = ("geometry", "longitude")
#: A geometry that is more than two numbers, or another one than a point.
GEOMETRY: Key = ("feature", "geometry")


class Number(str):
    """The digits of a number as they are written. No float holds 0.1000, or an id of twenty digits."""

    __slots__ = ()


class Records(Protocol):
    """A file as records. What it says of itself is known when all of them were read."""

    #: What the file is, as the interface names it.
    format: str
    #: Whether each record has a location; else its columns have to be found.
    is_located: bool
    #: Whether locations are eastings and northings of the British National Grid.
    is_grid: bool
    #: What the file has beside its records.
    left: list[str]

    def __iter__(self) -> Iterator[Record]: ...


def fault(what: str, number: int, why: str, line: int | None = None) -> ReadingError:
    """The error of the record with that number, from 1: `what` is what such records are called."""
    at = f", on line {line:,}" if line else ""
    return ReadingError(f"{what} {number:,}{at}: {why}", record=number, **({"line": line} if line else {}))
