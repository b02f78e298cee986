"""Bulk writes: whatever is written comes back the same, on both databases."""

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from uploads.models import Area, AreaNames, Row, area_id
from uploads.row_ids import row_id
from uploads.rows.bulk import (
    Matches,
    PendingRows,
    RejectedRow,
    Unmatched,
    bulk_create_areas,
    bulk_create_rows,
    bulk_update_results,
    pending_rows,
)

pytestmark = pytest.mark.django_db
TEXTS = [
    "plain", "", " ", '"', "'", "\\", "\\N", "\\.", "\t", "\n", "\r\n", "{a,b}", "NULL", "null", "a,b", "%s", "%",
    "\\t", "Ynys Môn", "東京", "🙂", "\u2028", "\x01\x7f", "$1", "; DROP TABLE uploads_row; --", '\\"', "{", "}",
]  # fmt: skip
UPLOAD = 7
LARGEST = (1 << 63) - 1
Located = tuple[int, float, float]


def located(number: int, latitude: float = 51.5, longitude: float = -0.1) -> Located:
    return row_id(UPLOAD, number), latitude, longitude


def create(*rows: Located, rejected: tuple[RejectedRow, ...] = ()) -> None:
    ids, latitudes, longitudes = zip(*rows, strict=True) if rows else ((), (), ())
    columns = PendingRows(np.array(ids, np.int64), np.array(latitudes, float), np.array(longitudes, float))
    bulk_create_rows(UPLOAD, columns, rejected)


def matches(*rows: tuple[int, str, float, int]) -> Matches:
    numbers, postcodes, distances, areas = zip(*rows, strict=True) if rows else ((), (), (), ())
    ids = np.array([row_id(UPLOAD, number) for number in numbers], np.int64)
    return Matches(ids, np.array(postcodes, "S8"), np.array(distances, float), np.array(areas, np.int64))


def rejected(number: int, text: str) -> RejectedRow:
    return RejectedRow(row_id(UPLOAD, number), UPLOAD, text, 1 << 40, text)


def test_every_column_of_a_row_comes_back() -> None:
    rows = [located(1, 51.501009, -0.141588), located(3, -90.0, 1e-300), located(4, 0.1 + 0.2, 5e-324)]
    create(*rows, rejected=(rejected(2, "x,y"),))
    columns = ("id", "latitude", "longitude", "upload_id", "status", "reason", "line", "raw", "postcode", "distance_m")
    nothing_else = (UPLOAD, 0, None, None, None, None, None)
    assert list(Row.objects.order_by("id").values_list(*columns)) == [
        (*rows[0], *nothing_else),
        (row_id(UPLOAD, 2), None, None, UPLOAD, 4, "x,y", 1 << 40, "x,y", None, None),
        (*rows[1], *nothing_else),
        (*rows[2], *nothing_else),
    ]


def test_any_text_of_a_row_comes_back() -> None:
    create(rejected=tuple(rejected(number, text) for number, text in enumerate(TEXTS, 1)))
    assert list(Row.objects.order_by("id").values_list("raw", flat=True)) == TEXTS
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == TEXTS


@pytest.mark.parametrize("count", [1, 299, 300, 301, 3_001])
def test_many_rows_come_back(count: int) -> None:
    rows = [located(number, number / 100) for number in range(1, count + 1)]
    create(*rows)
    assert list(Row.objects.order_by("id").values_list("id", "latitude", "longitude")) == rows


def test_the_rows_that_wait_are_those_of_the_range_without_an_answer() -> None:
    create(*(located(number, number) for number in (1, 2, 3, 5, 6)), rejected=(rejected(4, "blank"),))
    bulk_update_results(matches(), [Unmatched(row_id(UPLOAD, 3), 2, None)])
    found = pending_rows(row_id(UPLOAD, 2), row_id(UPLOAD, 5))
    assert [column.tolist() for column in found] == [
        [row_id(UPLOAD, 2), row_id(UPLOAD, 5)],
        [2.0, 5.0],
        [-0.1, -0.1],
    ]
    assert [len(column) for column in pending_rows(row_id(UPLOAD, 7), row_id(UPLOAD, 9))] == [0, 0, 0]


def test_no_rows_are_no_trouble() -> None:
    create()
    bulk_update_results(matches(), [])
    bulk_create_areas([])
    assert not Row.objects.exists()


