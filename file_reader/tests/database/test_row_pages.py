"""Pages of rows have what was asked for, all of it and nothing else, wherever they begin and however it is found."""

import random
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import assert_invariant
from tests.row_sets import AREAS, POSTCODES, REASONS, Question, is_asked_for, make_upload, write_indexes
from tests.working import in_thread, work_until_ended, work_until_idle

from uploads.models import IndexBlock, Row, Upload, area_id
from uploads.row_ids import row_id
from uploads.rows import blocks, index, pages
from uploads.rows.bulk.questions import Questions
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages
from uploads.work.commands import delete_upload, retry_upload

pytestmark = pytest.mark.django_db
ROWS = "/api/v1/rows/"
BOXES = [
    "-0.15,51.5,0,51.6", "-0.15,51.5,-0.15,51.5", "0,0,0,0", "-0.0,-0.0,-0.0,-0.0", "-1,51,1,52", "-12,48,4.05,62",
    "-180,-90,180,90", "-1e300,-1e300,1e300,1e300", "170,50,180,52", "-180,50,-170,52", "0,89,180,90", "180,-90,180,90",
    "-30,40,-12,48", "-0.1,51.55,0.1,51.550000000000004", "-0.12,51.52,-0.12,51.52", "10,-90,10,-90",
]  # fmt: skip
CIRCLES = [
    ("51.55,-0.1", 1), ("51.55,-0.1", 3_000), ("51.55,-0.1", 30_000), ("51.55,-0.1", 100_000), ("51.5,-0.15", 0.5),
    ("0,0", 10), ("90,0", 1_000), ("-90,0", 1_000), ("89.99,-90", 5_000), ("51.5,180", 1_000), ("51.5,-179.99", 5_000),
    ("62,4.05", 100), ("57,-10.5", 100_000),
]  # fmt: skip
QUESTIONS: list[Question] = [
    {},
    *({"status": word} for word in ("match", "no_match", "failed", "rejected", "pending")),
    *({"reason": word} for words in REASONS.values() for word in {*words}),
    {"reason": "searched_to_2000_m"},
    {"reason": "x" * 300},
    {"status": "no_match", "reason": "none_within_max_distance"},
    *({"postcode": text} for text in (*POSTCODES, "ZZ1 1ZZ", "x" * 300)),
    *({"outcode": text} for text in ("SW1A", "sw1", "M1", "S1", "GIR", "BFPO", "ÄÖ1", "SW", "ZZ1", "x" * 300, " ")),
    *({"country": name} for name in ("England", "Wales", "Atlantis")),
    *({"admin_district": name} for name in ("Westminster", "Manchester", "Ynys Môn", "westminster")),
    {"country": "Wales", "admin_district": "Westminster"},
    {"country": "Wales", "admin_district": "Manchester"},
    *({"bbox": box} for box in BOXES),
    *({"near": at, "radius": str(metres)} for at, metres in CIRCLES),
]
# As it is; with the smallest segments, blocks and looks, so that each question takes many of them; with nothing read
# but the best lead.
WAYS: dict[str, dict[Any, dict[str, int]]] = {
    "as it is": {},
    "in the smallest parts": {
        blocks: {"ENTRIES": 3},
        index: {"ENTRIES": 3, "_MOST_IDS": 4, "_FEW_BLOCKS": 2, "_MANY_BLOCKS": 5},
        pages: {"_FEW_UPLOADS": 1, "_MANY_UPLOADS": 2, "_MOST_RUNS": 2, "_COUNTED_ROWS": 7},
    },
    "by one lead": {blocks: {"ENTRIES": 3}, index: {"ENTRIES": 1_000, "_MOST_IDS": 4, "_POOR": 1}},
}


def mixtures(count: int) -> list[Question]:
    """Questions with two or three conditions, some of which contradict each other."""
    rng = random.Random(count)
    return [
        {name: value for part in rng.sample(QUESTIONS, rng.choice((2, 3))) for name, value in part.items()}
        for _ in range(count)
    ]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    for module, values in WAYS[request.param].items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    if request.param != "as it is":
        settings.INDEX_SEGMENT_ROWS = 60
    return str(request.param)


