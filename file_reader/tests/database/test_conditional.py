"""Who has an answer already gets it not again: ETag, If-None-Match, and when to look again."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
CSV = "name,lat,lon\n" + "here,51.501009,-0.141588\nsea,56,2.5\nbad,x,y\n" * 3
SUFFIXES = ("csv", "ndjson", "geojson", "xlsx", "parquet")


@pytest.fixture
def done(api: Api, consumer: FakePostcodeConsumer) -> Json:
    upload = api.upload(CSV)
    work_until_ended()
    return api.show(upload)


def get(api: Api, address: str, **headers: str) -> Any:
    """`If_None_Match="…"` and the like become headers."""
    return api.client.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})


def addresses_of(upload: Json) -> list[str]:
    links = upload["links"]
    return [links["self"], links["rows"], *(links[f"result_{suffix}"] for suffix in SUFFIXES)]


@pytest.mark.parametrize("number", range(7))
def test_what_the_caller_has_is_not_sent_again(api: Api, done: Json, number: int) -> None:
    address = addresses_of(done)[number]
    first = api.get(address)
    with CaptureQueriesContext(connection) as statements:
        second = get(api, address, If_None_Match=first.headers["ETag"])
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert len(statements) <= 1
    assert get(api, address, If_None_Match='"another"').status_code == 200


def test_the_etag_of_an_upload_changes_with_everything_that_it_says(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_ROWS = 2
    address = api.upload(CSV)["links"]["self"]
    seen: dict[str, bytes] = {}
    worker = Worker()
    while True:
        answer = api.get(address)
        assert seen.setdefault(answer.headers["ETag"], answer.content) == answer.content
        if not worker.run_once():
            break
    worker.stop()
    assert len(seen) >= 4
    # What is not of the upload itself.
    settings.UPLOAD_KEEP_DAYS = 3
    assert api.get(address).headers["ETag"] not in seen
    settings.UPLOAD_KEEP_DAYS = 0
    assert get(api, address, Host="other.example").headers["ETag"] not in seen


def test_an_upload_that_goes_on_says_when_to_look_again(api: Api, consumer: FakePostcodeConsumer) -> None:
    address = api.upload(CSV)["links"]["self"]
    assert 1 <= int(api.get(address).headers["Retry-After"]) <= 30
    work_until_ended()
    assert "Retry-After" not in api.get(address).headers


def test_a_page_of_rows_has_another_etag_than_the_next_one(api: Api, done: Json) -> None:
    first = api.get(done["links"]["rows"], page_size=2)
    second = api.get(first.json()["next"])
    assert get(api, first.json()["next"], If_None_Match=first.headers["ETag"]).status_code == 200
    assert get(api, first.json()["next"], If_None_Match=second.headers["ETag"]).status_code == 304
    all_rows = api.get("/api/v1/rows/")
    assert get(api, "/api/v1/rows/", If_None_Match=all_rows.headers["ETag"]).status_code == 304


def test_a_retry_makes_what_the_caller_has_old(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(51.501009, -0.141588)}
    upload = api.upload(CSV)
    work_until_ended()
    before = {address: api.get(address).headers["ETag"] for address in addresses_of(api.show(upload))}
    consumer.failing = set()
    api.post(f"{UPLOADS}{upload['id']}/retry/")
    work_until_ended()
    assert {
        address for address, tag in before.items() if get(api, address, If_None_Match=tag).status_code == 304
    } == set()


def test_a_running_upload_has_no_etag_of_its_result(api: Api) -> None:
    response = api.get(f"{UPLOADS}{api.upload(CSV)['id']}/result.csv")
    assert "ETag" not in response.headers
    assert "Accept-Ranges" not in response.headers
    b"".join(response.streaming_content)


def test_if_match_that_names_another_is_refused(api: Api, done: Json) -> None:
    problem_of(get(api, done["links"]["result_csv"], If_Match='"another"'), 412, "precondition-failed")
