"""Which columns have a file's own postcodes, and which rows are compared."""

import io
from itertools import pairwise
from random import Random

import pytest

from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared
from uploads.reading.own_postcodes import MOST_ROWS, disagreement, may_be_kept, outcodes, spread
from uploads.reading.records import read_parts


@pytest.mark.parametrize(
    ("name", "cells", "is_taken"),
    [
        ("postcode", ["SW1A 1AA", "M1 1AE", "b33 8th", "DN551PT", " EC1A  1BB "], True),
        ("anything", ["SW1A 1AA", "M1 1AE", "b33 8th"], True),
        ("outcode", ["SW1A", "M1", "EC1"], True),
        ("Post Code", ["SW1A 1", "", "M1 2"], True),
        ("road", ["M1", "M25", "M6"], False),
        ("postcode", ["50569", "50668", "50670"], False),
        ("code", ["AB12 CDE", "SW1A 1AA", "XY1 2ZZ"], False),
        ("postcode", ["SW1A 1AA", "see below", "M1 1AE", "none"], False),
        ("postcode", [*["SW1A 1AA"] * 39, "n/a"], True),
        ("postcode", ["SW1A 1AA"], False),
        ("result_postcode", ["SW1A 1AA", "M1 1AE"], False),
    ],
)
def test_a_column_is_taken_when_nearly_all_of_it_are_postcodes(name: str, cells: list[str], *, is_taken: bool) -> None:
    table = f"{name},lat,lon\n" + "".join(f"{cell},51.501009,-0.141588\n" for cell in cells)
    dialect = detect_dialect(table.encode(), Declared())
    assert list(dialect.postcode_columns.values()) == [0] * is_taken


def test_without_a_header_the_values_alone_tell() -> None:
    dialect = detect_dialect(b"a,SW1A 1AA,51.501009,-0.141588\nb,M1 1AE,53.479251,-2.247926\n", Declared())
    assert dialect.postcode_columns == {"column 2": 1}


def test_rows_keep_their_own_postcodes_wherever_a_table_is_cut() -> None:
    """Beside rows that are rejected, blank lines, and records of another width."""
    lines = ["lat,lon,postcode"]
    expected = []
    for number in range(1, 13):
        lines += [f"51.50{number:02},-0.14,E{number} 1AA" if number % 4 else "north,-0.14", ""]
        expected += [(number, f"E{number}")] if number % 4 else []
    dialect = detect_dialect("\n".join(lines).encode(), Declared())
    (part,) = read_parts(io.BytesIO("\n".join(lines).encode()), dialect)
    for count in range(1, 12):
        first, second = part.split(count)
        assert second is not None
        own = [(place + 1, codes) for place, codes in first.own]
        assert own + [(count + place + 1, codes) for place, codes in second.own] == expected


def test_a_row_may_have_several_and_one_of_them_is_enough() -> None:
    own = outcodes(["LS1 1UR", "51.5", "", "SW1A 1AA", "?"], [0, 2, 3, 4, 9])
    assert own == "LS1 SW1A"
    assert disagreement([(number, own, "SW1A") for number in range(1, 9)], None) is None


def test_a_district_of_london_is_all_of_its_parts() -> None:
    rows = [(1, "EC1", "EC1A"), (2, "W1", "W1J"), (3, "SW1", "SW1A"), (4, "EC2", "EC2Y"), (5, "EC3", "EC3N")]
    assert disagreement(rows, None) is None


def test_places_of_a_kilometre_may_have_their_neighbours_postcodes_but_not_those_of_elsewhere() -> None:
    near = [(number, f"LS{number}", "LS29") for number in range(1, 9)]
    assert disagreement(near, None) is not None
    assert disagreement(near, 1_000) is None
    assert disagreement([(number, own, "BD1") for number, own, _ in near], 1_000) is not None


def test_rows_of_one_outcode_may_lie_at_its_border() -> None:
    assert disagreement([(number, "LS1", "LS2") for number in range(1, 30)], None) is None


def test_what_is_kept_is_spread_over_the_file_however_it_comes() -> None:
    rows = [(number, "LS1") for number in range(1, 100_001)]
    at_once = spread(rows)
    in_pieces: list[tuple[int, str]] = []
    for start in range(0, len(rows), 7_000):
        in_pieces = spread([*in_pieces, *rows[start : start + 7_000]])
    assert in_pieces == at_once
    assert len(at_once) == MOST_ROWS
    numbers = sorted(number for number, _ in spread(Random(1).sample(rows, len(rows))))
    assert max(after - before for before, after in pairwise(numbers)) < 3 * 100_000 // MOST_ROWS


def test_of_a_long_file_the_rows_that_are_kept_are_those_of_the_whole_and_few_cells_are_looked_at() -> None:
    rows, size = 1_000_000, 700
    seen = [
        start + place + 1 for start in range(0, rows, size) for place in may_be_kept(start, min(size, rows - start))
    ]
    kept = sorted(number for number, _ in spread((number, "LS1") for number in seen))
    assert kept == sorted(number for number, _ in spread((number, "LS1") for number in range(1, rows + 1)))
    assert len(seen) < 12 * MOST_ROWS
