"""Bulk writes: whatever is written comes back the same, on both databases."""

import pytest
from django.db import IntegrityError, transaction

from uploads.models import Area, AreaNames, LocationCell, Postcode, Row, area_id
from uploads.row_ids import row_id
from uploads.rows.bulk import (
    LocatedRow,
    PostcodeDetails,
    RejectedRow,
    Result,
    bulk_create_areas,
    bulk_create_postcodes,
    bulk_create_rows,
    bulk_update_results,
    pending_rows,
)
from uploads.rows.by_place import Box, ids_within, touched_cells

pytestmark = pytest.mark.django_db
TEXTS = [
    "plain", "", " ", '"', "'", "\\", "\\N", "\\.", "\t", "\n", "\r\n", "{a,b}", "NULL", "null", "a,b", "%s", "%",
    "\\t", "Ynys Môn", "東京", "🙂", "\u2028", "\x01\x7f", "$1", "; DROP TABLE uploads_row; --", '\\"', "{", "}",
]  # fmt: skip
UPLOAD = 7


def located(number: int, latitude: float = 51.5, longitude: float = -0.1) -> LocatedRow:
    return row_id(UPLOAD, number), UPLOAD, latitude, longitude


def rejected(number: int, text: str) -> RejectedRow:
    return RejectedRow(row_id(UPLOAD, number), UPLOAD, text, 1 << 40, text)


def test_every_column_of_a_row_comes_back() -> None:
    rows = [located(1, 51.501009, -0.141588), located(3, -90.0, 1e-300), located(4, 0.1 + 0.2, 5e-324)]
    bulk_create_rows(rows, [rejected(2, "x,y")])
    columns = ("id", "upload_id", "latitude", "longitude", "status", "reason", "line", "raw", "postcode", "distance_m")
    nothing_else = (0, None, None, None, None, None)
    assert list(Row.objects.order_by("id").values_list(*columns)) == [
        (*rows[0], *nothing_else),
        (row_id(UPLOAD, 2), UPLOAD, None, None, 4, "x,y", 1 << 40, "x,y", None, None),
        (*rows[1], *nothing_else),
        (*rows[2], *nothing_else),
    ]


def test_any_text_of_a_row_comes_back() -> None:
    bulk_create_rows([], [rejected(number, text) for number, text in enumerate(TEXTS, 1)])
    assert list(Row.objects.order_by("id").values_list("raw", flat=True)) == TEXTS
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == TEXTS


@pytest.mark.parametrize("count", [1, 179, 180, 181, 3_001])
def test_many_rows_come_back(count: int) -> None:
    rows = [located(number, number / 100) for number in range(1, count + 1)]
    bulk_create_rows(rows)
    stored = Row.objects.order_by("id").values_list("id", "upload_id", "latitude", "longitude")
    assert list(stored) == rows


def test_the_rows_that_wait_are_those_of_the_range_without_an_answer() -> None:
    bulk_create_rows([located(number, number) for number in (1, 2, 3, 5, 6)], [rejected(4, "blank")])
    bulk_update_results([(row_id(UPLOAD, 3), 2, None, None, None, None)])
    found = pending_rows(row_id(UPLOAD, 2), row_id(UPLOAD, 5))
    assert found == [(row_id(UPLOAD, 2), 2.0, -0.1), (row_id(UPLOAD, 5), 5.0, -0.1)]


def test_no_rows_are_no_trouble() -> None:
    bulk_create_rows([])
    bulk_update_results([])
    bulk_create_postcodes([])
    assert not Row.objects.exists()


def test_located_rows_are_in_the_list_of_their_cell_by_the_first_ones_id() -> None:
    places = [(51.5, -0.1), (57.0, -3.0), (51.5001, -0.1001), (-90.0, 180.0), (91.0, -0.0)]
    bulk_create_rows([located(number, *place) for number, place in enumerate(places, 3)], [rejected(2, "x,y")])
    stored = LocationCell.objects.order_by("cell").values_list("first_id", "cell", "entries")
    assert [(first_id, len(entries)) for first_id, _, entries in stored] == [
        (row_id(UPLOAD, 3), size) for size in (8, 16, 8, 8)
    ]
    for (latitude, longitude), numbers in zip(places, ([3, 5], [4], [3, 5], [6], [7]), strict=True):
        box = Box(latitude - 0.001, latitude + 0.001, longitude - 0.001, longitude + 0.001)
        assert ids_within(box, stored).tolist() == [row_id(UPLOAD, number) for number in numbers]
        assert {cell for _, cell, _ in stored} & set(touched_cells(box))


