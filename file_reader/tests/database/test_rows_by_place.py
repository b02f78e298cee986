"""Boxes and circles find exactly the rows that are in them, wherever these lie, page by page."""

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Now
from tests.row_ways import forbid_walking, set_thresholds
from tests.working import work_until_ended

from uploads.models import Chunk, LocationCell, Row, RowStatus, Upload
from uploads.row_ids import row_id, row_range
from uploads.rows import by_place as cells
from uploads.rows.bulk import RejectedRow, bulk_create_rows
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages
from uploads.work import housekeeping
from uploads.work.commands import delete_upload

pytestmark = pytest.mark.django_db
#: Corners and edges of the grid and of the world.
EDGES = [
    (0.0, 0.0), (-0.0, -0.0), (90.0, 0.0), (-90.0, 10.0), (90.0, 180.0), (51.5, 180.0), (51.5, -180.0), (48.0, -12.0),
    (62.0, 4.05), (61.999999, 4.049999), (47.999999, -12.000001), (51.5, -0.15), (51.5, 0.0), (51.6, -0.15),
    (51.6, 0.0), (51.55, -0.15), (51.550000000000004, -0.15000000000000002), (51.549999999999997, 0.15),
]  # fmt: skip
BOXES = [
    "-0.15,51.5,0,51.6", "-0.15,51.5,-0.15,51.5", "0,0,0,0", "-0.0,-0.0,-0.0,-0.0", "-1,51,1,52", "-12,48,4.05,62",
    "-180,-90,180,90", "-1e300,-1e300,1e300,1e300", "-12,48,-12,48", "170,50,180,52", "-180,50,-170,52", "0,89,180,90",
    "-30,40,-12,48", "-0.1,51.55,0.1,51.550000000000004", "3,61,5,63", "-9,56,-8.9,56.1", "-0.3,51.4,0.3,51.7",
]  # fmt: skip
CIRCLES = [
    ("51.55,-0.1", 1), ("51.55,-0.1", 3_000), ("51.55,-0.1", 9_000), ("51.55,-0.1", 30_000), ("51.55,-0.1", 100_000),
    ("51.5,-0.15", 0.5), ("0,0", 10), ("90,0", 1_000), ("-90,0", 1_000), ("89.99,-90", 5_000), ("51.5,180", 1_000),
    ("51.5,-179.99", 5_000), ("48,-12", 1), ("62,4.05", 100), ("57,-10.5", 100_000), ("51.6,0", 20_000),
]  # fmt: skip
QUESTIONS = [*({"bbox": box} for box in BOXES), *({"near": at, "radius": str(metres)} for at, metres in CIRCLES)]
# As it is; in the smallest possible parts; all walked; large boxes looked at from the next rows on first.
WAYS = {
    "as it is": {},
    "in parts": {"FEW_LISTS": 1, "MANY_LISTS": 50, "MOST_IDS": 20, "FEW_CELLS": 300, "MOST_CELLS": 300},
    "walked": {"MOST_LISTS": 0},
    "next rows first": {"FEW_CELLS": 0, "NEXT_ROWS": 7},
}
Located = dict[int, tuple[float, float]]


