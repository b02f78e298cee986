"""Uploads that name their file: fetched through the guard of webhooks, or copied from IMPORT_DIR."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.receiver import Receiver
from tests.working import work_until_ended

from uploads.accepting import by_reference

pytestmark = pytest.mark.django_db
CSV = b"name,lat,lon\nPalace,51.501009,-0.141588\n"


@pytest.fixture
def source(settings: Any) -> Iterator[Receiver]:
    """Somebody else's server, with a file."""
    source = Receiver()
    source.content, source.statuses, source.headers = CSV, [200] * 10, {"Content-Length": str(len(CSV))}
    settings.WEBHOOK_ALLOWED_HOSTS = frozenset({source.host})
    yield source
    source.stop()


@pytest.fixture
def imports(settings: Any, tmp_path: Path) -> Path:
    """The folder IMPORT_DIR, with a file."""
    settings.IMPORT_DIR = tmp_path / "imports"
    (settings.IMPORT_DIR / "may").mkdir(parents=True)
    (settings.IMPORT_DIR / "may" / "places.csv").write_bytes(CSV)
    return settings.IMPORT_DIR  # type: ignore[no-any-return]


def send(api: Api, path: str = UPLOADS, **members: Any) -> Any:
    return api.post(path, json.dumps(members).encode(), "application/json")


# --- by http -------------------------------------------------------------------------------------------------------
def test_a_file_that_is_named_is_fetched_and_done_like_one_that_is_sent(
    api: Api, source: Receiver, consumer: FakePostcodeConsumer
) -> None:
    answer = send(api, url=f"{source.url}/may/places%20of%20may.csv?key=1", max_distance=500, has_header=True)
    assert answer.status_code == 202, answer.content
    upload = answer.json()
    assert (upload["filename"], upload["size"], upload["max_distance"]) == ("places of may.csv", len(CSV), 500)
    assert upload["sha256"] == api.upload(CSV)["sha256"]
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 1
    assert b"Palace,51.501009,-0.141588,match" in api.result(upload)


def test_what_is_packed_is_unpacked_however_it_is_labelled(api: Api, source: Receiver) -> None:
    source.content = gzip.compress(CSV)
    source.headers = {"Content-Encoding": "gzip", "Content-Length": str(len(source.content))}
    upload = send(api, url=source.url, filename="a.csv").json()
    assert (upload["filename"], upload["size"], upload["dialect"]["latitude"]) == ("a.csv", len(source.content), "lat")


def test_a_preview_takes_the_same(api: Api, source: Receiver) -> None:
    assert send(api, f"{UPLOADS}preview/", url=source.url).json()["rows"][0]["fields"][0] == "Palace"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://2130706433/", "file:///etc/passwd",
            "s3://bucket/key", "ftp://example.org/a.csv", "https://ann:secret@example.org/", "/etc/passwd", "a.csv"]
)  # fmt: skip
def test_what_leads_inside_is_refused(api: Api, url: str) -> None:
    assert problem_of(send(api, url=url), 400, "invalid-option")["option"] == "url"


def test_a_name_that_leads_inside_is_refused_when_it_is_called(api: Api) -> None:
    assert "refused" in problem_of(send(api, url="http://localhost/a.csv"), 422, "fetch-failed")["detail"]


@pytest.mark.parametrize("status", [204, 301, 404, 500])
def test_an_answer_that_is_no_file_is_told(api: Api, source: Receiver, status: int) -> None:
    source.statuses, source.headers, source.content = [status], {"Location": source.url}, b""
    assert str(status) in problem_of(send(api, url=source.url), 422, "fetch-failed")["detail"]
    assert len(source.calls) == 1
    assert api.get(UPLOADS).json()["results"] == []


def test_a_file_that_is_cut_short_is_not_accepted(api: Api, source: Receiver) -> None:
    source.headers = {"Content-Length": str(len(CSV) + 1)}
    problem_of(send(api, url=source.url), 422, "fetch-failed")


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_refused(api: Api, source: Receiver, settings: Any, announced: bool) -> None:
    settings.MAX_UPLOAD_BYTES = len(CSV) if announced else len(CSV) - 1
    # What is announced is refused before it has come.
    source.headers = {"Content-Length": str(len(CSV) + 1)} if announced else {}
    problem_of(send(api, url=source.url), 413, "upload-too-large")


