"""Files that are written while several processes look at their folder: each version is accepted once, and none half."""

import hashlib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.running import HOME, WorkerProcess, process_environment, wait_for

from uploads.models import Source, SourceFile, Upload

pytestmark = pytest.mark.django_db(transaction=True)
FILES = 20
StartWorker = Callable[..., WorkerProcess]


def content_of(number: int, version: int) -> bytes:
    rows = (f"row {row} of {version},{51.1 + number / 1e3:.6f},{-row / 1e4:.6f}" for row in range(60))
    return "\n".join(["name,lat,lon", *rows, ""]).encode()


def write_slowly(path: Path, content: bytes) -> None:
    """In pieces, for longer than a look needs, with pauses that are shorter than the quiet seconds."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), len(content) // 8):
            file.write(content[start : start + len(content) // 8])
            time.sleep(0.25)


def hashes(contents: list[bytes]) -> Counter[str]:
    return Counter(hashlib.sha256(content).hexdigest() for content in contents)


def test_twenty_files_half_of_them_written_meanwhile_twice_by_two_at_once(data_dir: Path) -> None:
    folder = data_dir / "imports" / "daily"
    folder.mkdir(parents=True)
    Source.objects.create(name="daily", place="daily", quiet_seconds=1)
    environment = process_environment(data_dir, IMPORT_DIR=str(data_dir / "imports"))
    command = [sys.executable, "manage.py", "ingest", "daily"]

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=HOME, env=environment, stdout=subprocess.DEVNULL)

    expected: list[bytes] = []
    for version in (1, 2):
        contents = {folder / f"{number}.csv": content_of(number, version) for number in range(FILES)}
        expected += contents.values()
        for path in list(contents)[::2]:
            path.write_bytes(contents[path])
        moving = list(contents)[1::2]
        writers = [threading.Thread(target=write_slowly, args=(path, contents[path])) for path in moving]
        ingesters = [start(), start()]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            for place, ingester in enumerate(ingesters):
                if ingester.poll() is not None:
                    assert ingester.returncode == 0
                    ingesters[place] = start()
            time.sleep(0.05)
        for ingester in [*ingesters, start(), start()]:
            assert ingester.wait(60) == 0
        assert not SourceFile.objects.filter(state="new").exists()
        assert Counter(Upload.objects.values_list("sha256", flat=True)) == hashes(expected)


def test_a_worker_looks_at_what_is_due(start_worker: StartWorker, data_dir: Path) -> None:
    folder = data_dir / "imports" / "daily"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_bytes(content_of(1, 1))
    source = Source.objects.create(name="daily", place="daily", quiet_seconds=0)
    worker = start_worker(IMPORT_DIR=str(data_dir / "imports"))
    wait_for(Upload.objects.exists)
    wait_for(lambda: Source.objects.get().looked_at)
    source.refresh_from_db()
    assert source.due_at > source.looked_at
    assert worker.terminate() == 0
