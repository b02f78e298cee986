"""Damages the files of the corpus at random and reads what comes of it.

    python tests/fuzz_reading.py --seconds 600 --seed 1

Every file must end in rows or in a ReadingError, soon and in bounded memory; its lines go up, its coordinates are in
range or have a reason, and pieces of any size make the same rows. A file that does not is written to --out, and the
exit status is 1.
"""

import argparse
import logging
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.corpus import CASES
from tests.corpus.packing import gz, raw_workbook, zipped
from tests.corpus.reading import Reading, read

from uploads.reading.coordinates import REASONS
from uploads.reading.errors import ReadingError

MAX_BYTES = 200_000
#: CPU seconds for one file.
MAX_SECONDS = 2.0
#: What the process may grow by, in bytes: a file is refused when it would unpack to more than a part of it.
MAX_MEMORY = 768 << 20
_MAX_UNPACKED = 4 << 20
#: Pieces of one byte take quadratic time for long lines, by their nature: only short files are read so.
_DRIPPED_BYTES = 3_000

_INSERTED = [
    b'"', b'""', b"\0", b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"'", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\x80",
    b"lat,lon\n", b"51.5,-0.1\n", b"51,5;-0,1\n", b"POINT(-0.1 51.5)", b"(51.5, -0.1)", b"nan", b"1e400", b"\\N", b"-",
    b"=1+1",
    b'{"type":"Point","coordinates":[-0.1,51.5]}', b"PK\x03\x04", b"PK\x01\x02", b"\x1f\x8b\x08", b"\xe2\x80\xa8",
    b"\x1a", b"0", b",W", b",,\n", b"# ", b"X,Y,easting,northing\n",
    b"9999999999", b"-1", b"<", b"&", b"]]>",
]  # fmt: skip
_DECLARED: list[dict[str, Any]] = [
    {}, {}, {}, {}, {"encoding": "utf-8"}, {"encoding": "utf-16"}, {"encoding": "cp1252"}, {"encoding": "ascii"},
    {"delimiter": ","}, {"delimiter": ";"}, {"delimiter": "\t"}, {"decimal": ","}, {"decimal": "."},
    {"quoting": "none"}, {"quoting": "quotes"}, {"delimiter": ":"}, {"delimiter": " "},
    {"delimiter": " ", "quoting": "none"},
    {"has_header": True},
    {"has_header": False}, {"latitude": "1", "longitude": "2"}, {"latitude": "2", "longitude": "2"},
    {"latitude": "lat"},
    {"coordinates": "wkt"}, {"coordinates": "geojson"}, {"coordinates": "lat_lon"}, {"coordinates": "lon_lat"},
    {"coordinates": "osgb36"}, {"latitude": "2", "longitude": "1", "coordinates": "osgb36"},
    {"latitude": "1", "longitude": "1", "coordinates": "geojson"}, {"sheet": "*"}, {"sheet": "*"}, {"sheet": "2"},
]  # fmt: skip


_SHEET = (
    b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c t="inlineStr"><is><t>c</t></is></c></row>'
    b'<row r="2" spans="1:3" ht="15"><c r="A2" s="0"><v>51.5</v></c><c r="B2"><v>-1E-1</v></c>'
    b'<c r="C2" t="b"><v>1</v></c></row>'
    b'<row r="3"><c r="A3" t="str"><f>1+1</f><v>52.5</v></c><c r="B3" t="e"><v>#N/A</v></c>'
    b'<c t="d"><v>2026-01-02T03:04:05</v></c></row>'
    b'<row><c t="inlineStr"><is><r><t>53</t></r><r><t>.5_x000D_</t></r></is></c><c t="n"><v>-2.5</v></c></row>'
    b'<row r="5"><c r="A5" s="1"><f>B5</f><v>2.14</v></c><c r="B5" s="2"><v>0.14</v></c><c r="C5"><f>1</f></c></row>'
)
_FORMATS = ["[h]:mm:ss", '0.00"W"', "d/m/yyyy"]
_BEHIND = ["", "<mergeCells><mergeCell ref='A2:A3'/></mergeCells>", "<mergeCells><"]
_DIMENSIONS = ["", "A1:C4", "A1", "A1:XFD1048576", "B2:A1", "A0:ZZZ9", "x"]


class TooSlow(Exception):
    """A file took so long that its reading was broken off."""