def test_a_source_that_is_too_slow_is_given_up(api: Api, source: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_reference, "FETCH_SECONDS", 0.2)
    source.gate.clear()
    assert "0.2 s" in problem_of(send(api, url=source.url), 422, "fetch-failed")["detail"]


def test_only_some_are_fetched_at_once(api: Api, source: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_reference, "_fetches", by_reference.BoundedSemaphore(1))
    with by_reference._fetches:
        answer = send(api, url=source.url)
    problem_of(answer, 503, "fetches-busy")
    assert answer.headers["Retry-After"] == "10"
    assert send(api, url=source.url).status_code == 202


def test_what_cannot_be_read_is_told_as_if_it_was_sent(api: Api, source: Receiver) -> None:
    source.content, source.headers = b"nothing\n1\n", {}
    problem_of(send(api, url=source.url), 422, "columns-not-found")


# --- the body ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'"a"', b"{", b'[["url", "a"]]', b"\xff", b"[" * 10_000, b'{"url": "' + b"a" * 20_000]
)
def test_a_body_that_names_nothing_and_is_no_file_is_refused(api: Api, body: bytes) -> None:
    answer = api.post(UPLOADS, body, "application/json")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code in (400, 415, 422)


def test_a_body_that_is_a_file_of_json_is_read(api: Api) -> None:
    upload = api.post(
        UPLOADS, b'[{"url": "https://example.org/", "lat": 51.5, "lon": -0.1}]', "application/json"
    ).json()
    assert upload["dialect"]["format"] == "json"


def test_members_are_options_and_others_are_refused(api: Api, source: Receiver) -> None:
    problem = problem_of(send(api, url=source.url, latitide="lat"), 400, "invalid-option")
    assert problem["option"] == "latitide"
    assert "latitude" in problem["accepted"]
    assert problem_of(send(api, ulr=source.url), 400, "invalid-option")["option"] == "ulr"
    assert problem_of(send(api, latitude="lat"), 400, "invalid-option")["option"] == "url"
    assert problem_of(send(api, url=source.url, latitude={"a": 1}), 400, "invalid-option")["option"] == "latitude"
    assert source.calls == []
    twice = json.dumps({"url": source.url, "decimal": "."}).replace("}", ', "decimal": "."}').encode()
    problem_of(api.post(UPLOADS, twice, "application/json"), 400, "invalid-option")


# --- from IMPORT_DIR -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("absolute", [False, True])
def test_a_file_below_the_folder_is_copied_and_stays(api: Api, imports: Path, absolute: bool) -> None:
    path = imports / "may" / "places.csv"
    answer = send(api, url=str(path) if absolute else "may/places.csv")
    assert answer.status_code == 202, answer.content
    assert (answer.json()["filename"], answer.json()["size"]) == ("places.csv", len(CSV))
    assert path.read_bytes() == CSV


@pytest.mark.parametrize(
    "path", ["../secret.csv", "may/../../secret.csv", "link.csv", "folder/secret.csv", "may/..", "may", ".", "pipe",
             "missing.csv", "may/places.csv/x", "a\0b", "~/a.csv", "hidden/../may/places.csv"]
)  # fmt: skip
def test_nothing_else_is_read(api: Api, imports: Path, path: str) -> None:
    (imports.parent / "outside").mkdir()
    for secret in (imports.parent / "secret.csv", imports.parent / "outside" / "secret.csv"):
        secret.write_bytes(CSV)
    (imports / "link.csv").symlink_to(imports.parent / "secret.csv")
    (imports / "folder").symlink_to(imports.parent / "outside")
    os.mkfifo(imports / "pipe")
    assert problem_of(send(api, url=path), 400, "invalid-option")["option"] == "url"
    assert problem_of(send(api, url=str(imports.parent / "secret.csv")), 400, "invalid-option")["option"] == "url"
