"""The lock of a file that is arriving: who may write, who must wait, and what is left behind and collected."""

import errno
import fcntl
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.db import connection
from tests.api import UPLOADS, Api
from tests.sending import make_old

from uploads.files.incoming import Incoming, UploadInFlightError
from uploads.files.stored import path_of
from uploads.models import Upload
from uploads.work import housekeeping
from uploads.work.housekeeping import collect_abandoned

pytestmark = pytest.mark.django_db
CSV = b"lat,lon\n51.5,-0.1\n"


def parts(data_dir: Path) -> list[Path]:
    return list((data_dir / "uploads" / "incoming").iterdir())


def left_behind(data_dir: Path, key: str) -> Path:
    """The part file of a request with that key whose process was killed."""
    with Incoming(key):
        (path,) = parts(data_dir)
    path.write_bytes(b"left")
    return path


def stored(*, old: bool) -> Path:
    """A file under its final name whose process died before it could insert its upload."""
    public_id = uuid.uuid4()
    path = path_of(public_id)
    incoming = Incoming()
    incoming.write(CSV)
    incoming.keep(public_id)
    died = ConnectionError()
    incoming.__exit__(type(died), died, None)
    if old:
        make_old(intent_of(path))
    return path


def intent_of(path: Path) -> Path:
    """What says that the file may have no upload."""
    return path.parents[1] / "incoming" / f"{path.stem}.intent"


def at_first_lock(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Lets somebody else act in the moment between the opening of a file and its lock."""
    lock = fcntl.flock

    def act_and_lock(file: BinaryIO, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        act()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", act_and_lock)


# --- the reservation of a key --------------------------------------------------------------------------------------
def test_a_key_is_reserved_while_its_file_arrives() -> None:
    with Incoming("0:monday"):
        with pytest.raises(UploadInFlightError):
            Incoming("0:monday")
        with Incoming("0:tuesday"), Incoming("1:monday"), Incoming(), Incoming():
            pass
    with Incoming("0:monday"):
        pass


def test_a_file_that_a_dead_request_left_is_replaced_and_never_written_to(data_dir: Path) -> None:
    path = left_behind(data_dir, "0:monday")
    accepted = data_dir / "accepted.csv"
    accepted.hardlink_to(path)
    with Incoming("0:monday") as incoming:
        incoming.write(CSV)
        with incoming.open_table() as table:
            assert table.read(100) == CSV
        assert accepted.read_bytes() == b"left"


def test_a_file_that_is_collected_before_it_is_locked_is_opened_anew(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_first_lock(monkeypatch, collect_abandoned)
    public_id = uuid.uuid4()
    with Incoming("0:monday") as incoming:
        incoming.write(CSV)
        incoming.keep(public_id)
        assert path_of(public_id).read_bytes() == CSV


def test_the_end_of_a_request_does_not_remove_the_file_of_the_next(data_dir: Path) -> None:
    with Incoming("0:monday") as first:
        first.keep(uuid.uuid4())
        second = Incoming("0:monday")
    with second:
        assert len(parts(data_dir)) == 1
    assert parts(data_dir) == []


def test_a_file_whose_folder_cannot_be_synced_is_not_kept(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def fail_at_the_folder(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "files":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_at_the_folder)
    with pytest.raises(OSError, match="Input/output"), Incoming() as incoming:
        incoming.keep(uuid.uuid4())
    assert [path for path in (data_dir / "uploads").rglob("*") if path.is_file()] == []


# --- collecting ----------------------------------------------------------------------------------------------------
def test_what_a_dead_request_left_is_collected_at_once(data_dir: Path) -> None:
    path = left_behind(data_dir, "0:monday")
    with Incoming("0:tuesday"), Incoming():
        assert collect_abandoned() == 1
        assert not path.exists()
        assert len(parts(data_dir)) == 2


def test_a_file_that_is_opened_while_another_is_collected_stays(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left_behind(data_dir, "0:monday")
    begun: list[Incoming] = []

    def end_the_one_and_begin_the_next() -> None:
        path.unlink()
        begun.append(Incoming("0:monday"))

    at_first_lock(monkeypatch, end_the_one_and_begin_the_next)
    assert collect_abandoned() == 0
    with begun[0]:
        assert parts(data_dir) == [path]


def test_a_file_without_an_upload_is_collected_when_it_is_old(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_COLLECT_FILES", 2)
    old = [stored(old=True) for _ in range(5)]
    young = stored(old=False)
    assert collect_abandoned() == 5
    assert [path for path in old if path.exists()] == []
    assert young.exists()
    assert parts(data_dir) == [intent_of(young)]


def test_a_database_that_knows_no_file_removes_none(api: Api) -> None:
    path = path_of(uuid.UUID(api.upload(CSV)["id"]))
    make_old(path)
    Upload.objects.all().delete()  # as if DATA_DIR were used with a new database, or with an older copy
    assert collect_abandoned() == 0
    assert path.exists()


def test_the_file_of_an_upload_is_never_collected(api: Api) -> None:
    uploads = [api.upload(CSV) for _ in range(2)]
    api.delete(f"{UPLOADS}{uploads[1]['id']}/")
    files = [path_of(uuid.UUID(upload["id"])) for upload in uploads]
    for path in files:
        make_old(path)
    assert collect_abandoned() == 0
    assert all(path.exists() for path in files)


def test_a_file_whose_upload_is_committed_while_it_is_looked_at_is_not_collected() -> None:
    public_id = uuid.uuid4()
    with Incoming() as incoming:
        incoming.write(CSV)
        incoming.keep(public_id)
        make_old(intent_of(path_of(public_id)))

        def commit_after_the_answer(execute: Any, *arguments: Any) -> Any:
            answer = execute(*arguments)
            if not committed:
                committed.append(True)
                Upload.objects.create(public_id=public_id, size=1, dialect={}, max_distance=1.0)
                incoming.__exit__(None, None, None)
            return answer

        committed: list[bool] = []
        with connection.execute_wrapper(commit_after_the_answer):
            collect_abandoned()
        assert path_of(public_id).exists()


def test_without_locks_nothing_is_collected_and_uploads_are_accepted(
    api: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [left_behind(data_dir, "0:monday"), stored(old=True)]

    def no_locks(file: BinaryIO, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert collect_abandoned() == 0
    assert all(path.exists() for path in left)
    answers = [api.post(UPLOADS, CSV, Idempotency_Key="tuesday") for _ in range(2)] + [api.post(UPLOADS, CSV)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert sorted(parts(data_dir)) == sorted([left[0], intent_of(left[1])])
