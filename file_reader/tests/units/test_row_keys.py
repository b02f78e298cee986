"""Keys of the row index, and how entries are packed into blocks: what is sought is found, wherever it lies."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uploads.rows import blocks, keys

SMALL = st.floats(-1e-12, 1e-12)
LATITUDES = st.floats(-90, 90) | SMALL | st.sampled_from([-90.0, 90.0, 51.52, math.nextafter(51.52, 0), 0.0, -0.0])
LONGITUDES = st.floats(-180, 180) | SMALL | st.sampled_from([-180.0, 180.0, -0.12, math.nextafter(-0.12, 0), 0.0, -0.0])
SIDES = st.floats(0, 1e-6) | st.floats(0, 400) | st.floats(0, 1e300)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
#: Near each other, far from each other, and at both ends.
ENTRY_KEYS = st.lists(INT64 | st.integers(0, 300) | st.integers(1 << 61, (1 << 61) + 70_000), min_size=1, max_size=60)


@given(LATITUDES, LONGITUDES, SIDES, SIDES, SIDES, SIDES)
@example(90.0, 180.0, 0.0, 0.0, 0.0, 0.0)
@example(-90.0, -180.0, 0.0, 0.0, 0.0, 0.0)
def test_what_lies_in_a_box_is_found_in_its_range_and_is_not_beside_it(
    latitude: float, longitude: float, south: float, north: float, west: float, east: float
) -> None:
    first, last = keys.cell_range(latitude - south, latitude + north, longitude - west, longitude + east)
    key = keys.cell_keys(np.array([latitude]), np.array([longitude]))
    assert first <= key[0] <= last
    assert keys.in_box(key, first, last).tolist() == [True]


@pytest.mark.parametrize(("north", "east", "is_inside"), [(0, 0, True), (0.01, 0, False), (0, 0.02, False)])
def test_what_lies_beside_a_box_is_told_from_what_lies_in_it(north: float, east: float, is_inside: bool) -> None:
    first, last = keys.cell_range(51.501, 51.502, -0.11, -0.109)
    key = keys.cell_keys(np.array([51.5015 + north]), np.array([-0.1095 + east]))
    assert keys.in_box(key, first, last).tolist() == [is_inside]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8), max_size=20))
def test_postcodes_have_their_keys_whatever_they_look_like(postcodes: list[str]) -> None:
    stored = np.array([postcode.encode() for postcode in postcodes], "S8")
    assert keys.postcode_keys(stored).tolist() == [keys.postcode_key(postcode) for postcode in postcodes]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4), st.text("019 AZaz", max_size=3))
def test_postcodes_of_an_outcode_are_a_run(outcode: str, incode: str) -> None:
    first, behind = keys.postcode_key(f"{outcode} "), keys.postcode_key(f"{outcode}!")
    assert first <= keys.postcode_key(f"{outcode} {incode}") < behind
    assert keys.postcode_key(f"{outcode}A{incode}") >= behind


@given(ENTRY_KEYS, INT64, INT64, st.integers(1, 7))
def test_what_was_packed_is_found(entry_keys: list[int], one: int, other: int, size: int) -> None:
    least, most = sorted((one, other))
    numbers = np.arange(1, len(entry_keys) + 1, dtype=np.uint32)
    with pytest.MonkeyPatch.context() as context:
        context.setattr(blocks, "ENTRIES", size)
        packed = blocks.pack(np.array(entry_keys, np.int64), numbers)
    assert sum(len(block.rows) for block in packed) == 4 * len(entry_keys)
    unpacked = [
        (number, key)
        for block in packed
        for number, key in zip(
            np.frombuffer(block.rows, "<u4").tolist(),
            blocks.keys_of(block.first_key, block.rows, block.keys).tolist(),
            strict=True,
        )
    ]
    assert sorted(unpacked) == list(enumerate(entry_keys, 1))
    assert [key for _, key in unpacked] == sorted(entry_keys)
    found = [
        number
        for block in packed
        if block.last_key >= least and block.first_key <= most
        for number in np.frombuffer(
            blocks.rows_between(block.first_key, block.rows, block.keys, least, most), "<u4"
        ).tolist()
    ]
    assert sorted(found) == [number for number, key in enumerate(entry_keys, 1) if least <= key <= most]
