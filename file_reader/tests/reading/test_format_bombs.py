"""JSON, GPX and KML that would take very much memory or time to read, for the size that they have."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import measured_reading
from uploads.reading.formats.program import MAX_COLUMNS

MAX_PEAK = 200_000_000
MAX_CPU_SECONDS = 8.0
_MB = 1_000_000
_POINT = '"geometry":{"type":"Point","coordinates":[-0.1,51.5]}'
_FEATURE = '{"type":"Feature",' + _POINT + ',"properties":{%s}}'


def _names(count: int) -> str:
    return ",".join(f'"n{number}":1' for number in range(count))


def _filled(begin: str, piece: str, times: int, end: str = "") -> Callable[[], Iterator[str]]:
    """A file that is written in pieces, as it may be larger than a test wants in memory."""

    def pieces() -> Iterator[str]:
        yield begin
        for _ in range(times):
            yield piece
        yield end

    return pieces


def _of_kml(inside: str) -> str:
    return f"<kml><Placemark>{inside}</Placemark></kml>"


def measured(pieces: Iterator[str], folder: Path) -> dict[str, object]:
    path = folder / "bomb"
    with path.open("w") as file:
        file.writelines(pieces)
    command = [sys.executable, measured_reading.__file__, str(path)]
    found: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found["peak"] < MAX_PEAK, found  # type: ignore[operator]
    assert found["cpu"] < MAX_CPU_SECONDS, found  # type: ignore[operator]
    return found


@pytest.mark.parametrize(
    ("bomb", "slug", "mentions"),
    [
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"x":"', "x" * _MB, 40, '"}]'), "unreadable-file",
                     "longer than", id="a text of 40 MB"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"x":[', "1," * 500_000, 40, "1]}]"), "unreadable-file",
                     "longer than", id="20 million numbers in an array"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"x":', "[" * _MB, 5), "unreadable-file",
                     "inside each other", id="5 million arrays inside each other"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"x":' + '[' * 500, ",{}" * 300_000, 1, "]" * 500 + "}]"),
                     "unreadable-file", "not JSON", id="no JSON after many arrays"),
        pytest.param(_filled("[" + _FEATURE % _names(MAX_COLUMNS), "", 0, "]"), "unreadable-file",
                     "more than 10,000 names", id="a name more than there may be columns"),
        pytest.param(_filled('{"type":"FeatureCollection","x":{', _names(3_000_000), 1, "}}"), "unreadable-file",
                     "longer than", id="3 million names beside the features"),
        pytest.param(_filled("", "".join(f'{{"{"x" * 1_000}{number}":1}}\n' for number in range(2_000)), 1),
                     "unreadable-file", "The names in the file", id="2,000 names of 1,000 characters"),
        pytest.param(_filled(_FEATURE % _names(MAX_COLUMNS - 2) + "\n", _FEATURE % "" + "\n", 30_000),
                     "upload-too-large", "As a table", id="many rows as wide as one"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"x":"', "\\u0001" * 100_000, 1, '"}]'), None, "",
                     id="100,000 escapes"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1},', " " * _MB, 60, '{"lat":51.5,"lon":-0.1}]'), None, "",
                     id="60 MB of blanks"),
        pytest.param(_filled('[{"lat":51.5,"lon":-0.1,"n":', "9" * _MB, 1, "}]"), None, "",
                     id="a number of a million digits"),
        pytest.param(_filled('<gpx><wpt lat="51.5" lon="', "1" * _MB, 20, '"/></gpx>'), "unreadable-file",
                     "bytes of XML", id="a tag of 20 MB"),
        pytest.param(_filled("<gpx><!--", "x" * _MB, 20, "--></gpx>"), "unreadable-file", "bytes of XML",
                     id="a comment of 20 MB"),
        pytest.param(_filled("<kml>", "<Folder>" * 100_000, 2), "unreadable-file", "inside each other",
                     id="200,000 elements inside each other"),
        pytest.param(_filled("<kml><Placemark>", "<a>" * 100_000, 2), "unreadable-file", "inside each other",
                     id="200,000 elements inside each other in a placemark"),
        pytest.param(_filled("<gpx>", "".join(f"<n{number}/>" for number in range(50_000)), 1), "unreadable-file",
                     "names of elements", id="50,000 names of elements"),
        pytest.param(_filled("<kml>", _of_kml("<name>" + "x" * 3 * _MB + "</name>")[5:], 1), "unreadable-file",
                     "bytes of XML", id="a text of 3 MB"),
        pytest.param(_filled("<kml><Placemark>", "<a>x</a>" * 50_000, 2, "</Placemark></kml>"), "unreadable-file",
                     "more than 10,000 names", id="100,000 values of one name"),
    ],
)  # fmt: skip
def test_what_takes_too_much_is_refused_before_it_does(
    bomb: Callable[[], Iterator[str]], slug: str | None, mentions: str, tmp_path: Path
) -> None:
    found = measured(bomb(), tmp_path)
    assert found["error"] == slug, found
    assert mentions in str(found["detail"])


@pytest.mark.slow
def test_a_large_file_on_one_line_is_read_whole_in_little_memory(tmp_path: Path) -> None:
    pieces = _filled('{"type":"FeatureCollection","features":[' + _FEATURE % '"n":0',
                     ("," + _FEATURE % '"name":"a place","n":12') * 1_000, 300, "]}")  # fmt: skip
    found = measured(pieces(), tmp_path)
    assert (found["error"], found["lines"]) == (None, 300_002)
    assert found["peak"] < 60_000_000  # type: ignore[operator]
