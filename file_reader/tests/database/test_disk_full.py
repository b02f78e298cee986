"""A full disk: 507, and nothing half-stored."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from tests.api import UPLOADS, Api, problem_of

from uploads.files import incoming as storage
from uploads.models import Upload

pytestmark = pytest.mark.django_db
SMALL = b"lat,lon\n51.5,-0.1\n"
LARGE = SMALL + b"51.5,-0.1\n" * 200_000


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that arrive go to the device on which there is never room."""
    open_part = storage._open_part

    def open_full(key: str | None) -> tuple[BinaryIO, Path]:
        file, path = open_part(key)
        with open("/dev/full", "r+b") as full:  # noqa: PTH123 - a device
            os.dup2(full.fileno(), file.fileno())
        return file, path

    monkeypatch.setattr(storage, "_open_part", open_full)


def send_raw(api: Api, content: bytes) -> Any:
    return api.post(UPLOADS, content)


def send_form(api: Api, content: bytes) -> Any:
    return api.send_form(content)


def assert_refused(response: Any, data_dir: Path) -> None:
    problem_of(response, 507, "storage-full")
    assert int(response.headers["Retry-After"]) > 0
    assert not Upload.objects.exists()
    assert [path for path in (data_dir / "uploads").rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("send", [send_raw, send_form])
@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_is_full_while_the_file_is_written_is_told(
    api: Api, data_dir: Path, send: Callable[[Api, bytes], Any], content: bytes
) -> None:
    assert_refused(send(api, content), data_dir)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_found_full_when_the_file_is_synced_is_told(
    api: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(storage.os, "fsync", no_room)
    assert_refused(api.post(UPLOADS, SMALL), data_dir)


def test_another_fault_of_the_disk_is_not_blamed_on_the_caller(
    api: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(storage.os, "fsync", broken)
    problem_of(api.post(UPLOADS, SMALL), 500, "internal-error")
    assert not Upload.objects.exists()