def places(count: int, seed: int) -> list[tuple[float, float]]:
    """Most around one town, some anywhere in the country or the world, and all edges."""
    rng = random.Random(seed)
    town = [(round(rng.gauss(51.55, 0.03), 4), round(rng.gauss(-0.1, 0.05), 4)) for _ in range(count)]
    country = [(rng.uniform(50, 59), rng.uniform(-6, 1)) for _ in range(count // 2)]
    world = [(rng.uniform(-90, 90), rng.uniform(-180, 180)) for _ in range(count // 4)]
    found = [*town, *country, *world, *EDGES]
    rng.shuffle(found)
    return found


@pytest.fixture
def uploads(settings: Any) -> list[Upload]:
    """Five uploads of two users in turn, loaded in steps of 60 rows; every 9th row is rejected, every 7th no match.

    Of the second, two chunks are open, and the third is being deleted.
    """
    users = [get_user_model().objects.create_user(name) for name in ("ann", "ben")]
    made = []
    for number in range(5):
        found = places(100, number)
        upload = Upload.objects.create(
            owner=users[number % 2], filename="x.csv", size=1, sha256="", dialect={}, max_distance=1, state="done",
            rows_loaded=len(found),
        )  # fmt: skip
        rows = [(row_id(upload.pk, order), upload.pk, *place) for order, place in enumerate(found, 1)]
        for start in range(0, len(rows), 60):
            step = rows[start : start + 60]
            bulk_create_rows(
                [row for row in step if row[0] % 9],
                [RejectedRow(row[0], upload.pk, "blank", 1, "x") for row in step if row[0] % 9 == 0],
            )
        made.append(upload)
    open_rows = Q()
    for first_row in (20, 90):
        Chunk.objects.create(upload=made[1], first_row=first_row, row_count=40)
        open_rows |= Q(**row_range(made[1].pk, first_row, 40))
    answered = Row.objects.filter(status=RowStatus.PENDING).exclude(open_rows)
    no_match = [pk for pk in answered.values_list("pk", flat=True) if pk % 7 == 0]
    answered.update(status=RowStatus.MATCH)
    Row.objects.filter(pk__in=no_match).update(status=RowStatus.NO_MATCH)
    Upload.objects.filter(pk=made[2].pk).update(deleted_at=Now())
    return made


def inside(question: dict[str, str], place: tuple[float, float]) -> bool:
    """By the plain formulas."""
    latitude, longitude = place
    if "bbox" in question:
        west, south, east, north = map(float, question["bbox"].split(","))
        return west <= longitude <= east and south <= latitude <= north
    here, there = map(math.radians, (float(question["near"].split(",")[0]), latitude))
    apart = math.radians(longitude - float(question["near"].split(",")[1]))
    chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(apart / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(min(1.0, chord))) <= float(question["radius"])


def all_pages(pages: RowPages, limit: int, *, backwards: bool = False) -> Iterator[int]:
    position = None
    while page := pages.page(position, limit, backwards=backwards):
        yield from (row["id"] for row in page)
        position = page[-1]["id"]
        if len(page) < limit:
            break


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_rows_of_a_box_or_circle_are_those_inside(
    uploads: list[Upload], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    set_thresholds(monkeypatch, **{"FEW_ROWS": 0, **WAYS[way]})
    rows = list(Row.objects.filter(latitude__isnull=False).exclude(upload=uploads[2]).order_by("pk"))
    ben, bens = uploads[1].owner_id, (uploads[1].pk, uploads[3].pk)
    for question in QUESTIONS:
        truth = [row for row in rows if inside(question, (row.latitude, row.longitude))]
        for more, status in (({}, None), ({"status": "no_match"}, 2), ({"status": "pending"}, 0)):
            filters = parse_filters(question | more)
            wanted = [row for row in truth if status is None or row.status == status]
            for pages, expected in (
                (RowPages(filters), wanted),
                (RowPages(filters, owner_id=ben), [row for row in wanted if row.upload_id in bens]),
                (RowPages(filters, upload=uploads[1]), [row for row in wanted if row.upload_id == uploads[1].pk]),
            ):
                ids = [row.pk for row in expected]
                for limit in (max(3, len(ids) // 4), 1_000):
                    assert list(all_pages(pages, limit)) == ids, question
                    assert list(all_pages(pages, limit, backwards=True)) == ids[::-1], question
                middle = ids[len(ids) // 2] if ids else row_id(uploads[1].pk, 70)
                behind = [row["id"] for row in pages.page(middle, 1_000)]
                assert behind == [pk for pk in ids if pk > middle], question


def test_a_small_circle_is_not_walked_to(uploads: list[Upload], monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_walking(monkeypatch)
    for near, radius in (("51.55,-0.1", "100"), ("51.55,-0.1", "20000"), ("57.5,-10", "10000"), ("10,10", "100")):
        list(all_pages(RowPages(parse_filters({"near": near, "radius": radius})), 5))


def test_the_rows_of_a_large_circle_at_sea_are_counted_not_walked(
    uploads: list[Upload], django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_thresholds(monkeypatch, NEXT_ROWS=20)
    forbid_walking(monkeypatch)
    with django_assert_max_num_queries(8):
        assert RowPages(parse_filters({"near": "60.5,-11.9", "radius": "100000"})).page(None, 100) == []


def test_every_located_row_is_in_one_list(uploads: list[Upload]) -> None:
    stored = LocationCell.objects.values_list("first_id", "cell", "entries")
    everywhere = cells.Box(-90, 90, -180, 180)
    ids = cells.ids_within(everywhere, stored).tolist()
    assert ids == list(Row.objects.filter(latitude__isnull=False).order_by("pk").values_list("pk", flat=True))
    assert cells.ids_within(everywhere, []).tolist() == []


@pytest.mark.parametrize("slice_", [7, 100_000])
def test_with_an_upload_go_the_lists_of_its_rows(
    uploads: list[Upload], monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", slice_)
    deleted = LocationCell.objects.filter(**{"first_id__range": row_range(uploads[2].pk, 0, 1 << 32)["id__range"]})
    others = LocationCell.objects.count() - deleted.count()
    before = deleted.count()
    assert housekeeping.purge_deleted()
    assert deleted.count() < before
    while housekeeping.purge_deleted():
        pass
    assert LocationCell.objects.count() == others
    assert not deleted.exists()
    for upload in uploads[:2] + uploads[3:]:
        delete_upload(upload)
    work_until_ended()
    assert (LocationCell.objects.count(), Row.objects.count()) == (0, 0)


def test_a_page_of_many_uploads_takes_few_statements(uploads: list[Upload], django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):
        page = RowPages(parse_filters({"bbox": "-0.2,51.5,0,51.6"}), owner_id=uploads[0].owner_id).page(None, 50)
    assert len(page) == 50
