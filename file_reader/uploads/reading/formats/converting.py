"""GeoJSON, other JSON, GPX and KML become CSV when they arrive: here is what they are known by, and who reads them."""

import codecs
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO, cast

from uploads.reading.errors import ContainerError, InflatedError
from uploads.reading.formats.program import PIECE_BYTES, error_from

#: The largest file of each kind, in bytes: what is larger takes longer to read than somebody waits for the answer.
MAX_BYTES = {"json": 128 << 20, "gpx": 32 << 20, "kml": 32 << 20}
#: The CSV may be this many times as large, beyond what is never too large: a row has all columns, if nothing in most.
_MAX_RATIO = 20
_HARMLESS_BYTES = 16 << 20
#: Files that one process has read at once: each takes a core, and the memory that `program` allows.
_at_once = BoundedSemaphore(2)
_HEAD_BYTES = 1 << 14
_MAX_ABOUT_BYTES = 1 << 21
_JSON = re.compile(r'[\s\x1e]*(\{\s*"|\[\s*[\[{\]])')
_XML = re.compile(r"\s*(<\?[^>]*>\s*|<!--.*?-->\s*)*<(\w+:)?(?P<root>gpx|kml)[\s>]", re.DOTALL | re.IGNORECASE)
_PACKAGES = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Origin:
    """What a table was before it became one.

    `latitude` and `longitude` are the columns of its geometries, if it has such; with `is_grid` they are northings and
    eastings. `left` is what was beside it and is not read.
    """

    format: str = "csv"
    latitude: str | None = None
    longitude: str | None = None
    is_grid: bool = False
    left: list[str] = field(default_factory=list)


def kind_of(stream: BinaryIO) -> str | None:
    """Which of the formats a file begins like: json, gpx, kml, or none."""
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = head.decode(encoding, errors="replace")
    if _JSON.match(text):
        return "json"
    found = _XML.match(text)
    return found["root"].lower() if found else None


def converted(stream: BinaryIO, kind: str, origin: list[Origin], *, max_bytes: int) -> Iterator[bytes]:
    """A file as CSV, piece by piece; what it was is put into `origin` first. The stream must be that of a file.

    Raises ReadingError with the number of the record at fault; InflatedError when there is too much of it, or would be
    as CSV. What came before that is not the whole table.
    """
    size = stream.seek(0, 2)
    if size > MAX_BYTES[kind]:
        raise InflatedError(
            f"Of {kind.upper()} at most {MAX_BYTES[kind]:,} bytes are read. Send it in parts, or as CSV.",
            max_bytes=MAX_BYTES[kind],
        )
    limit = min(max_bytes, max(_HARMLESS_BYTES, size * _MAX_RATIO))
    with (
        _at_once,
        subprocess.Popen(  # noqa: S603 - our own command, with one of three words; no shell reads it
            [sys.executable, "-P", "-s", "-S", "-m", "uploads.reading.formats.program", kind],
            stdin=stream,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(_PACKAGES)},  # no secrets
        ) as process,
    ):
        try:
            output = cast(BinaryIO, process.stdout)
            if about := output.readline(_MAX_ABOUT_BYTES):
                origin.append(Origin(**json.loads(about)))
            while piece := output.read(PIECE_BYTES):
                limit -= len(piece)
                if limit < 0:
                    raise InflatedError("As a table, the file is too large.", max_bytes=max_bytes)
                yield piece
            said = cast(BinaryIO, process.stderr).read().decode(errors="replace")
            if status := process.wait():
                raise _error(status, said)
        finally:
            process.kill()  # if it is still there, nobody wants the rest


def _error(status: int, said: str) -> Exception:
    try:
        return error_from(said)
    except ValueError:
        what = "time" if status == -signal.SIGXCPU else "memory"
        return ContainerError(f"The file takes too much {what} to read. Send it in parts, or as CSV.")