def test_rows_that_are_not_written_are_in_no_list() -> None:
    bulk_create_rows([located(1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_create_rows([located(1)])
    bulk_create_rows([], [rejected(2, "x,y")])
    assert LocationCell.objects.count() == 1


def test_a_row_that_is_there_already_is_an_error_and_nothing_is_written() -> None:
    bulk_create_rows([located(1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_create_rows([located(2), located(1)])
    assert Row.objects.count() == 1


def test_every_column_of_a_result_comes_back_and_other_rows_are_left_alone() -> None:
    bulk_create_rows([located(number) for number in range(1, 6)])
    results: list[Result] = [
        (row_id(UPLOAD, 2), 1, None, "SW1A 1AA", 12.345678901234567, (1 << 63) - 1),
        (row_id(UPLOAD, 3), 2, "none_within_max_distance", None, None, None),
        (row_id(UPLOAD, 4), 3, "gave_up", None, 0.0, 0),
    ]
    bulk_update_results(results)
    stored = Row.objects.order_by("id").values_list("id", "status", "reason", "postcode_id", "distance_m", "area_id")
    assert list(stored)[1:4] == results
    assert [tuple(row)[1:] for row in stored if row[0] & 0xFF in (1, 5)] == [(0, None, None, None, None)] * 2
    assert set(Row.objects.values_list("upload_id", "latitude", "longitude")) == {(UPLOAD, 51.5, -0.1)}


def test_any_text_of_a_result_comes_back() -> None:
    bulk_create_rows([located(number) for number in range(1, len(TEXTS) + 1)])
    bulk_update_results([(row_id(UPLOAD, number), 2, text, None, None, None) for number, text in enumerate(TEXTS, 1)])
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == TEXTS


def test_every_column_of_a_postcode_comes_back() -> None:
    postcodes: list[PostcodeDetails] = [
        ("YO1 7HH", 1, 53.96, -1.08),
        ("SW1A 1AA", (1 << 63) - 1, None, None),
        *((text[:8], 0, None, None) for text in TEXTS),
    ]
    bulk_create_postcodes(postcodes)
    stored = Postcode.objects.values_list("postcode", "area_id", "latitude", "longitude")
    assert set(stored) == set(postcodes)


def test_every_name_of_an_area_comes_back() -> None:
    areas: dict[AreaNames, int] = {(text, None, text, text): number for number, text in enumerate(TEXTS)}
    areas |= {("England", "London", "Westminster", "St James's"): 100, (None, None, None, None): 101}
    bulk_create_areas(areas)
    bulk_create_areas(areas)
    assert {area.names: area.pk for area in Area.objects.all()} == areas


def test_names_that_stand_in_other_places_are_another_area() -> None:
    names: list[AreaNames] = [
        ("York", None, None, None), (None, "York", None, None), ("None", None, None, None), ("", None, None, None),
        ("York", "", None, None), (None, None, None, None), ("Yo", "rk", None, None), ("\ud800", None, None, None),
    ]  # fmt: skip
    assert len({area_id(each) for each in names}) == len(names)
    assert all(0 <= area_id(each) < 1 << 63 for each in names)


def test_a_postcode_that_is_known_already_is_no_error() -> None:
    bulk_create_postcodes([("SW1A 1AA", 1, None, None)])
    bulk_create_postcodes([("SW1A 2AA", 3, None, None), ("SW1A 1AA", 2, None, None)])
    assert dict(Postcode.objects.values_list("postcode", "area_id")) == {"SW1A 1AA": 1, "SW1A 2AA": 3}


def test_a_postcode_twice_at_once_is_no_error() -> None:
    bulk_create_postcodes([("SW1A 1AA", 1, None, None), ("SW1A 1AA", 1, 51.5, -0.1), ("SW1A 1AA", 1, 51.5, None)])
    assert Postcode.objects.count() == 1
