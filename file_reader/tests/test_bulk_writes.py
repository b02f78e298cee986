"""Bulk writes: whatever is written comes back the same, on both databases."""

import pytest
from django.db import IntegrityError, transaction

from uploads.bulk import (
    NewRow,
    PostcodeDetails,
    Result,
    bulk_create_postcodes,
    bulk_create_rows,
    bulk_update_results,
)
from uploads.models import Postcode, Row, row_id

pytestmark = pytest.mark.django_db
TEXTS = [
    "plain", "", " ", '"', "'", "\\", "\\N", "\\.", "\t", "\n", "\r\n", "{a,b}", "NULL", "null", "a,b", "%s", "%",
    "\\t", "Ynys Môn", "東京", "🙂", "\u2028", "\x01\x7f", "$1", "; DROP TABLE uploads_row; --", '\\"', "{", "}",
]  # fmt: skip
UPLOAD = 7


def new_row(number: int, *, reason: str | None = None, raw: str | None = None) -> NewRow:
    return NewRow(row_id(UPLOAD, number), UPLOAD, 51.5, -0.1, 0, reason, None, raw)


def test_every_column_of_a_row_comes_back() -> None:
    rows = [
        NewRow(row_id(UPLOAD, 1), UPLOAD, 51.501009, -0.141588, 0, None, None, None),
        NewRow(row_id(UPLOAD, 2), UPLOAD, None, None, 4, "not_a_number", 1 << 40, "x,y"),
        NewRow(row_id(UPLOAD, 3), UPLOAD, -90.0, 1e-300, 0, None, None, None),
        NewRow(row_id(UPLOAD, 4), UPLOAD, 0.1 + 0.2, 5e-324, 0, None, None, None),
    ]
    bulk_create_rows(rows)
    stored = Row.objects.order_by("id").values_list(*NewRow._fields)
    assert [NewRow(*row) for row in stored] == rows


def test_any_text_of_a_row_comes_back() -> None:
    bulk_create_rows([new_row(number, reason=text, raw=text) for number, text in enumerate(TEXTS, 1)])
    assert list(Row.objects.order_by("id").values_list("raw", flat=True)) == TEXTS
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == TEXTS


def test_many_rows_come_back() -> None:
    bulk_create_rows([new_row(number) for number in range(1, 3_001)])
    assert Row.objects.count() == 3_000


def test_no_rows_are_no_trouble() -> None:
    bulk_create_rows([])
    bulk_update_results([])
    bulk_create_postcodes([])
    assert not Row.objects.exists()


def test_a_row_that_is_there_already_is_an_error_and_nothing_is_written() -> None:
    bulk_create_rows([new_row(1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_create_rows([new_row(2), new_row(1)])
    assert Row.objects.count() == 1


def test_every_column_of_a_result_comes_back_and_other_rows_are_left_alone() -> None:
    bulk_create_rows([new_row(number, raw="kept") for number in range(1, 6)])
    results = [
        Result(row_id(UPLOAD, 2), 1, None, "SW1A 1AA", 12.345678901234567),
        Result(row_id(UPLOAD, 3), 2, "none_within_max_distance", None, None),
        Result(row_id(UPLOAD, 4), 3, "gave_up", None, 0.0),
    ]
    bulk_update_results(results)
    stored = Row.objects.order_by("id").values_list("id", "status", "reason", "postcode_id", "distance_m")
    assert [Result(*row) for row in stored][1:4] == results
    assert [tuple(row)[1:] for row in stored if row[0] & 0xFF in (1, 5)] == [(0, None, None, None)] * 2
    assert set(Row.objects.values_list("raw", "latitude")) == {("kept", 51.5)}


def test_any_text_of_a_result_comes_back() -> None:
    bulk_create_rows([new_row(number) for number in range(1, len(TEXTS) + 1)])
    bulk_update_results([Result(row_id(UPLOAD, number), 2, text, None, None) for number, text in enumerate(TEXTS, 1)])
    assert list(Row.objects.order_by("id").values_list("reason", flat=True)) == TEXTS


def details(postcode: str, text: str | None, degrees: float | None = None) -> PostcodeDetails:
    return PostcodeDetails(postcode, "SW1A", "1AA", None, text, text, text, degrees, degrees)


def test_every_column_of_a_postcode_comes_back() -> None:
    postcodes = [details(f"P{number}", text) for number, text in enumerate([*TEXTS, None])]
    full = PostcodeDetails("YO1 7HH", "YO1", "7HH", "England", "Yorkshire", "York", "Guildhall", 53.96, -1.08)
    bulk_create_postcodes([*postcodes, full])
    stored = {PostcodeDetails(*row) for row in Postcode.objects.values_list(*PostcodeDetails._fields)}
    assert stored == {*postcodes, full}


def test_a_postcode_that_is_known_already_is_no_error() -> None:
    bulk_create_postcodes([details("SW1A 1AA", "first")])
    bulk_create_postcodes([details("SW1A 2AA", "new"), details("SW1A 1AA", "second")])
    assert dict(Postcode.objects.values_list("postcode", "region")) == {"SW1A 1AA": "first", "SW1A 2AA": "new"}


def test_a_postcode_twice_at_once_is_no_error() -> None:
    bulk_create_postcodes([details("SW1A 1AA", None), details("SW1A 1AA", "some", 51.5), details("SW1A 1AA", "some")])
    assert Postcode.objects.count() == 1
