"""Pages of rows are the same whichever way they are found."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer, answer_to
from tests.row_ways import set_thresholds
from tests.working import geocode_chunk, work_until_ended

from uploads.models import Row, RowStatus, has_rare_status
from uploads.rows import filters as queries
from uploads.work.leases import claim_chunk, claim_upload
from uploads.work.loading import Loader

pytestmark = pytest.mark.django_db
ROWS = "/api/v1/rows/"
FILE = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\n56,2.5\n0,0\nx,y\n51.501009,-0.141588\n53.4,-2.2\n"
FILTERS = [
    {},
    {"status": "match"},
    {"status": "no_match"},
    {"status": "failed"},
    {"status": "rejected"},
    {"status": "pending"},
    {"postcode": "SW1A1AA"},
    {"outcode": "SW1A"},
    {"outcode": "SW1"},
    {"country": "Wales"},
    {"country": "England"},
    {"country": "England", "admin_district": "Westminster"},
    {"country": "Wales", "admin_district": "Westminster"},
    {"country": "Atlantis"},
    {"outcode": "SW1A", "status": "match", "near": "51.5,-0.14", "radius": "5000"},
    {"outcode": "SW1A", "country": "Wales"},
    {"bbox": "-1,51,3,57", "status": "no_match"},
    *({"outcode": "SW1A", "status": status} for status in ("match", "no_match", "rejected", "pending")),
    {"country": "Wales", "status": "match"},
    {"country": "Wales", "status": "failed"},
]
# Gathered as far as possible, walked as far as possible, with most uploads looked at together, and in small leaps.
WAYS = {
    "gathered": {"FEW_ROWS": 0},
    "walked": {"MOST_GATHERED": 0},
    "together": {"FEW_SPANS": 1, "NEXT_ROWS": 9, "MOST_GATHERED": 0},
    "in leaps": {"FEW_HITS": 1, "MANY_HITS": 1},
}


@pytest.fixture
def owners(settings: Any, consumer: FakePostcodeConsumer) -> list[Api]:
    """Two users with three uploads each, in turn; rows of every status."""
    settings.AUTH = "required"
    consumer.failing = {(53.4, -2.2)}
    wales = answer_to(51.6, -0.2)
    details = {**wales["postcode_details"], "country": "Wales", "admin_district": "Ynys Môn"}
    consumer.answers[51.6, -0.2] = {**wales, "postcode_details": details}
    users = [Api(get_user_model().objects.create_user(name).pk) for name in ("ann", "ben")]
    for number in range(6):
        users[number % 2].upload(FILE + "54.1,-2.1\n" * number)
    work_until_ended()
    return users


def pages_of(api: Api, path: str, **filters: str) -> list[list[tuple[str, int]]]:
    """All pages from the first to the last; going back, there are the same rows in the same order."""
    pages = [api.get(path, page_size="2", **filters).json()]
    while pages[-1]["next"]:
        pages.append(api.get(pages[-1]["next"]).json())
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(api.get(back[-1]["previous"]).json())
    found = [[(row["upload"], row["row"]) for row in page["results"]] for page in pages]
    assert [row for page in back[::-1] for row in page["results"]] == [row for page in pages for row in page["results"]]
    return found


@pytest.mark.parametrize("way", WAYS)
def test_every_way_leads_to_the_same_rows(owners: list[Api], monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    shown = [api.get(ROWS, page_size="1000").json()["results"] for api in owners]
    set_thresholds(monkeypatch, **WAYS[way])
    monkeypatch.setattr(queries, "_FEW_POSTCODES", 1_000 if way == "gathered" else 0)
    for filters in FILTERS:
        for api, rows in zip(owners, shown, strict=True):
            keys = [(row["upload"], row["row"]) for row in rows if _fits(row, filters)]
            assert [key for page in pages_of(api, ROWS, **filters) for key in page] == keys, filters
            upload = api.get("/api/v1/uploads/").json()["results"][1]["id"]
            of_upload = [key for page in pages_of(api, f"/api/v1/uploads/{upload}/rows/", **filters) for key in page]
            assert of_upload == [key for key in keys if key[0] == upload], filters


def _fits(row: dict[str, Any], filters: dict[str, str]) -> bool:
    """By its own words, apart from places: those of the parameters above let through what the others do."""
    wanted = {name: value for name, value in filters.items() if name not in ("postcode", "near", "radius", "bbox")}
    postcode = filters.get("postcode")
    in_box = "bbox" not in filters or (row["latitude"] is not None and row["latitude"] > 1)
    return (
        in_box
        and (postcode is None or (row["postcode"] or "").replace(" ", "") == postcode)
        and all(row[name] == value for name, value in wanted.items())
    )


def test_rows_are_pending_until_their_chunk_is_done(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_ROWS = 3
    upload = api.upload("lat,lon\n" + "51.5,-0.1\n" * 4 + "x,y\n" + "51.5,-0.1\n" * 5)
    load = claim_upload()
    assert load is not None
    loader = Loader(load)
    while loader.step(3):
        pass
    loader.close()
    first, second = claim_chunk(), claim_chunk()
    assert first is not None
    assert second is not None
    geocode_chunk(second, outage_delay=timedelta(0))
    pending = [1, 2, 3, 7, 8, 9, 10]
    assert [row for page in pages_of(api, ROWS, status="pending") for _, row in page] == pending
    assert [row["row"] for row in api.rows(upload, status="pending")] == pending
    api.post(f"/api/v1/uploads/{upload['id']}/cancel/")
    assert [row["row"] for row in api.rows(upload, status="pending")] == pending


def test_pending_rows_of_others_are_not_shown(
    consumer: FakePostcodeConsumer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH = "required"
    set_thresholds(monkeypatch, FEW_SPANS=1)  # so that all that follow are looked at together
    set_thresholds(monkeypatch, NEXT_ROWS=4)
    users = [Api(get_user_model().objects.create_user(name).pk) for name in ("ann", "ben")]
    uploads = [users[number % 2].upload("lat,lon\n51.5,-0.1\n")["id"] for number in range(8)]
    while load := claim_upload():
        loader = Loader(load)
        while loader.step(1):
            pass
        loader.close()
    for api, own in zip(users, (uploads[::2], uploads[1::2]), strict=True):
        assert [row["upload"] for row in api.get(ROWS, status="pending").json()["results"]] == own


@pytest.mark.parametrize("position", ["0", "999999999999999999"])
@pytest.mark.parametrize("reverse", ["", "r=1&"])
def test_a_cursor_from_beyond_the_rows_leads_back_to_them(
    api: Api, consumer: FakePostcodeConsumer, position: str, reverse: str
) -> None:
    api.upload("lat,lon\n" + "51.5,-0.1\n" * 3)
    work_until_ended()
    page = api.get(ROWS, cursor=b64encode(f"{reverse}p={position}".encode()).decode()).json()
    other = page["previous"] if not reverse else page["next"]
    if not page["results"]:
        assert [row["row"] for row in api.get(other).json()["results"]] == [1, 2, 3]
    else:
        assert [row["row"] for row in page["results"]] == [1, 2, 3]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is SQLite that has to be told")
def test_sqlite_finds_rows_by_their_rowid_and_rare_statuses_by_their_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_index_list('uploads_row') WHERE origin = 'pk'")
        assert cursor.fetchall() == []
    rows = Row.objects.filter(has_rare_status(), status=RowStatus.FAILED, id__range=(1, 1 << 62)).order_by("id")[:10]
    assert "row_rare_status (status=? AND id>? AND id<?)" in rows.explain()