@pytest.fixture
def uploads(way: str) -> list[Upload]:
    """Of two users: with an index and without, open, cancelled, being deleted, and empty."""
    ann, ben = (get_user_model().objects.create_user(name) for name in ("ann", "ben"))
    made = [
        make_upload(1, owner=ann),
        make_upload(150, owner=ben),
        make_upload(100, owner=ann, state="cancelled"),
        make_upload(0, owner=ann),
        make_upload(130, owner=ann, state="geocoding"),
        make_upload(70, owner=ben, state="failed"),
        make_upload(60, owner=ann),
    ]
    write_indexes()
    made += [make_upload(90, owner=ben), make_upload(61, owner=ann), make_upload(20, owner=ben, state="loading")]
    for upload in (made[5], made[7]):
        delete_upload(upload)
    # Opened again: what its index said holds no longer.
    retry_upload(made[1])
    assert [bool(upload.indexed_at) for upload in Upload.objects.order_by("id")] == [
        True, False, True, True, False, True, True, False, False, False
    ]  # fmt: skip
    return made


def all_rows(rows: RowPages, limit: int, *, backwards: bool) -> Iterator[int]:
    position = None
    while page := rows.page(position, limit, backwards=backwards):
        assert len(page) <= limit
        yield from (row["id"] for row in page)
        position = page[-1]["id"]


