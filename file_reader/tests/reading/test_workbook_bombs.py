"""Workbooks that are small as they are sent, and huge or endless as they are read."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.corpus.packing import padded, raw_workbook, row

from tests import measured_reading
from uploads.reading.containers import as_table

MAX_PEAK = 150_000_000
MAX_CPU_SECONDS = 5.0
_ROWS = row("lat", "lon") + row(51.5, -0.1)
_MILLION = 1_000_000
_FILLER_BYTES = 100_000


def many_files() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"xl/{number}", b"")
        archive.writestr("xl/workbook.xml", b"")
    return stream.getvalue()


def overlapping_files() -> bytes:
    """The directory names the same 16 MB two hundred times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (16 << 20))
        archive.writestr("xl/media/image1.png", os.urandom(_FILLER_BYTES))
        archive.filelist += archive.filelist[:1] * 200
    return stream.getvalue()


def measured(content: bytes, folder: Path) -> dict[str, Any]:
    path = folder / "bomb.xlsx"
    path.write_bytes(content)
    command = [sys.executable, measured_reading.__file__, str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert found["peak"] < MAX_PEAK, found
    assert found["cpu"] < MAX_CPU_SECONDS, found
    return found


@pytest.mark.parametrize(
    ("bomb", "slug", "mentions"),
    [
        pytest.param(lambda: padded(sharedStrings="<sst><si>" + "<r/>" * 4 * _MILLION + "</si></sst>",
                                    sheet_data=_ROWS + '<row><c t="s"><v>0</v></c></row>'),
                     "unreadable-archive", "bytes for one cell", id="4 million runs in a text that cells share"),
        pytest.param(lambda: padded(styles=f"<styleSheet><cellXfs>{'<xf/>' * 3 * _MILLION}</cellXfs></styleSheet>"),
                     "unreadable-archive", "styles", id="3 million styles"),
        pytest.param(lambda: padded(styles=f"<styleSheet><fonts>{'<font/>' * 3 * _MILLION}</fonts></styleSheet>"),
                     "unreadable-archive", "styles.xml", id="3 million fonts"),
        pytest.param(lambda: padded(_ROWS + row(52, -0.2, number=2 * 10**9)),
                     "unreadable-archive", "row 2,000,000,000", id="a row number of 2 thousand million"),
        pytest.param(lambda: padded(_ROWS + "<row>" + "<c/>" * 4 * _MILLION + "</row>"),
                     "unreadable-archive", "columns in row 3", id="4 million cells in a row"),
        pytest.param(lambda: padded(_ROWS + "<row><c>" + "<x>" * 4 * _MILLION),
                     "unreadable-archive", "inside each other", id="4 million elements inside each other"),
        pytest.param(lambda: padded(_ROWS + "".join(f"<row><x{number:x}/></row>" for number in range(50_000))),
                     "unreadable-archive", "names of elements", id="50,000 names"),
        pytest.param(lambda: padded(_ROWS + '<row x="' + "x" * 20 * _MILLION + '"/>'),
                     "unreadable-archive", "a tag of more than", id="a long attribute"),
        pytest.param(lambda: padded(_ROWS + '<row><c t="str"><v>' + "x" * 20 * _MILLION + "</v></c></row>"),
                     "unreadable-archive", "bytes for one cell", id="a long text"),
        pytest.param(lambda: padded(_ROWS + '<row><c t="s"><v>0</v></c></row>' * 20_000,
                                    sharedStrings=f"<sst><si><t>{'x' * 30_000}</t></si></sst>"),
                     "unreadable-archive", "larger as CSV", id="a long text in many cells"),
        pytest.param(lambda: padded(row(*["x"] * 16_000) + "<row><c><v>1</v></c></row>" * 20_000),
                     "unreadable-archive", "larger as CSV", id="many rows as wide as the first"),
        pytest.param(many_files, "unreadable-archive", "too many files", id="30,000 files"),
        pytest.param(overlapping_files, "upload-too-large", "", id="files that overlap"),
        pytest.param(lambda: padded(_ROWS + '<row r="1"/>' * 10 * _MILLION, filler=500_000),
                     "unreadable-archive", "too much time", id="rows that are left out", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_workbook_that_takes_too_much_is_refused_before_it_does(
    bomb: Callable[[], bytes], slug: str, mentions: str, tmp_path: Path
) -> None:
    found = measured(bomb(), tmp_path)
    assert found["error"] == slug
    assert mentions in found["detail"]


@pytest.mark.parametrize(
    ("book", "lines"),
    [
        pytest.param(lambda: padded(_ROWS + row(52, -0.2, number=1 << 20)), 1 << 20, id="a row at the end"),
        pytest.param(lambda: padded(_ROWS + '<row><c t="s"><v>1999</v></c></row>',
                                    sharedStrings="<sst>" + f"<si><t>{'x' * 32_000}</t></si>" * 2_000 + "</sst>",
                                    filler=300_000),
                     3, id="64 MB of texts that cells share"),
    ],
)  # fmt: skip
def test_a_workbook_that_is_only_large_is_read(book: Callable[[], bytes], lines: int, tmp_path: Path) -> None:
    found = measured(book(), tmp_path)
    assert (found["error"], found["lines"]) == (None, lines)


@pytest.mark.slow
def test_a_large_workbook_is_read_whole_in_little_memory(tmp_path: Path) -> None:
    rows = "".join(row(f"place {number}", 51.5, -0.1) for number in range(100_000))
    path = tmp_path / "large.xlsx"
    path.write_bytes(raw_workbook(row("name", "lat", "lon") + rows))
    found = json.loads(subprocess.check_output([sys.executable, measured_reading.__file__, str(path)]))
    assert (found["error"], found["lines"]) == (None, 100_001)
    assert found["peak"] < 50_000_000


_READER = """
import subprocess, sys, time
from uploads.reading.containers import as_table
class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)
subprocess.Popen = Popen
table = as_table(open(sys.argv[1], "rb"))
table.read(1)
if sys.argv[2] == "close":
    table.close()
    print("closed", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("end", ["close", "kill"])
def test_the_process_that_reads_a_workbook_ends_with_its_reader(end: str, tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    path.write_bytes(raw_workbook(row("lat", "lon") * 40_000))
    with subprocess.Popen(
        [sys.executable, "-c", _READER, str(path), end],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(as_table.__code__.co_filename).parents[2])},
    ) as reader:
        assert reader.stdout is not None
        child = Path("/proc") / reader.stdout.readline().decode().strip()
        if end == "close":
            reader.stdout.readline()
            assert not child.exists()  # no zombie either
        reader.send_signal(signal.SIGKILL)
        reader.wait()
        deadline = time.monotonic() + 10
        while child.exists() and "Z" not in (child / "stat").read_text().split()[2]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
