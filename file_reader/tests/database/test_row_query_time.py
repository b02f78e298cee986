"""A question about rows that takes too long is given up with a problem, and the connection works on as before."""

import time
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection
from tests.api import Api, problem_of
from tests.row_sets import make_upload, write_indexes
from tests.working import in_thread

from uploads.errors import RowQueryTimeoutError
from uploads.models import IndexKind, Upload
from uploads.row_ids import row_id
from uploads.rows.bulk.index import database
from uploads.rows.bulk.questions import question
from uploads.rows.filters import Lead, parse_filters
from uploads.rows.pages import RowPages

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = "/api/v1/rows/"
#: In the corner of the box around the circle: the distance of each row has to be computed, and none is within.
FAR = {"near": "51,0", "radius": "10000", "page_size": "1"}
_COUNT = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT max(i) FROM n"
#: It would take a minute.
LONG = {"postgresql": "SELECT pg_sleep(60)", "sqlite": _COUNT.format(500_000_000)}
#: It takes long enough for a limit to be noticed that is left behind.
SHORT = {"postgresql": "SELECT pg_sleep(0.05)", "sqlite": _COUNT.format(300_000)}


@pytest.fixture
def many_rows() -> Upload:
    """300,000 rows in an upload that is still open, so that they are walked through."""
    upload = make_upload(0, state="geocoding")
    numbers = {
        "postgresql": "SELECT generate_series(1, 300000) AS i",
        "sqlite": _COUNT.format(300_000).replace("max(i)", "i"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO uploads_row (id, upload_id, latitude, longitude, status)"
            f" SELECT {row_id(upload.pk, 0)} + i, {upload.pk}, 51.085, 0.135, 0 FROM ({numbers}) AS numbers"
        )
    Upload.objects.filter(pk=upload.pk).update(rows_loaded=300_000)
    return upload


def test_a_question_that_takes_too_long_is_given_up_and_says_what_would_be_quicker(
    api: Api, settings: Any, many_rows: Upload
) -> None:
    settings.ROW_QUERY_SECONDS = 0.02
    response = api.get(ROWS, **FAR)
    problem = problem_of(response, 503, "row-query-too-slow")
    assert response.headers["Retry-After"] == "10"
    for way_out in ("name an upload", "a postcode", "a smaller circle"):
        assert way_out in problem["detail"]
    # By the same connection, others are answered, and so is the same with more time.
    settings.ROW_QUERY_SECONDS = 30
    assert [row["row"] for row in api.get(ROWS, page_size="2").json()["results"]] == [1, 2]
    assert api.get(ROWS, **FAR).json()["results"] == []


def test_the_limit_is_that_of_all_statements_together(settings: Any) -> None:
    for seed in range(3):
        make_upload(10, seed=seed)
    write_indexes()
    settings.ROW_QUERY_SECONDS = 0.0
    with pytest.raises(RowQueryTimeoutError):
        RowPages(parse_filters({"postcode": "SW1A 1AA"})).count()


@pytest.mark.parametrize("times", [1, 2])
def test_a_statement_is_stopped_when_its_time_is_over_and_no_limit_is_left_behind(times: int) -> None:
    began = time.monotonic()
    for _ in range(times):
        with pytest.raises(RowQueryTimeoutError, match=r"longer than 0\.2 s"), database().question(0.2) as statements:
            statements.records(LONG[connection.vendor])
    assert time.monotonic() - began < 20
    with connection.cursor() as cursor:
        cursor.execute(SHORT[connection.vendor])
        if connection.vendor == "postgresql":
            for name, value in (("statement_timeout", "0"), ("transaction_isolation", "read committed"),
                                ("transaction_read_only", "off"), ("enable_hashjoin", "on")):  # fmt: skip
                cursor.execute(f"SHOW {name}")
                assert cursor.fetchone() == (value,)
    with database().question(30) as statements:
        assert len(statements.records(SHORT[connection.vendor])) == 1
    upload = make_upload(1)  # it writes, too
    assert upload.pk


def test_a_question_that_fails_leaves_nothing_behind_either() -> None:
    with pytest.raises(ProgrammingError if connection.vendor == "postgresql" else OperationalError), question() as ask:
        ask.blocks(Lead(IndexKind.AREA, 1, 2), [])
    upload = make_upload(1)
    assert in_thread(lambda: Upload.objects.filter(pk=upload.pk).exists()).result(timeout=30)


def test_nobody_waits_for_a_question_to_write(settings: Any) -> None:
    make_upload(1)
    with database().question(30) as statements:
        assert statements.records("SELECT count(*) FROM uploads_upload") == [(1,)]
        in_thread(make_upload, 2).result(timeout=30)
        assert statements.records("SELECT count(*) FROM uploads_upload") == [(1,)]
    assert Upload.objects.count() == 2
