"""Postcodes and outcodes find exactly the rows that have them, however these were answered, page by page."""

import random
from itertools import product
from string import ascii_uppercase, digits
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.row_ways import forbid_walking, set_thresholds
from tests.working import work_until_ended

from uploads.models import NO_NAMES, AreaNames, PostcodeList, Row, RowStatus, Upload
from uploads.row_ids import row_id
from uploads.rows.bulk import bulk_create_areas, bulk_create_postcodes, bulk_create_rows, bulk_update_results, these
from uploads.rows.by_postcode import IRREGULAR, SoughtPostcodes, entries_by_postcode_area, postcode_numbers
from uploads.rows.filters import in_outcode, parse_filters
from uploads.rows.pages import RowPages
from uploads.work import housekeeping
from uploads.work.commands import delete_upload

pytestmark = pytest.mark.django_db
REGULAR = [
    "M1 1AA", "M11 1AA", "M1A 1AA", "SW1 1AA", "SW1A 1AA", "SW1A 1AB", "SW1A 2AA", "SW11 1AA", "S1 1AA", "S01 1AA",
    "E1 6AN", "E1W 1AA", "EC1A 1BB", "ZE1 0AA", "B1 0AA",
]  # fmt: skip
STRANGE = ["GIR 0AA", "BFPO 57", "SW1A", "SW1A 1", "sw1a 1aa", "ÄÖ1 1AA", "M1  1AA", "A 1AA", "٣1 1AA", "SW1A 1Aa"]
ENGLAND: AreaNames = ("England", None, "Westminster", None)
QUESTIONS = [
    *({"postcode": text} for text in (*REGULAR, *STRANGE, "ZZ1 1ZZ")),
    *({"outcode": text} for text in ("SW1A", "sw1", "M1", "S1", "S01", "E1", "GIR", "BFPO", "SW", "ZZ1")),
    {"admin_district": "Westminster"},
    {"outcode": "SW1A", "postcode": "SW1A 1AA"},
    {"outcode": "M1", "postcode": "SW1A 1AA"},
    {"outcode": "SW1A", "admin_district": "Westminster", "bbox": "-1,51.2,1,51.4"},
    {"outcode": "SW1A", "near": "51.3,0", "radius": "5000"},
    {"outcode": "SW1A", "status": "match"},
    {"outcode": "SW1A", "status": "no_match"},
]
# As it is; so that small uploads are not walked; in the smallest parts, with all runs asked for together; all walked.
WAYS = {
    "as it is": {},
    "gathered": {"FEW_ROWS": 0},
    "in parts": {"FEW_ROWS": 0, "MOST_IDS": 3, "FEW_RUNS": 0},
    "walked": {"MOST_GATHERED": 0},
}


