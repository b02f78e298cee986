"""JSON, GPX or KML → CSV: a program that reads a file from its standard input. `converting` starts it.

It is a process of its own, with limits on its memory and its CPU time, as for workbooks: they are the net for what the
readers' own limits do not foresee. It imports little, as it has to start quickly.

A file is read twice: its columns are known when all of it was read.
"""

import csv
import io
import json
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, count
from typing import Any, BinaryIO

from uploads.reading.detecting.headers import coordinate_columns, normal
from uploads.reading.errors import ContainerError, EmptyFileError, InflatedError, ReadingError, UnsupportedFileError
from uploads.reading.formats.json_records import JsonRecords, json_text
from uploads.reading.formats.records import GEOMETRY, LATITUDE, LONGITUDE, Key, Number, Record, Records, fault
from uploads.reading.formats.xml_records import XmlRecords
from uploads.reading.lines import MAX_RECORD_CHARS

MAX_MEMORY = 256 << 20
#: The largest files take a fifth of that.
MAX_CPU_SECONDS = 50
MAX_COLUMNS = 10_000
PIECE_BYTES = 1 << 18
_ERRORS = {kind.slug: kind for kind in (ReadingError, UnsupportedFileError, EmptyFileError, ContainerError,
                                        InflatedError)}  # fmt: skip


def main() -> int:
    """Writes a line of JSON about the file, then CSV. 1 when it cannot be read, and the reason as JSON to stderr."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    with suppress(ValueError):  # macOS knows the limit, and does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    try:
        for piece in as_csv(sys.stdin.buffer, sys.argv[1]):
            sys.stdout.buffer.write(piece)
    except ReadingError as error:
        sys.stderr.write(json.dumps({"slug": error.slug, "detail": error.detail, "extra": error.extra}))
        return 1
    return 0


def error_from(said: str) -> ReadingError:
    """The error that `main` told of. Raises ValueError when it did not get as far as that."""
    told = json.loads(said)
    return _ERRORS[told["slug"]](told["detail"], **told["extra"])


def as_csv(stream: BinaryIO, what: str) -> Iterator[bytes]:
    """What the file is, as a line of JSON, then its records as CSV in UTF-8. Raises ReadingError."""
    records: Records = JsonRecords(stream) if what == "json" else XmlRecords(stream, what)
    keys, number, places = _keys(records)
    if not number:
        raise EmptyFileError("There is nothing in the file: not even one object.")
    is_located = records.is_located and (places > 0 or GEOMETRY in keys or not _name_places(keys))
    if is_located and not places:
        raise ReadingError(
            f"None of the {number:,} features of the file is a point with two numbers. Lines and areas are at no one"
            " place: send points, such as their centroids."
        )
    names = _names(keys, is_grid=records.is_grid)
    location = {"latitude": names[0], "longitude": names[1]} if is_located else {}
    about = {"format": records.format, "left": records.left, "is_grid": records.is_grid, **location}
    yield json.dumps(about).encode() + b"\n"
    yield from _rows(records, keys, names)


def _keys(records: Records) -> tuple[list[Key], int, int]:
    """The columns in the order in which they appear, how many records there are, and how many have a location."""
    keys: dict[Key, None] = {}
    chars = number = places = 0
    for number, record in enumerate(records, 1):
        if record.get(LATITUDE):
            places += 1
        if record.keys() <= keys.keys():
            continue
        for key in record:
            if key not in keys:
                keys[key] = None
                chars += len(key[1] if isinstance(key, tuple) else key)
        if len(keys) > MAX_COLUMNS:
            raise ReadingError(f"The file has more than {MAX_COLUMNS:,} names, and each is a column.", record=number)
        if chars > MAX_RECORD_CHARS // 2:
            raise ReadingError(
                f"The names in the file have more than {MAX_RECORD_CHARS // 2:,} characters.", record=number
            )
    return list(keys), number, places


def _name_places(keys: list[Key]) -> bool:
    """Whether properties are called like coordinates, where no feature has a geometry."""
    return bool(coordinate_columns([normal(key) for key in keys if isinstance(key, str)]))


def _names(keys: list[Key], *, is_grid: bool) -> list[str]:
    """What the columns are called. A property keeps its name; what is of the format itself has another one then."""
    taken = {normal(key) for key in keys if isinstance(key, str)}
    grid = {LATITUDE: "northing", LONGITUDE: "easting"} if is_grid else {}
    names = []
    for key in keys:
        if isinstance(key, str):
            names.append(key)
            continue
        whose, name = key[0], grid.get(key, key[1])
        others = (f"{whose}_{name}_{number}" for number in count(2))
        free = next(one for one in chain((name, f"{whose}_{name}"), others) if normal(one) not in taken)
        taken.add(normal(free))
        names.append(free)
    return names


def _rows(records: Records, keys: list[Key], names: list[str]) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    # Both characters: Python 3.11 quotes a cell with a line break only if that is one of the line end's characters.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    places = {key: place for place, key in enumerate(keys)}
    empty = [""] * len(keys)
    try:
        for number, record in enumerate(records, 1):
            row = empty.copy()
            for key, value in record.items():
                row[places[key]] = _cell(value)
            if writer.writerow(row) > MAX_RECORD_CHARS:
                raise fault("Record", number, f"it is longer than {MAX_RECORD_CHARS:,} characters as a row")
            if text.tell() > PIECE_BYTES:
                yield _taken(text)
        yield _taken(text)
    except UnicodeEncodeError:
        raise _halved(records) from None
    except RecursionError:
        raise fault("Record", number, "too many arrays or objects inside each other") from None


def _halved(records: Records) -> ReadingError:
    """The error of the first record with a surrogate that is not one of two: JSON can name it, and UTF-8 cannot."""
    number = next((number for number, record in enumerate(records, 1) if _has_half(record)), 1)
    return fault("Record", number, "a text in it has half of a character")


def _has_half(record: Record) -> bool:
    try:
        "".join([*map(str, record), *map(_cell, record.values())]).encode()
    except UnicodeEncodeError:
        return True
    return False


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _cell(value: Any) -> str:
    if value.__class__ is str or value.__class__ is Number:
        return value
    return "" if value is None else json_text(value)


if __name__ == "__main__":
    sys.exit(main())
