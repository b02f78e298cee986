"""Files to rows, step by step; a loader that dies is followed by one that goes on where it stopped."""

from pathlib import Path
from typing import Any

import pytest
from tests.api import UPLOADS, Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import leases_run_out, work_until_ended, work_until_idle

from uploads.files.stored import path_of
from uploads.models import Chunk, Row, Upload
from uploads.work.leases import LeaseLostError, LoadLease, claim_upload
from uploads.work.loading import RAW_CHARS, Loader

pytestmark = pytest.mark.django_db
MANY = "lat,lon\n" + "".join(f"51.{number:02d},-0.1\n" for number in range(30))


@pytest.fixture(autouse=True)
def small_chunks(settings: Any) -> None:
    """A step loads four chunks: eight rows."""
    settings.CHUNK_ROWS = 2


def claim() -> LoadLease:
    lease = claim_upload()
    assert lease is not None
    return lease


def numbers() -> list[int]:
    return [row.number for row in Row.objects.order_by("id")]


def test_a_step_loads_some_chunks_and_moves_the_cursor(api: Api) -> None:
    api.upload(MANY)
    loader = Loader(claim())
    assert loader.step(2)
    assert numbers() == list(range(1, 9))
    assert list(Chunk.objects.order_by("id").values_list("first_row", "row_count")) == [(1, 2), (3, 2), (5, 2), (7, 2)]
    assert Upload.objects.get().rows_loaded == 8
    loader.close()


@pytest.mark.parametrize("rows", [7, 8, 9, 16])
def test_all_rows_are_loaded_whether_or_not_they_fill_the_last_step(
    api: Api, consumer: FakePostcodeConsumer, rows: int
) -> None:
    upload = api.upload("lat,lon\n" + "51.5,-0.1\n" * rows)
    work_until_ended()
    assert numbers() == list(range(1, rows + 1))
    assert api.show(upload)["rows"]["matched"] == rows


def test_after_a_loader_died_between_two_steps_no_row_is_missing_or_there_twice(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload(MANY)
    dead = Loader(claim())
    dead.step(2)
    dead.close()
    leases_run_out()
    work_until_ended()
    assert numbers() == list(range(1, 31))
    assert [row["latitude"] for row in api.rows(upload)] == [round(51 + number / 100, 2) for number in range(30)]
    assert api.show(upload)["rows"]["matched"] == 30


def test_a_loader_that_was_taken_over_is_refused_and_writes_nothing(api: Api) -> None:
    api.upload(MANY)
    stale = Loader(claim())
    stale.step(2)
    leases_run_out()
    second = Loader(claim())
    with pytest.raises(LeaseLostError):
        stale.step(2)
    assert numbers() == list(range(1, 9))
    assert second.step(2)
    assert numbers() == list(range(1, 17))
    stale.close()
    second.close()


@pytest.mark.parametrize("what", ["cancel", "delete"])
def test_a_loader_whose_upload_people_ended_is_refused(api: Api, what: str) -> None:
    upload = api.upload(MANY)
    loader = Loader(claim())
    loader.step(2)
    path = f"{UPLOADS}{upload['id']}/"
    api.delete(path) if what == "delete" else api.post(f"{path}cancel/")
    with pytest.raises(LeaseLostError):
        loader.step(2)
    assert numbers() == list(range(1, 9))
    loader.close()


def test_a_rejected_row_keeps_its_line_its_text_and_a_reason(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload('lat,lon,note\n51.5,-0.1,"a\nb"\n91,"0","<b>"\r\n')
    work_until_ended()
    rejected = api.rows(upload)[1]
    assert rejected["status"] == "rejected"
    assert (rejected["reason"], rejected["line"], rejected["raw"]) == ("latitude_out_of_range", 4, '91,"0","<b>"')
    assert (rejected["row"], rejected["latitude"], rejected["longitude"]) == (2, None, None)


def test_a_nul_byte_is_kept_as_its_picture(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(b"lat,lon\n51.5,-0.1\n51.5,-0\0.1\n")
    work_until_ended()
    assert [(row["reason"], row["raw"]) for row in api.rows(upload)[1:]] == [("nul_byte", "51.5,-0␀.1")]


def test_only_the_beginning_of_a_long_rejected_row_is_kept(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon,note\n51.5,-0.1,\nx,y," + "z" * 5_000 + "\n")
    work_until_ended()
    assert len(api.rows(upload)[1]["raw"]) == RAW_CHARS


@pytest.mark.parametrize(
    ("fault", "line"),
    [(b'51.9,"-0.1\n51.9,-0.1\n', 22), (b"51.9,-0.1,\xff\n51.9,-0.1\n", 22)],
    ids=["unclosed quote", "bytes of another encoding"],
)
def test_an_upload_that_cannot_be_read_any_further_fails_with_the_line_when_the_rows_before_are_answered(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, fault: bytes, line: int
) -> None:
    settings.CHUNK_ROWS = 5_000
    good = b"lat,lon\n" + b"51.5,-0.1\n" * 20
    # Behind the part of the file that is looked at when it arrives.
    rest = b"51.5,-0.1\n" * 20_000 if b"\xff" in fault else b""
    upload = api.upload(good + rest + fault, encoding="utf-8")
    line += len(rest.splitlines())
    work_until_idle()
    shown = api.show(upload)
    assert shown["state"] == "failed"
    assert shown["finished_at"]
    assert shown["error"]["type"] == "/problems/unreadable-file"
    assert shown["error"]["line"] == line
    assert shown["error"]["status"] == 422
    assert shown["rows"]["read"] == line - 2
    assert shown["rows"]["pending"] == 0
    assert api.rows(upload)[0]["latitude"] == 51.5


@pytest.mark.parametrize("rows", [0, 3 * 1_024 - 1])
def test_an_error_in_the_first_record_of_a_block_is_not_taken_for_the_end(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, rows: int
) -> None:
    settings.CHUNK_ROWS = 1_000
    right = "x,51.501,-0.142"
    # A block has 32 KiB: the line in question begins one.
    filled = f"{right}{' ' * (32 - 1 - len(right))}\n" * rows
    upload = api.upload(f"{'name,lat,lon':<31}\n{filled}Name,Lon,Lat\n{right}\n")
    work_until_ended()
    ended = api.show(upload)
    assert ended["state"] == "failed"
    assert ended["error"]["line"] == rows + 2
    assert ended["rows"]["read"] == rows


def test_a_file_of_a_header_only_says_so(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("name,lat,lon\n")
    work_until_ended()
    assert [warning["code"] for warning in api.show(upload)["warnings"]] == ["nothing_read"]


def test_an_upload_whose_file_is_gone_fails_in_the_end(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(MANY)
    path_of(Upload.objects.get().public_id).unlink()
    for _ in range(6):
        work_until_idle()
        leases_run_out()
    shown = api.show(upload)
    assert shown["state"] == "failed"
    assert shown["error"]["detail"]


def test_a_file_that_comes_back_is_loaded(api: Api, consumer: FakePostcodeConsumer, data_dir: Path) -> None:
    upload = api.upload(MANY)
    path = path_of(Upload.objects.get().public_id)
    path.rename(data_dir / "away.csv")
    work_until_idle()
    (data_dir / "away.csv").rename(path)
    leases_run_out()
    work_until_ended()
    assert api.show(upload)["rows"]["matched"] == 30


def test_the_file_is_not_kept_open_when_it_is_loaded(api: Api, consumer: FakePostcodeConsumer) -> None:
    api.upload(MANY)
    work_until_ended()
    opened = [link.resolve() for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert path_of(Upload.objects.get().public_id).resolve() not in opened
