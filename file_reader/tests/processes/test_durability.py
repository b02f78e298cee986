"""Power loss after the 202: what was promised was on disk before."""

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.api import UPLOADS, Api
from tests.running import Service
from tests.working import in_thread

from uploads.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"lat,lon\n51.5,-0.1\n"


def committed() -> int:
    """The uploads that everybody sees."""
    return in_thread(Upload.objects.count).result(timeout=30)


@pytest.fixture
def steps(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What is synced and renamed, each with the number of uploads that are committed by then."""
    done: list[tuple[object, ...]] = []
    sync, rename = os.fsync, os.rename

    def seen_sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        what = path.read_bytes() if path.is_file() else str(path.relative_to(data_dir))
        done.append(("sync", what, committed()))
        sync(descriptor)

    def seen_rename(source: Path, target: Path) -> None:
        done.append(("rename", str(Path(target).parent.relative_to(data_dir)), committed()))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", seen_sync)
    monkeypatch.setattr(os, "rename", seen_rename)
    return done


def test_fault_26_file_and_folders_are_synced_before_the_upload_is_committed_and_then_accepted(
    api: Api, steps: list[tuple[object, ...]]
) -> None:
    new_folders = [("sync", "uploads", 0), ("sync", ".", 0)]
    assert api.post(UPLOADS, CSV).status_code == 202
    assert steps == [("sync", CSV, 0), *new_folders, ("rename", "uploads/files", 0), ("sync", "uploads/files", 0)]
    assert committed() == 1
    steps.clear()
    assert api.post(UPLOADS, CSV).status_code == 202
    assert steps == [("sync", CSV, 1), ("rename", "uploads/files", 1), ("sync", "uploads/files", 1)]
    assert committed() == 2


def test_fault_26_the_database_of_the_web_process_syncs_every_commit(start_service: Callable[..., Service]) -> None:
    service = start_service(wsgi="tests.wsgi_faults")
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/durability", timeout=10) as answer:
        promised: dict[str, Any] = json.load(answer)
    if connection.vendor == "sqlite":
        assert promised == {"journal_mode": "wal", "synchronous": "2"}
    else:
        assert promised == {"fsync": "on", "synchronous_commit": "on"}
