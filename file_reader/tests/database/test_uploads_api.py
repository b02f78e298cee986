"""An upload as callers see it, and what they can do to it."""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import geocode_chunk, time_passes, work_until_ended, work_until_idle

from uploads.models import Chunk, Row, Upload
from uploads.work import housekeeping
from uploads.work.leases import LeaseLostError, claim_chunk, claim_upload
from uploads.work.loading import Loader
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
CSV = "name,lat,lon\nhere,51.501009,-0.141588\nsea,56,2.5\nbad,x,y\n"
UNKNOWN = "0a7989ce-f211-4b20-8f5e-81abbce641ee"
NOTHING = {"read": 0, "matched": 0, "no_match": 0, "failed": 0, "rejected": 0, "pending": 0}


def test_an_accepted_upload_has_every_member_and_its_address(api: Api) -> None:
    response = api.send_form(CSV, "places.csv")
    assert response.status_code == 202
    upload = response.json()
    assert {**upload, "id": "", "created_at": "", "links": {}} == {
        "id": "",
        "filename": "places.csv",
        "size": len(CSV),
        "sha256": hashlib.sha256(CSV.encode()).hexdigest(),
        "state": "received",
        "created_at": "",
        "started_at": None,
        "finished_at": None,
        "indexed_at": None,
        "expires_at": None,
        "max_distance": 2000.0,
        "webhook_url": None,
        "dialect": {"delimiter": ",", "quoting": "quotes", "encoding": "utf-8", "has_header": True, "decimal": ".",
                    "latitude": "lat", "longitude": "lon", "coordinates": "degrees", "format": "csv"},
        "rows": NOTHING,
        "progress": 0.0,
        "rows_per_second": None,
        "eta_seconds": None,
        "waiting": None,
        "warnings": [],
        "error": None,
        "paused": False,
        "ahead": 0,
        "reasons": None,
        "links": {},
    }  # fmt: skip
    assert uuid.UUID(upload["id"])
    assert datetime.fromisoformat(upload["created_at"]).tzinfo is not None
    address = f"http://testserver{UPLOADS}{upload['id']}/"
    assert response.headers["Location"] == address
    assert upload["links"] == {
        "self": address,
        "events": f"{address}events/",
        "rows": f"{address}rows/",
        **{
            f"result_{suffix}": f"{address}result.{suffix}"
            for suffix in ("csv", "ndjson", "geojson", "xlsx", "parquet")
        },
        "summary": f"{address}summary/",
        "cells": f"{address}cells/",
        "pause": f"{address}pause/",
        "resume": f"{address}resume/",
        "cancel": f"{address}cancel/",
        "retry": f"{address}retry/",
        "deliveries": f"{address}deliveries/",
    }
    assert api.get(response.headers["Location"]).json() == upload


def test_the_addresses_are_under_the_name_by_which_the_caller_came(api: Api) -> None:
    upload = api.upload(CSV)
    headers = {"Host": "postcodes.example", "X-Forwarded-Proto": "https"}
    links = api.client.get(f"{UPLOADS}{upload['id']}/", headers=headers).json()["links"]
    assert links["self"] == f"https://postcodes.example{UPLOADS}{upload['id']}/"


def test_the_counts_add_up_at_every_moment(api: Api, consumer: FakePostcodeConsumer, settings: Any) -> None:
    settings.CHUNK_ROWS = 2
    upload = api.upload(CSV + "x,51.6,-0.1\n" * 20)
    worker, seen = Worker(), []
    while worker.run_once():
        shown = api.show(upload)
        rows = shown["rows"]
        assert rows["read"] == sum(rows[name] for name in ("matched", "no_match", "failed", "rejected", "pending"))
        assert 0 <= shown["progress"] <= 1
        assert (shown["progress"] == 1) == (shown["state"] == "done")
        seen.append(shown["state"])
    assert list(dict.fromkeys(seen)) == ["loading", "geocoding", "done"]


