"""A download that broke off goes on: whole results of uploads that have ended are kept, and answer ranges."""

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.api import Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import in_thread, work_until_ended

from uploads.files.abandoned import UNUSED_AFTER, remove_parts
from uploads.models import Upload
from uploads.results.pieces import UploadGoneError
from uploads.work.housekeeping import collect_abandoned

pytestmark = pytest.mark.django_db
#: Some pieces long, so that it can break off between two.
CSV = "id,lat,lon\n" + "".join(f"{number},56,2.5\n" for number in range(12_000))
SUFFIXES = ("csv", "ndjson", "geojson", "xlsx", "parquet")


@pytest.fixture
def done(api: Api, consumer: FakePostcodeConsumer) -> Json:
    upload = api.upload(CSV)
    work_until_ended()
    return api.show(upload)


def get(api: Api, upload: Json, suffix: str = "csv", **headers: str) -> Any:
    """`If_Range="…"` and the like become headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.get(upload["links"][f"result_{suffix}"], headers=names)


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def kept() -> list[Path]:
    return [path for path in Path(django_settings.UPLOADS_DIR, "results").rglob("*") if path.is_file()]


def parts() -> list[Path]:
    return list(Path(django_settings.UPLOADS_DIR, "incoming").glob("*.part"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_download_that_broke_off_goes_on_to_the_same_bytes(api: Api, done: Json, suffix: str) -> None:
    response = get(api, done, suffix)
    begun = next(iter(response.streaming_content))[:1_000]
    response._iterator.close()  # as the test's client does at the end; close() would close the database, too
    assert (kept(), parts()) == ([], [])
    response = get(api, done, suffix, Range=f"bytes={len(begun)}-")
    whole = begun + content_of(response)
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes {len(begun)}-{len(whole) - 1}/{len(whole)}"
    assert response.headers["Content-Disposition"].endswith(f'-result.{suffix}"')
    # From the file that is kept now, and as it would be written anew.
    assert content_of(get(api, done, suffix)) == whole
    kept()[0].unlink()
    assert content_of(get(api, done, suffix)) == whole


def test_the_first_whole_download_is_kept_and_given_again(api: Api, done: Json) -> None:
    first = get(api, done)
    assert first.headers["Accept-Ranges"] == "bytes"
    whole = content_of(first)
    assert [path.read_bytes() for path in kept()] == [whole]
    second = get(api, done)
    assert second.headers["Content-Length"] == str(len(whole))
    assert second.headers["ETag"] == first.headers["ETag"]
    assert content_of(second) == whole
    head = api.client.head(done["links"]["result_csv"])
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"], content_of(head)) == (
        str(len(whole)), "bytes", b""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "first", "behind"),
    [
        ("0-0", 0, 1),
        ("5-9", 5, 10),
        ("5-", 5, None),
        ("-7", -7, None),
        ("100-99999999", 100, None),
        ("-99999999", 0, None),
    ],
)
def test_a_range_is_a_part_of_the_file(api: Api, done: Json, wanted: str, first: int, behind: int | None) -> None:
    whole = content_of(get(api, done))
    response = get(api, done, Range=f"bytes={wanted}")
    assert response.status_code == 206
    part = content_of(response)
    assert part == whole[first:behind]
    assert response.headers["Content-Length"] == str(len(part))
    start = len(whole) + first if first < 0 else first
    assert response.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"


@pytest.mark.parametrize("wanted", ["99999999-", "-0"])
def test_a_range_behind_the_end_is_refused(api: Api, done: Json, wanted: str) -> None:
    size = len(content_of(get(api, done)))
    response = get(api, done, Range=f"bytes={wanted}")
    assert problem_of(response, 416, "range-not-satisfiable")["size"] == size
    assert response.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-5", "rows=1-2", "bytes=a-b", "bytes=-"])
def test_what_is_no_single_range_is_answered_with_the_whole(api: Api, done: Json, wanted: str) -> None:
    response = get(api, done, Range=wanted)
    assert response.status_code == 200
    assert content_of(response) == content_of(get(api, done))


def test_a_range_of_another_file_is_answered_with_the_whole(api: Api, done: Json) -> None:
    whole = get(api, done)
    content = content_of(whole)
    same = get(api, done, Range="bytes=5-", If_Range=whole.headers["ETag"])
    assert (same.status_code, content_of(same)) == (206, content[5:])
    for other in ('"another"', "Wed, 21 Oct 2026 07:28:00 GMT"):
        response = get(api, done, Range="bytes=5-", If_Range=other)
        assert (response.status_code, content_of(response)) == (200, content)


def test_a_packed_download_has_an_etag_of_its_own_and_is_kept_unpacked(api: Api, done: Json) -> None:
    packed = get(api, done, Accept_Encoding="gzip")
    assert "Accept-Ranges" not in packed.headers
    content = gzip.decompress(content_of(packed))
    assert [path.read_bytes() for path in kept()] == [content]
    assert packed.headers["ETag"] != api.client.head(done["links"]["result_csv"]).headers["ETag"]
    assert gzip.decompress(content_of(get(api, done, Accept_Encoding="gzip"))) == content
    # Who has a part of that, and asks for the rest of it, would get other bytes.
    response = get(api, done, Accept_Encoding="gzip", Range="bytes=5-", If_Range=packed.headers["ETag"])
    assert (response.status_code, content_of(response)) == (200, content)


@pytest.mark.parametrize("query", ["?status=match", "?columns=id", "?safe=1"])
def test_a_part_of_a_result_is_not_kept(api: Api, done: Json, query: str) -> None:
    response = api.client.get(done["links"]["result_csv"] + query, headers={"Range": "bytes=5-"})
    assert response.status_code == 200
    assert "Accept-Ranges" not in response.headers
    content_of(response)
    assert kept() == []


def test_nothing_is_kept_while_the_work_goes_on(api: Api) -> None:
    upload = api.upload(CSV)
    response = get(api, upload, Range="bytes=5-")
    assert response.status_code == 200
    content_of(response)
    assert kept() == []


def test_where_the_disk_is_nearly_full_the_result_comes_without_being_kept(
    api: Api, done: Json, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MIN_FREE_BYTES = 1 << 20
    whole = content_of(get(api, done))
    kept()[0].unlink()
    free = os.statvfs(settings.UPLOADS_DIR)
    full = os.statvfs_result((free.f_bsize, 4096, free.f_blocks, 511, 511, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda folder: full)
    assert content_of(get(api, done)) == whole
    response = get(api, done, Range="bytes=5-")
    assert (response.status_code, content_of(response)) == (200, whole)
    assert (kept(), parts()) == ([], [])


def test_where_the_disk_becomes_full_the_result_comes_nevertheless(
    api: Api, done: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = content_of(get(api, done))
    kept()[0].unlink()
    monkeypatch.setattr("uploads.files.incoming.Incoming.write", _no_room)
    assert content_of(get(api, done)) == whole
    assert (kept(), parts()) == ([], [])


def _no_room(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


def test_two_first_downloads_at_once_are_both_whole(
    api: Api, done: Json, transactional_db: None, consumer: FakePostcodeConsumer
) -> None:
    one, two = (iter(get(api, done).streaming_content) for _ in range(2))
    begun = next(one)
    whole = b"".join(two)
    assert begun + b"".join(one) == whole
    assert [path.read_bytes() for path in kept()] == [whole]
    assert parts() == []


#: A process that has begun to write a result: its arguments are the folder and the key.
_WRITES = """
import sys, time
from django.conf import settings
settings.configure(UPLOADS_DIR=sys.argv[1], MIN_FREE_BYTES=0)
from uploads.files.incoming import Incoming
with Incoming(sys.argv[2]) as part:
    part.write(b"begun")
    print("begun", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_has_begun_to_write_is_removed(api: Api, done: Json) -> None:
    command = [sys.executable, "-c", _WRITES, str(django_settings.UPLOADS_DIR), "a result"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writes:
        assert writes.stdout
        writes.stdout.readline()
        assert (len(parts()), remove_parts()) == (1, 0)  # somebody is writing it
        writes.kill()
    assert (len(parts()), remove_parts()) == (1, 1)
    assert (kept(), parts()) == ([], [])


def test_who_wants_a_range_waits_for_the_one_who_writes_the_file(
    api: Api, done: Json, transactional_db: None, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = iter(get(api, done).streaming_content)
    begun, waits = next(first), threading.Event()
    monkeypatch.setattr("uploads.results.kept.time.sleep", lambda seconds: waits.set())
    second = in_thread(lambda: content_of(get(api, done, Range="bytes=5-")))
    assert waits.wait(20)
    assert not second.done()
    assert len(parts()) == 1
    whole = begun + b"".join(first)
    assert second.result(20) == whole[5:]


def test_a_retry_removes_what_is_kept(api: Api, consumer: FakePostcodeConsumer, transactional_db: None) -> None:
    consumer.failing = {(56.0, 2.5)}
    upload = api.upload(CSV)
    work_until_ended()
    old = get(api, upload)
    content_of(old)
    begun = iter(get(api, upload, "ndjson").streaming_content)
    next(begun)
    consumer.failing = set()
    api.post(upload["links"]["retry"])
    assert kept() == []
    # What began before has a part of what was and a part of what is: it is not kept.
    b"".join(begun)
    assert kept() == []
    work_until_ended()
    response = get(api, upload, Range="bytes=5-", If_Range=old.headers["ETag"])
    assert response.status_code == 200
    assert content_of(response).count(b"no_match") == 12_000


def test_a_deleted_upload_takes_its_results_along(
    api: Api, done: Json, transactional_db: None, consumer: FakePostcodeConsumer
) -> None:
    content_of(get(api, done))
    last = iter(get(api, done, "ndjson").streaming_content)
    next(last)
    api.delete(done["links"]["self"])
    with pytest.raises(UploadGoneError):
        b"".join(last)
    work_until_ended()
    assert (kept(), parts()) == ([], [])
    assert not Upload.objects.exists()


def test_a_result_that_nobody_asks_for_goes_after_a_day(api: Api, done: Json) -> None:
    content_of(get(api, done))
    content_of(get(api, done, "ndjson"))
    for path in kept():
        then = path.stat().st_mtime - UNUSED_AFTER - 60
        os.utime(path, (then, then))
    content_of(get(api, done))  # somebody asks for this one
    collect_abandoned()
    assert [path.suffix for path in kept()] == [".csv"]