@pytest.fixture
def uploads() -> list[Upload]:
    """Five uploads of two users in turn. The rows of each are answered in three goes that lie between each other.

    The third is being deleted.
    """
    users = [get_user_model().objects.create_user(name) for name in ("ann", "ben")]
    postcodes = [*REGULAR, *STRANGE]
    bulk_create_areas({ENGLAND: 1, NO_NAMES: 2})
    bulk_create_postcodes([(text, 1 + number % 2, None, None) for number, text in enumerate(postcodes)])
    made = []
    for number in range(5):
        rng = random.Random(number)
        rows = 120
        upload = Upload.objects.create(
            owner=users[number % 2], filename="x.csv", size=1, sha256="", dialect={}, max_distance=1, state="done",
            rows_loaded=rows,
        )  # fmt: skip
        ids = [row_id(upload.pk, order) for order in range(1, rows + 1)]
        bulk_create_rows([(id_, upload.pk, 51 + rng.random() / 2, 0.0) for id_ in ids])
        goes: list[list[int]] = [[], [], []]
        for id_ in ids:
            rng.choice(goes).append(id_)
        for go in goes:
            found = [rng.choice([*range(len(postcodes)), None]) for _ in go]
            bulk_update_results([
                (id_, RowStatus.NO_MATCH.value, "none_within_max_distance", None, None, None)
                if one is None
                else (id_, RowStatus.MATCH.value, None, postcodes[one], 1.5, 1 + one % 2)
                for id_, one in zip(go, found, strict=True)
            ])  # fmt: skip
        made.append(upload)
    delete_upload(made[2])
    return made


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.slow if way == "in parts" else ()) for way in WAYS]
)
def test_exactly_its_rows_are_found(uploads: list[Upload], monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    set_thresholds(monkeypatch, **WAYS[way])
    for question in QUESTIONS:
        assert_exactly_its_rows_are_found(uploads, question)


def assert_exactly_its_rows_are_found(uploads: list[Upload], question: dict[str, str]) -> None:
    filters = parse_filters(question)
    everything = Row.objects.filter(filters.where).exclude(upload=uploads[2]).order_by("id")
    for owner, upload in (
        (None, None), (uploads[0].owner_id, None), (uploads[1].owner_id, None), (None, uploads[3]), (None, uploads[0]),
    ):  # fmt: skip
        of_owner = Q() if owner is None else Q(upload__owner=owner)
        of_upload = Q() if upload is None else Q(upload=upload)
        expected = list(everything.filter(of_owner, of_upload).values_list("id", flat=True))
        pages = RowPages(filters, owner_id=owner, upload=upload)
        assert walk_through(pages, backwards=False) == expected, question
        assert walk_through(pages, backwards=True) == expected[::-1], question
        if len(question) == 1:
            assert pages.count() == len(expected), question


def walk_through(pages: RowPages, *, backwards: bool) -> list[int]:
    found: list[int] = []
    while page := pages.page(found[-1] if found else None, 7, backwards=backwards):
        assert len(page) <= 7
        found += [row["id"] for row in page]
    return found


def test_rows_of_an_outcode_are_found_without_walking(
    uploads: list[Upload], monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    forbid_walking(monkeypatch)
    set_thresholds(monkeypatch, FEW_ROWS=0)
    with django_assert_max_num_queries(3):
        assert len(RowPages(parse_filters({"postcode": "M1 1AA"}), owner_id=uploads[0].owner_id).page(None, 3)) == 3


def test_every_regular_postcode_has_a_number_of_its_own() -> None:
    districts = [*digits, *map("".join, product(digits, digits + ascii_uppercase))]
    outcodes = [area + district for area in ("A", "AA", "Z", "ZZ", "AZ") for district in districts]
    incodes = [f"{digit}{letters}" for digit in digits for letters in ("AA", "AZ", "ZA", "ZZ")]
    postcodes = [f"{outcode} {incode}" for outcode in outcodes for incode in incodes]
    numbers = set(postcode_numbers(postcodes).tolist())
    assert len(numbers) == len(postcodes)
    assert IRREGULAR not in numbers
    assert set(postcode_numbers([*STRANGE, "", " 1AA", "SW1A1AA"]).tolist()) == {IRREGULAR}


def test_lists_give_back_what_was_put_in_whatever_their_size() -> None:
    rng = random.Random(1)
    rows = [(row_id(3, order), rng.choice(REGULAR)) for order in sorted(rng.sample(range(1, 1 << 32), 3_000))]
    lists = [
        each
        for start in range(0, len(rows), 700)
        for each in entries_by_postcode_area(*zip(*rows[start : start + 700], strict=True))
    ]
    for postcode in REGULAR:
        assert SoughtPostcodes.of([postcode]).ids_in(lists).tolist() == [id_ for id_, one in rows if one == postcode]
    assert SoughtPostcodes.of(REGULAR).ids_in(lists).tolist() == [id_ for id_, _ in rows]
    assert SoughtPostcodes.of([]).ids_in(lists).tolist() == []
    assert SoughtPostcodes.of(REGULAR).ids_in([]).tolist() == []
    assert entries_by_postcode_area([], []) == []


@pytest.mark.parametrize("slice_", [7, 100_000])
def test_with_an_upload_go_its_lists(uploads: list[Upload], monkeypatch: pytest.MonkeyPatch, slice_: int) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", slice_)
    of_third = PostcodeList.objects.filter(first_id__range=(row_id(uploads[2].pk, 0), row_id(uploads[3].pk, 0)))
    others = PostcodeList.objects.count() - of_third.count()
    assert of_third.exists()
    while housekeeping.purge_deleted():
        pass
    assert PostcodeList.objects.count() == others
    assert not of_third.exists()


def test_rows_that_are_retried_are_found_by_their_postcode(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(51.501009, -0.141588)}
    upload = api.upload("lat,lon\n51.501009,-0.141588\n51.501009,-0.141589\n51.501009,-0.141588\n")
    work_until_ended()
    consumer.failing = set()
    api.post(f"/api/v1/uploads/{upload['id']}/retry/")
    work_until_ended()
    rows = api.rows(upload)
    assert [row["status"] for row in rows] == ["match"] * 3
    for postcode in {row["postcode"] for row in rows}:
        having = [row for row in rows if row["postcode"] == postcode]
        assert api.get("/api/v1/rows/", postcode=postcode).json()["results"] == having
        assert api.get(f"/api/v1/postcodes/{postcode}/").json()["rows"] == len(having)


@pytest.mark.parametrize("count", [0, 1, 40_000])
def test_however_many_rows_are_meant_they_are_one_parameter(uploads: list[Upload], count: int) -> None:
    first = row_id(uploads[0].pk, 1)
    found = Row.objects.filter(pk__in=these(list(range(first, first + count))))
    assert found.count() == min(count, 120)


def test_an_outcode_is_a_condition_on_rows_too(uploads: list[Upload]) -> None:
    found = set(Row.objects.filter(**in_outcode("sw1a")).values_list("postcode_id", flat=True))
    assert found == {text for text in (*REGULAR, *STRANGE) if text.startswith("SW1A ")}