def test_a_row_that_is_there_already_is_an_error_and_nothing_is_written() -> None:
    create(located(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        create(located(2), located(1))
    assert Row.objects.count() == 1


def test_every_column_of_a_result_comes_back_and_other_rows_are_left_alone() -> None:
    create(*(located(number) for number in range(1, 8)))
    matched = (2, "SW1A 1AA", 12.345678901234567, LARGEST), (5, "M1 1AE", 0.0, 0), (6, "YO1 7HH", 5.0, 3)
    reasons = Unmatched(row_id(UPLOAD, 4), 3, "gave_up"), Unmatched(row_id(UPLOAD, 3), 2, "outside_uk")
    bulk_update_results(matches(*matched), reasons)
    stored = Row.objects.order_by("id").values_list("id", "status", "reason", "postcode", "distance_m", "area_id")
    assert [(row[0] & 0xFF, *row[1:]) for row in stored] == [
        (1, 0, None, None, None, None),
        (2, 1, None, *matched[0][1:]),
        (3, 2, "outside_uk", None, None, None),
        (4, 3, "gave_up", None, None, None),
        (5, 1, None, *matched[1][1:]),
        (6, 1, None, *matched[2][1:]),
        (7, 0, None, None, None, None),
    ]
    assert set(Row.objects.values_list("upload_id", "latitude", "longitude")) == {(UPLOAD, 51.5, -0.1)}


def test_results_of_two_chunks_are_written_in_one_transaction() -> None:
    create(*(located(number) for number in range(1, 4)))
    bulk_update_results(matches((2, "SW1A 1AA", 1.0, 1)), [])
    bulk_update_results(matches((1, "SW1A 2AA", 3.0, 3), (3, "SW1A 2AA", 3.0, 3)), [])
    assert list(Row.objects.order_by("id").values_list("postcode", flat=True)) == ["SW1A 2AA", "SW1A 1AA", "SW1A 2AA"]


def test_any_reason_comes_back() -> None:
    reasons = [text or None for text in TEXTS]
    create(*(located(number) for number in range(1, len(reasons) + 1)))
    others = [Unmatched(row_id(UPLOAD, number), 2, reason) for number, reason in enumerate(reasons, 1)]
    bulk_update_results(matches(), others)
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == reasons


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such updates")
def test_postgresql_updates_rows_where_they_are() -> None:
    """HOT: 42 of 100 bytes of a page are filled at first, and no index has what an answer changes."""
    with connection.cursor() as cursor:
        counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'uploads_row'"
        with transaction.atomic():
            create(*(located(number) for number in range(1, 5_001)))
        with transaction.atomic():
            bulk_update_results(matches(*((number, "SW1A 1AA", 10.25, LARGEST) for number in range(1, 5_001))), [])
            cursor.execute(counts)
            updated, in_place = cursor.fetchone()
    assert updated == in_place >= 5_000


@pytest.mark.django_db(transaction=True)
def test_answers_that_find_no_rows_are_an_error() -> None:
    create(located(1))
    with pytest.raises(RuntimeError, match="1 of 2 rows"), transaction.atomic():
        bulk_update_results(matches((1, "SW1A 1AA", 1.0, 1), (2, "SW1A 1AA", 1.0, 1)), [])
    assert not Row.objects.exclude(postcode=None).exists()


def test_every_name_of_an_area_comes_back() -> None:
    areas: list[AreaNames] = [(text, None, text, text) for text in TEXTS]
    areas += [("England", "London", "Westminster", "St James's"), (None, None, None, None)]
    bulk_create_areas(areas)
    bulk_create_areas([*areas, *areas])
    assert {area.names: area.pk for area in Area.objects.all()} == {names: area_id(names) for names in areas}


def test_names_that_stand_in_other_places_are_another_area() -> None:
    names: list[AreaNames] = [
        ("York", None, None, None), (None, "York", None, None), ("None", None, None, None), ("", None, None, None),
        ("York", "", None, None), (None, None, None, None), ("Yo", "rk", None, None), ("\ud800", None, None, None),
    ]  # fmt: skip
    assert len({area_id(each) for each in names}) == len(names)
    assert all(0 <= area_id(each) < 1 << 63 for each in names)