def test_an_upload_that_is_done_says_how_it_went(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    work_until_ended()
    shown = api.show(upload)
    assert shown["state"] == "done"
    assert shown["rows"] == {"read": 3, "matched": 1, "no_match": 1, "failed": 0, "rejected": 1, "pending": 0}
    assert shown["progress"] == 1.0
    assert shown["rows_per_second"] > 0
    assert shown["eta_seconds"] is None
    assert shown["created_at"] <= shown["started_at"] <= shown["finished_at"]


def test_a_file_with_a_header_only_is_done_with_no_rows(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n")
    work_until_ended()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"], shown["progress"]) == ("done", NOTHING, 1.0)
    assert consumer.calls == []


# --- lists ---------------------------------------------------------------------------------------------------------
def test_the_list_has_the_newest_first_in_pages(api: Api) -> None:
    made = [api.upload(CSV)["id"] for _ in range(5)]
    page = api.get(UPLOADS, page_size=2).json()
    seen = [upload["id"] for upload in page["results"]]
    assert page["previous"] is None
    while page["next"]:
        page = api.get(page["next"]).json()
        seen += [upload["id"] for upload in page["results"]]
    assert seen == made[::-1]
    assert [upload["id"] for upload in api.get(page["previous"]).json()["results"]] == made[1:3][::-1]


@pytest.mark.parametrize("size", ["0", "-1", "1001", "many", "1.5", "٣", "9" * 5000])
def test_a_page_size_that_is_not_valid_is_named(api: Api, size: str) -> None:
    for path in (UPLOADS, "/api/v1/rows/"):
        assert "page_size" in problem_of(api.get(path, page_size=size), 400, "invalid-parameter")["detail"]


@pytest.mark.parametrize("cursor", ["x", "cD14", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "bz0tMQ=="])
def test_a_cursor_that_is_not_valid_is_named(api: Api, cursor: str) -> None:
    api.upload(CSV)
    for path in (UPLOADS, "/api/v1/rows/"):
        assert "cursor" in problem_of(api.get(path, cursor=cursor), 400, "invalid-parameter")["detail"]


# --- not found, not allowed ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("public_id", [UNKNOWN, "1", "x", "..%2f..", UNKNOWN.upper(), "%00"])
@pytest.mark.parametrize("what", ["", "cancel/", "retry/", "rows/", "result.csv"])
def test_an_unknown_or_malformed_id_is_not_found(api: Api, public_id: str, what: str) -> None:
    path = f"{UPLOADS}{public_id}/{what}"
    problem_of(api.post(path) if what in ("cancel/", "retry/") else api.get(path), 404, "not-found")


def test_an_unknown_address_is_not_found(api: Api) -> None:
    problem_of(api.get("/api/v1/nothing/"), 404, "not-found")


def test_a_wrong_method_is_not_allowed(api: Api) -> None:
    upload = api.upload(CSV)
    one = f"{UPLOADS}{upload['id']}/"
    wrong = [api.client.put(UPLOADS), api.delete(UPLOADS), api.post(one), api.client.put(one), api.get(f"{one}cancel/"),
             api.post(f"{one}rows/"), api.post(f"{one}result.csv"), api.post("/api/v1/rows/"),
             api.get(f"{UPLOADS}preview/"), api.client.patch(one), api.client.trace(one),
             api.client.generic("BREW", UPLOADS), api.client.generic("BREW", one),
             api.post("/api/v1/postcodes/SW1A1AA/")]  # fmt: skip
    for response in wrong:
        problem_of(response, 405, "method-not-allowed")
        assert response.headers["Allow"]
    assert api.client.put(one).headers["Allow"] == "GET, DELETE, HEAD"
    assert api.post("/api/v1/rows/").headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", [f"{UPLOADS}{{id}}/", f"{UPLOADS}{{id}}/rows/", "/api/v1/rows/", f"{UPLOADS}{UNKNOWN}/"]
)
def test_head_says_what_get_would_answer(api: Api, path: str) -> None:
    path = path.format(id=api.upload(CSV)["id"])
    got, head = api.get(path), api.client.head(path, headers={"X-Request-Id": "same"})
    assert head.status_code == got.status_code
    assert {**head.headers, "X-Request-Id": ""} == {**got.headers, "X-Request-Id": ""}
    assert (head.content, got.headers["Content-Length"]) == (b"", str(len(got.content)))


def test_a_query_with_too_many_parameters_is_a_problem(api: Api) -> None:
    problem_of(api.get("/api/v1/rows/?" + "a&" * 2_000), 400, "invalid-request")


# --- cancel --------------------------------------------------------------------------------------------------------
def test_cancelling_ends_the_work_and_keeps_the_answers(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_ROWS = 1
    upload = api.upload("lat,lon\n51.1,-0.1\n51.2,-0.1\n51.3,-0.1\n")
    Worker().run_once()
    response = api.post(f"{UPLOADS}{upload['id']}/cancel/")
    assert response.status_code == 200
    assert response.json()["state"] == "cancelled"
    assert response.json()["finished_at"]
    work_until_idle()
    rows = api.show(upload)["rows"]
    assert (rows["matched"], rows["pending"]) == (1, 2)
    assert api.post(f"{UPLOADS}{upload['id']}/cancel/").json()["state"] == "cancelled"


def test_what_has_ended_cannot_be_cancelled(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    work_until_ended()
    problem_of(api.post(f"{UPLOADS}{upload['id']}/cancel/"), 409, "upload-has-ended")
    assert api.show(upload)["state"] == "done"


def test_late_results_of_a_cancelled_upload_are_refused(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    load_lease = claim_upload()
    assert load_lease is not None
    loader = Loader(load_lease)
    loader.step(2)
    loader.close()
    lease = claim_chunk()
    assert lease is not None
    api.post(f"{UPLOADS}{upload['id']}/cancel/")
    with pytest.raises(LeaseLostError):
        geocode_chunk(lease, outage_delay=timedelta(seconds=1))
    assert api.show(upload)["rows"]["pending"] == 2


# --- retry ---------------------------------------------------------------------------------------------------------
def test_retrying_asks_again_for_the_failed_rows_only(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(51.2, -0.1)}
    upload = api.upload("lat,lon\n51.1,-0.1\n51.2,-0.1\nx,y\n")
    work_until_ended()
    assert api.show(upload)["rows"]["failed"] == 1

    consumer.failing = set()
    response = api.post(f"{UPLOADS}{upload['id']}/retry/")
    assert response.status_code == 200
    assert response.json()["state"] == "geocoding"
    assert response.json()["finished_at"] is None
    assert response.json()["rows"]["pending"] == 1
    work_until_ended()
    shown = api.show(upload)
    assert shown["state"] == "done"
    assert shown["rows"] == {"read": 3, "matched": 2, "no_match": 0, "failed": 0, "rejected": 1, "pending": 0}
    assert consumer.calls[1:] == [[(51.2, -0.1)]]


def test_retrying_without_failed_rows_changes_nothing(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    work_until_ended()
    before = api.show(upload)
    assert api.post(f"{UPLOADS}{upload['id']}/retry/").json() == before


def test_a_row_that_was_given_up_can_be_retried(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.poison = {(51.1, -0.1)}
    upload = api.upload("lat,lon\n51.1,-0.1\n")
    work_until_ended()
    assert api.show(upload)["rows"]["failed"] == 1
    consumer.poison = set()
    api.post(f"{UPLOADS}{upload['id']}/retry/")
    time_passes()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 1


def test_what_is_not_done_cannot_be_retried(api: Api) -> None:
    upload = api.upload(CSV)
    problem_of(api.post(f"{UPLOADS}{upload['id']}/retry/"), 409, "upload-not-retryable")


# --- delete --------------------------------------------------------------------------------------------------------
def test_a_deleted_upload_is_gone_at_once_and_its_rows_and_file_soon(
    api: Api, consumer: FakePostcodeConsumer, data_dir: Any
) -> None:
    kept, upload = api.upload(CSV), api.upload(CSV)
    work_until_ended()
    assert api.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    problem_of(api.get(f"{UPLOADS}{upload['id']}/"), 404, "not-found")
    problem_of(api.delete(f"{UPLOADS}{upload['id']}/"), 404, "not-found")
    assert [shown["id"] for shown in api.get(UPLOADS).json()["results"]] == [kept["id"]]
    assert {row["upload"] for row in api.get("/api/v1/rows/").json()["results"]} == {kept["id"]}
    work_until_ended()
    assert [str(shown.public_id) for shown in Upload.objects.all()] == [kept["id"]]
    assert (Row.objects.count(), Chunk.objects.count()) == (3, 1)
    assert len(list((data_dir / "uploads" / "files").iterdir())) == 1
    assert len(api.rows(kept)) == 3


def test_who_deletes_an_upload_needs_a_key_and_no_cookie(api: Api) -> None:
    upload = api.upload(CSV)
    browser = Client(enforce_csrf_checks=True, headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    response = browser.delete(f"{UPLOADS}{upload['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers


def test_many_rows_are_deleted_in_slices(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_PURGE_ROWS", 4)
    before, upload, after = (api.upload("lat,lon\n" + "51.5,-0.1\n" * rows) for rows in (3, 10, 3))
    work_until_ended()
    api.delete(f"{UPLOADS}{upload['id']}/")
    assert housekeeping.purge_deleted()
    assert Row.objects.count() == 12
    work_until_ended()
    assert Row.objects.count() == 6
    assert [len(api.rows(kept)) for kept in (before, after)] == [3, 3]
    assert not housekeeping.purge_deleted()


def test_an_upload_can_be_deleted_before_any_work(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    api.delete(f"{UPLOADS}{upload['id']}/")
    work_until_ended()
    assert not Upload.objects.exists()
    assert consumer.calls == []
