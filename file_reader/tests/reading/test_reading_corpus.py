"""The files of the corpus are read as a user would expect; see tests/corpus."""

import csv
import os
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

import pytest
from tests.corpus import CASES, COMBINATIONS
from tests.corpus.case import STATUS, At, Case, Fault, No
from tests.corpus.drip import Endless
from tests.corpus.packing import gz, raw_workbook, zipped
from tests.corpus.packing import row as sheet_row
from tests.corpus.reading import Reading, opened, read, record_texts, sheet_of, told, unpacked

from uploads.problems import status_of
from uploads.reading.containers import SheetCsv
from uploads.reading.coordinates import REASONS
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError, UnreadableError
from uploads.reading.formats.converting import Origin
from uploads.reading.records import ReadRow, read_rows

_METRES_A_DEGREE = 111_200


#: The cases that take seconds.
_SLOW = {
    "a workbook of 20,000 rows",
    "a workbook whose sheet breaks off after 20,000 rows: they stay",
    "a workbook of 5,000 rows with line breaks in their cells",
    "a workbook with a row below the last that there can be",
    "gzip of a small table of equal rows is no bomb",
    "a cell of many lines over 1 MiB",
}


def cases(chosen: list[Case]) -> list[Any]:
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[
                *([pytest.mark.xfail(strict=True, reason=case.wrong)] if case.wrong else []),
                *([pytest.mark.slow] if case.name in _SLOW else []),
            ],
        )
        for case in chosen
    ]


@pytest.mark.parametrize("case", cases([*CASES, *COMBINATIONS]))
def test_a_file_is_read_as_expected(case: Case) -> None:
    reading = read(case.content, max_bytes=case.max_bytes, **case.declared)
    assert_error(reading.error, case.fault)
    assert_rows(reading.rows, case.rows)
    if reading.dialect is not None:
        assert {name: getattr(reading.dialect, name) for name in case.dialect} == case.dialect
        assert_texts(reading, reading.dialect)


def assert_error(error: ReadingError | None, fault: Fault | None) -> None:
    if fault is None or error is None:
        assert (error and error.detail) == (fault and fault.slug)
        return
    assert (error.slug, status_of(error)) == (fault.slug, STATUS[fault.slug])
    assert {name: error.extra.get(name) for name in fault.extra} == fault.extra
    assert fault.mentions in error.detail


def assert_rows(read: list[ReadRow], expected: Any) -> None:
    # Lines and reasons first: they say at once which row is missing.
    assert [(row.line, row.reason) for row in read] == [
        (row.line, row.reason if isinstance(row, No) else None) for row in expected
    ]
    for row, wanted in zip(read, expected, strict=True):
        if isinstance(wanted, At):
            assert row.latitude is not None
            assert row.longitude is not None
            if not wanted.within:
                assert (row.latitude, row.longitude) == (wanted.latitude, wanted.longitude)
            assert metres(row.latitude, row.longitude, wanted) <= wanted.within
        else:
            assert (row.latitude, row.longitude) == (None, None)


def metres(latitude: float, longitude: float, wanted: At) -> float:
    east = (longitude - wanted.longitude) * cos(radians(wanted.latitude))
    return hypot(east, latitude - wanted.latitude) * _METRES_A_DEGREE


def assert_texts(reading: Reading, dialect: Dialect) -> None:
    """Every record's text stands in the file where its line says, nothing but blank lines is left out, and a rejected
    row has the text of its record."""
    try:
        with opened(reading.content, dialect.sheet) as table:
            text = table.read().decode(dialect.encoding)
        found = dict(record_texts(reading.content, dialect))
    except (ReadingError, UnicodeDecodeError):
        assert reading.error is not None
        return
    if reading.error is None:
        lines = re.split("(?<=\n)|(?<=\r)(?!\n)" if dialect.cr_ends else "(?<=\n)", text)
        of_sheet = isinstance(table, SheetCsv) or dialect.format != "csv"
        if of_sheet:  # a row of it is one line, whatever breaks its cells have
            reader = csv.reader(lines)
            ends = [0, *(reader.line_num for _ in reader)]
            lines = ["".join(lines[start:end]) for start, end in pairwise(ends)]
        used = {}
        for line, record in found.items():
            used[line] = 1 if of_sheet else len(re.findall("\r\n|\r|\n" if dialect.cr_ends else "\n", record)) or 1
            assert "".join(lines[line - 1 : line - 1 + used[line]]) == record
        taken = {line + more for line, many in used.items() for more in range(many)}
        assert not "".join(line for number, line in enumerate(lines, 1) if number not in taken).strip(' \t\r\n"')
    for row in reading.rows:
        assert row.raw == (found[row.line] if row.reason else None)
        assert row.reason is None or row.reason in REASONS
    assert all(one.line < other.line for one, other in pairwise(reading.rows))


def test_the_names_of_the_cases_are_their_own() -> None:
    names = [case.name for case in [*CASES, *COMBINATIONS]]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("case", cases([case for case in CASES if len(case.content) < 5_000 and not case.wrong]))
def test_pieces_of_any_size_make_the_same_rows(case: Case, size: int) -> None:
    whole = read(case.content, max_bytes=case.max_bytes, **case.declared)
    if whole.dialect is None:
        return
    dripped = read(case.content, max_bytes=case.max_bytes, pieces=size, **case.declared)
    assert dripped.rows == whole.rows
    assert (dripped.error and dripped.error.extra) == (whole.error and whole.error.extra)