def assert_found(rows: RowPages, ids: list[int], question: Question) -> None:
    """Page by page in both directions, and from the middle."""
    limit = max(3, len(ids) // 3)
    assert list(all_rows(rows, limit, backwards=False)) == ids, question
    assert list(all_rows(rows, limit, backwards=True)) == ids[::-1], question
    middle = ids[len(ids) // 2] if ids else row_id(1, 3)
    assert [row["id"] for row in rows.page(middle, 1_000)] == [id_ for id_ in ids if id_ > middle], question
    before = [row["id"] for row in rows.page(middle + 1, 5, backwards=True)]
    assert before == [id_ for id_ in ids if id_ <= middle][-5:][::-1], question


@pytest.mark.slow
@pytest.mark.timeout(600)  # on a busy machine, and behind all others
def test_exactly_the_rows_that_are_asked_for_are_found(uploads: list[Upload], way: str) -> None:
    deleted = {uploads[5].pk, uploads[7].pk}
    rows = [row for row in Row.objects.select_related("area", "upload").order_by("id") if row.upload_id not in deleted]
    owners = {upload.pk: upload.owner_id for upload in uploads}
    rng = random.Random(way)
    for question in (*QUESTIONS, *mixtures(150)):
        filters = parse_filters(question)
        wanted = [row for row in rows if is_asked_for(row, question)]
        ids = [row.pk for row in wanted]
        assert_found(RowPages(filters), ids, question)
        assert RowPages(filters).count() == len(ids), question
        owner = rng.choice([*owners.values()])
        assert_found(RowPages(filters, owner_id=owner), [id_ for id_ in ids if owners[id_ >> 32] == owner], question)
        upload = rng.choice(uploads)
        of_upload = RowPages(filters, upload=upload)
        assert_found(of_upload, [id_ for id_ in ids if id_ >> 32 == upload.pk], question)
        assert of_upload.count() == len([id_ for id_ in ids if id_ >> 32 == upload.pk]), question


def test_a_row_comes_with_what_it_has(uploads: list[Upload]) -> None:
    for stored in Row.objects.filter(upload=uploads[1]).select_related("area", "upload"):
        (row,) = RowPages(parse_filters({})).page(stored.pk - 1, 1)
        names = stored.area.names if stored.area else (None,) * 4
        assert list(row.values()) == [
            stored.pk, stored.upload.public_id, stored.latitude, stored.longitude, stored.status, stored.reason,
            stored.postcode, stored.distance_m, *names, stored.line, stored.raw,
        ]  # fmt: skip


# --- what changes while somebody reads -----------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["as it is"], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_read_while_a_retry_gives_up_the_index_is_that_of_one_moment(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = make_upload(500, seed=3)
    write_indexes()
    failed = list(Row.objects.filter(status=3).order_by("id").values_list("id", flat=True))
    assert len(failed) > 9
    read_blocks = Questions.blocks

    def retry_first(self: Questions, *arguments: Any) -> Any:
        monkeypatch.undo()
        in_thread(retry_upload, upload).result(timeout=30)
        in_thread(lambda: IndexBlock.objects.all().delete()).result(timeout=30)
        return read_blocks(self, *arguments)

    monkeypatch.setattr(Questions, "blocks", retry_first)
    rows = RowPages(parse_filters({"status": "failed"}))
    assert [row["id"] for row in rows.page(None, 1_000)] == failed
    assert rows.page(None, 1_000) == []
    assert [row["id"] for row in RowPages(parse_filters({"status": "pending"})).page(None, 1_000)] == failed


def test_rows_that_are_retried_are_found_by_what_they_have_then(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(51.501009, -0.141588)}
    upload = api.upload("lat,lon\n51.501009,-0.141588\n51.501009,-0.141589\n51.501009,-0.141588\n")
    work_until_ended()
    assert api.show(upload)["indexed_at"]
    assert [row["row"] for row in api.rows(upload, status="failed")] == [1, 3]
    consumer.failing = set()
    shown = api.post(f"{UPLOADS}{upload['id']}/retry/").json()
    assert (shown["state"], shown["indexed_at"]) == ("geocoding", None)
    assert [row["row"] for row in api.rows(upload, status="pending")] == [1, 3]
    assert api.rows(upload, status="failed") == []
    work_until_ended()
    assert api.show(upload)["indexed_at"]
    assert_invariant()
    rows = api.rows(upload)
    assert [row["status"] for row in rows] == ["match"] * 3
    for postcode in {row["postcode"] for row in rows}:
        having = [row for row in rows if row["postcode"] == postcode]
        assert api.get(ROWS, postcode=postcode).json()["results"] == having


def test_rows_are_found_before_and_after_they_have_their_index(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n51.501009,-0.141588\nx,y\n51.6,-0.2\n0,0\n")
    questions = [{"status": "rejected"}, {"postcode": "SW1A1AA"}, {"bbox": "-1,51,0,52"}, {"country": "England"}, {}]
    work_until_ended()
    looked_up = [api.rows(upload, **question) for question in questions]
    assert [[row["row"] for row in rows] for rows in looked_up] == [[2], [1], [1, 3], [1, 3], [1, 2, 3, 4]]
    Upload.objects.update(indexed_at=None)
    IndexBlock.objects.all().delete()
    assert [api.rows(upload, **question) for question in questions] == looked_up


def test_pending_rows_of_a_cancelled_upload_are_found(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n51.501009,-0.141588\nx,y\n51.6,-0.2\n")
    api.post(f"{UPLOADS}{upload['id']}/cancel/")
    work_until_idle()
    assert api.show(upload)["indexed_at"]
    assert api.rows(upload) == []
    assert_invariant()


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


# --- what it costs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["as it is"], indirect=True)
@pytest.mark.parametrize(
    ("question", "statements"),
    [
        ({}, 3),
        ({"postcode": "SW1A1AA"}, 5),
        ({"bbox": "-0.2,51.5,0,51.6", "status": "no_match"}, 5),
        ({"status": "match"}, 5),
    ],
)
def test_a_page_of_many_uploads_takes_few_statements(
    way: str, question: Question, statements: int, django_assert_max_num_queries: Any
) -> None:
    for seed in range(20):
        make_upload(100, seed=seed)
    write_indexes()
    filters = parse_filters(question)
    # In a test, PostgreSQL's transaction is a savepoint, which is made, gone back to, and given up.
    with django_assert_max_num_queries(statements + 3 * (connection.vendor == "postgresql")):
        assert len(RowPages(filters).page(None, 20)) == 20


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is SQLite that has to be told")
def test_sqlite_finds_rows_by_their_rowid() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_index_list('uploads_row') WHERE origin = 'pk'")
        assert cursor.fetchall() == []


def test_the_areas_of_a_country_and_of_its_districts_are_runs_of_numbers() -> None:
    ids = {names: area_id(names) for names in AREAS}
    assert len({*ids.values()}) == len(AREAS)
    in_order = sorted(AREAS, key=lambda names: ids[names])
    for runs in ([names[0] for names in in_order], [(names[0], names[2]) for names in in_order]):
        assert len([1 for at, run in enumerate(runs) if at == 0 or runs[at - 1] != run]) == len(set(runs))