class Mutator:
    """Makes a new file of those that there are."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files = [case.content for case in CASES if len(case.content) <= MAX_BYTES]
        self.changes: list[Callable[[bytearray], bytearray]] = [
            self.flip, self.flip, self.overwrite, self.cut, self.drop, self.repeat, self.insert, self.insert,
            self.splice, self.shuffle,
        ]  # fmt: skip

    def next(self) -> bytes:
        if self.random.random() < 0.02:
            return self.random.randbytes(self.random.randrange(2_000))
        if self.random.random() < 0.15:
            return self.packed()
        return self.changed(self.random.choice(self.files))

    def packed(self) -> bytes:
        """Damage inside of what is whole: from outside, checksums find nearly all of it."""
        if self.random.random() < 0.7:
            return raw_workbook(
                self.changed(_SHEET).decode("latin-1"),
                shared=["lat", "lon"],
                formats=_FORMATS,
                dimension=self.random.choice(_DIMENSIONS),
                behind=self.random.choice(_BEHIND),
            )
        content = self.changed(self.random.choice(self.files))
        return gz(content) if self.random.random() < 0.5 else zipped({"a.csv": content})

    def changed(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2, 3, 8, 30))):
            changed = self.random.choice(self.changes)(changed)
        return bytes(changed[:MAX_BYTES])

    def place(self, data: bytearray) -> int:
        return self.random.randrange(len(data) + 1)

    def span(self, data: bytearray) -> tuple[int, int]:
        start = self.place(data)
        return start, min(len(data), start + self.random.choice((1, 2, 4, 16, 100, 5_000)))

    def flip(self, data: bytearray) -> bytearray:
        if data:
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        return data

    def overwrite(self, data: bytearray) -> bytearray:
        start, end = self.span(data)
        data[start:end] = self.random.randbytes(end - start)
        return data

    def cut(self, data: bytearray) -> bytearray:
        at = self.place(data)
        return data[:at] if self.random.random() < 0.7 else data[at:]

    def drop(self, data: bytearray) -> bytearray:
        start, end = self.span(data)
        del data[start:end]
        return data

    def repeat(self, data: bytearray) -> bytearray:
        start, end = self.span(data)
        data[start:start] = data[start:end] * self.random.choice((1, 2, 10, 1_000))
        return data[:MAX_BYTES]

    def insert(self, data: bytearray) -> bytearray:
        at = self.place(data)
        data[at:at] = self.random.choice(_INSERTED)
        return data

    def splice(self, data: bytearray) -> bytearray:
        other = self.random.choice(self.files)
        start = self.random.randrange(len(other) + 1)
        at = self.place(data)
        data[at:at] = other[start : start + self.random.choice((10, 100, 5_000))]
        return data[:MAX_BYTES]

    def shuffle(self, data: bytearray) -> bytearray:
        lines = bytes(data).split(b"\n")
        self.random.shuffle(lines)
        return bytearray(b"\n".join(lines))


def check(data: bytes, declared: dict[str, Any]) -> None:
    """Reads a file. Raises AssertionError, or whatever the reader raises, when it does not keep its promises."""
    begun = time.process_time()
    whole = read(data, max_bytes=_MAX_UNPACKED, **declared)
    spent = time.process_time() - begun
    assert spent < MAX_SECONDS, f"{spent:.1f} s of CPU time"
    assert all(one.line < other.line for one, other in pairwise(whole.rows)), "the lines do not go up"
    for row in whole.rows:
        if row.reason is None:
            assert -90 <= (row.latitude if row.latitude is not None else 99) <= 90, f"latitude {row.latitude}"
            assert -180 <= (row.longitude if row.longitude is not None else 999) <= 180, f"longitude {row.longitude}"
        else:
            assert row.reason in REASONS, f"reason {row.reason}"
            assert (row.latitude, row.longitude, bool(row.raw)) == (None, None, True), "a rejected row"
    if whole.dialect is not None and len(whole.content) <= _DRIPPED_BYTES and not whole.content.startswith(b"PK"):
        for pieces in (1, 7):
            check_same(whole, read(data, max_bytes=_MAX_UNPACKED, pieces=pieces, **declared))


def check_same(whole: Reading, dripped: Reading) -> None:
    assert dripped.rows == whole.rows, "the rows depend on the size of the pieces"
    assert error_of(dripped.error) == error_of(whole.error), "the error depends on the size of the pieces"


def error_of(error: ReadingError | None) -> tuple[str, str] | None:
    return None if error is None else (error.slug, error.detail)


def where(error: BaseException) -> str:
    """What tells one failure from another: its type, its text without digits, and the line that raised it."""
    if isinstance(error, TooSlow):  # it may stand anywhere
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = "".join(character for character in str(error) if not character.isdigit())[:60]
    return f"{type(error).__name__} {frame.filename}:{frame.lineno} {text}"


def give_up(*_: object) -> None:
    raise TooSlow(f"more than {10 * MAX_SECONDS:.0f} s of CPU time")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "fuzz_reading")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of openpyxl, about what it leaves out
    logging.disable()

    for case in CASES[:40]:
        read(case.content, max_bytes=_MAX_UNPACKED, **case.declared)
    read(b"easting,northing\n529057,179680\n")  # the grid is loaded once
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_MEMORY, resource.RLIM_INFINITY))

    signal.signal(signal.SIGPROF, give_up)
    mutator = Mutator(options.seed)
    found: dict[str, Path] = {}
    executions = 0
    slowest = 0.0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = mutator.next()
        declared = mutator.random.choice(_DECLARED)
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, 10 * MAX_SECONDS)
        try:
            check(data, declared)
        except Exception as error:  # noqa: BLE001 - whatever it is
            if (name := where(error)) not in found:
                options.out.mkdir(exist_ok=True)
                found[name] = options.out / f"seed{options.seed}_{executions}.bin"
                found[name].write_bytes(data)
                print(f"{name}\n  declared {declared}, {len(data):,} bytes in {found[name]}", flush=True)
        slowest = max(slowest, time.process_time() - begun)
        executions += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - used
    print(
        f"{executions:,} executions, {len(found)} kinds of failure, slowest {slowest:.2f} s with its repetitions,"
        f" memory grew by {grown >> 20} MB"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
