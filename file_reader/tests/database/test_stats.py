"""How many uploads came when, and what became of their rows: a time series of the caller's own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from uploads.models import Upload

pytestmark = pytest.mark.django_db
NOTHING = {"read": 0, "matched": 0, "no_match": 0, "failed": 0, "rejected": 0, "pending": 0}


def stats(api: Api, **query: str) -> Json:
    response = api.get("/api/v1/stats/", **query)
    assert response.status_code == 200, response.content
    return response.json()


def send(api: Api, accepted: str, rows: int, rejected: int = 0) -> str:
    upload = api.upload("lat,lon\n" + "51.5,-0.1\n" * rows + "x,y\n" * rejected)["id"]
    Upload.objects.filter(public_id=upload).update(created_at=datetime.fromisoformat(accepted))
    return upload


def test_every_interval_has_its_uploads_and_their_rows(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_ROWS = 2
    send(api, "2026-03-01T00:00Z", 3), send(api, "2026-03-01T23:59:59.999999Z", 1, rejected=2)
    send(api, "2026-03-03T12:30Z", 5)
    work_until_ended()
    send(api, "2026-03-03T13:00Z", 7)
    found = stats(api, **{"from": "2026-03-01", "to": "2026-03-04"})
    assert found == {
        "interval": "day",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-04T00:00:00Z",
        "results": [
            {"from": "2026-03-01T00:00:00Z", "uploads": 2,
             "rows": NOTHING | {"read": 6, "matched": 4, "rejected": 2}},
            {"from": "2026-03-02T00:00:00Z", "uploads": 0, "rows": NOTHING},
            {"from": "2026-03-03T00:00:00Z", "uploads": 2, "rows": NOTHING | {"read": 5, "matched": 5}},
        ],
    }  # fmt: skip
    hours = stats(api, **{"interval": "hour", "from": "2026-03-03T12:10+00:00", "to": "2026-03-03T13:10Z"})
    assert [(one["from"], one["uploads"], one["rows"]["read"]) for one in hours["results"]] == [
        ("2026-03-03T12:00:00Z", 1, 5),
        ("2026-03-03T13:00:00Z", 1, 0),
    ]


def test_by_default_it_is_the_last_days_or_hours_with_what_has_just_come(api: Api) -> None:
    api.upload("lat,lon\n51.5,-0.1\n")
    for interval, count, length in (("day", 30, timedelta(days=1)), ("hour", 24, timedelta(hours=1))):
        found = stats(api, interval=interval)
        assert len(found["results"]) == count
        assert sum(one["uploads"] for one in found["results"][-2:]) == 1
        first, end = (datetime.fromisoformat(found[name]) for name in ("from", "to"))
        assert end - first == count * length
        assert end - length <= datetime.now(UTC) <= end + length


def test_others_and_what_is_deleted_do_not_count(ann: Api, ben: Api) -> None:
    send(ann, "2026-03-01T00:00Z", 1), send(ben, "2026-03-01T00:00Z", 1)
    deleted = send(ann, "2026-03-01T00:00Z", 1)
    assert ann.delete(f"{UPLOADS}{deleted}/").status_code == 204
    (day,) = stats(ann, **{"from": "2026-03-01", "to": "2026-03-02"})["results"]
    assert day["uploads"] == 1


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"interval": "week"}, "interval"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-02"}, "from"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "from"),
        ({"interval": "hour", "from": "2026-01-01", "to": "2026-03-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31T12:00"}, "to"),
        ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
    ],
)
def test_what_is_no_time_is_refused(api: Api, query: dict[str, str], name: str) -> None:
    problem = problem_of(api.get("/api/v1/stats/", **query), 400, "invalid-parameter")
    assert problem["detail"].startswith(f"{name}:")