# --- what reading costs --------------------------------------------------------------------------------------------
# A file that is written to be slow may cost some times what an ordinary one of 1 MB costs in the same run, but not
# hundreds of times, as it would if its cost grew with the square of its size.
_ORDINARY = b"lat,lon\n" + b"51.5,-0.1 \n" * 90_000
#: Times an ordinary file; at least twice what was measured.
_TELLING, _READING = 10, 20


@pytest.fixture(scope="module")
def ordinary_cost() -> float:
    """CPU seconds that reading an ordinary file takes here and now."""
    read(b"easting,northing\n529057,179680\n")  # what is loaded once
    read(raw_workbook(sheet_row("lat", "lon")))
    return max(cpu_seconds(lambda: read(_ORDINARY)) for _ in range(2))


def cpu_seconds(work: Callable[[], object]) -> float:
    sheet_of.cache_clear()
    begun = sum(os.times()[:4])  # with what a process that reads a workbook takes
    with suppress(ReadingError):
        work()
    return sum(os.times()[:4]) - begun


def costs_less(limit: float, work: Callable[[], object]) -> bool:
    """Whether one of two runs needs less: other programs are at work beside the tests."""
    return any(cpu_seconds(work) < limit for _ in range(2))


@pytest.mark.parametrize(
    "case",
    cases(
        [
            case
            for case in CASES
            if not case.wrong and (len(case.content) > 50_000 or case.content.startswith((b"PK", b"\x1f\x8b")))
        ]
    ),
)
def test_a_dialect_is_told_at_once(case: Case, ordinary_cost: float) -> None:
    try:
        content, origin = unpacked(case.content, case.max_bytes)
    except ReadingError:
        return
    assert costs_less(_TELLING * ordinary_cost, lambda: told(content, origin, **case.declared))


_SPACES = b" " * 970


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"lat,lon\n" + b"'" * 500_000 + b",1\n", id="half a million single quotes"),
        pytest.param(raw_workbook(sheet_row("lat", "lon") + sheet_row(51.5, -0.1) * 200, dimension="A1:XFD201"),
        id="a workbook that says it is wide"),
        pytest.param(raw_workbook(sheet_row("lat", "lon") + sheet_row(51.5, -0.1, number=1_500_000)),
        id="a workbook that says it is long"),
        pytest.param(b"id;geom\n" + b"1;POINT%s..\n" % _SPACES * 200, id="spaces in points"),
        pytest.param(b"id;geom\n" + b"1;1.5%s1.\n" % _SPACES * 200, id="spaces in pairs"),
        pytest.param(b"lat,lon\n" + b"5" * 999 + b"x," + b"1" * 99_000 + b"x\n", id="digits"),
        pytest.param(b"lat,lon\n" + b"," * 200_000, id="delimiters"),
        pytest.param(b'lat,lon,n\n1,2,"' + b'"" \n' * 40_000 + b'"\n', id="quotes on many lines"),
        pytest.param(b'lat,lon,n\n1,2,"a\n" ' + b" " * 200_000 + b'x"\n', id="spaces behind a quote"),
        pytest.param(b"lat,lon,n\n" + b'1,2,"\n"\n' * 20_000, id="cells of two lines"),
        pytest.param(b"lat,lon," + b"aA" * 60_000 + b"\n1,2,3\n", id="camels"),
        pytest.param(b"51,-0.1" + b",0.1" * 9_998 + b"\n", id="ten thousand numbers"),
        pytest.param(b'id;g\n1;{"type":"Point","coordinates":' + b"[" * 100_000 + b"1.5, 1.5\n", id="deep JSON"),
        pytest.param(b"lat,lon,n\n1,2," + b"\xe9" * 200_000, id="Windows-1252"),
        pytest.param(gz(b"") * 500_000, id="gzip in half a million members"),
    ],
)  # fmt: skip
def test_a_hostile_file_costs_no_more_than_a_large_one(content: bytes, ordinary_cost: float) -> None:
    assert costs_less(_READING * ordinary_cost, lambda: read(content))


_ZEROS = bytes(64 << 20)


@pytest.mark.slow
@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: gz(_ZEROS), id="gzip"),
        pytest.param(lambda: zipped({"a.csv": _ZEROS}), id="zip"),
        pytest.param(lambda: zipped({"a.csv": _ZEROS}, zipfile.ZIP_LZMA), id="zip by LZMA"),
        pytest.param(lambda: zipped({"a.csv": _ZEROS}, zipfile.ZIP_BZIP2), id="zip by bzip2"),
        pytest.param(lambda: raw_workbook(" " * (64 << 20)), id="a workbook"),
        pytest.param(lambda: raw_workbook(" " * (64 << 20), method=zipfile.ZIP_BZIP2), id="a workbook by bzip2"),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_takes_memory(bomb: Callable[[], bytes]) -> None:
    packed = bomb()
    tracemalloc.start()
    try:
        error = read(packed, max_bytes=1 << 20).error
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Methods that unpack a whole piece at once are refused as such.
    assert (error and error.slug) in ("upload-too-large", "unreadable-archive")
    assert peak < 8 << 20


@pytest.mark.parametrize("again", [b"y", b"y\n", b",", b'""'])
def test_a_record_that_never_ends_is_refused_before_it_takes_memory(again: bytes) -> None:
    beginning = b'lat,lon\n51.5,-0.1\n"' if again != b"y" else b"lat,lon\n51.5,-0.1\n"
    stream = Endless(beginning, again)
    rows = read_rows(stream, told(b"lat,lon\n51.5,-0.1\n", Origin()))
    assert next(rows).latitude == 51.5
    with pytest.raises(UnreadableError) as caught:
        next(rows)
    assert caught.value.line == 3
    assert stream.taken < 3 << 20
