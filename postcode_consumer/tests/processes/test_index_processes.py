"""`manage.py build_index` as a process of its own, and a service that waits for its index."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError
from tests.building import nearest
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.index_files import (
    plain,
)
from tests.running import SERVICE, environment_of, migrate, running_service


def start_build(tmp_path: Path, source: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "build_index", str(source), "--output", str(tmp_path / "index")]
    environment: dict[str, Any] = environment_of(tmp_path, "http://127.0.0.1:1")
    return subprocess.Popen(command, cwd=SERVICE, env=environment, stderr=subprocess.PIPE)


def endless(tmp_path: Path) -> Path:
    """A source that comes through a pipe, of which a build never sees the end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def wait_for_lock(tmp_path: Path) -> None:
    end = time.monotonic() + 30
    while not (tmp_path / "index" / "build.lock").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_build_that_is_killed_leaves_the_old_index_and_does_not_keep_others_out(
    tmp_path: Path, build: Callable[..., str]
) -> None:
    build(plain(tmp_path / "good.csv", [("SW1A 1AA", *PALACE)]))
    (tmp_path / "index" / "build.lock").unlink()
    process = start_build(tmp_path, endless(tmp_path))
    wait_for_lock(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert nearest(tmp_path, PALACE)[0].postcode == "SW1A 1AA"
    build(plain(tmp_path / "other.csv", [("SW1A 2AA", *PALACE)]))
    assert nearest(tmp_path, PALACE)[0].postcode == "SW1A 2AA"


def test_two_builds_do_not_write_into_each_other(tmp_path: Path, build: Callable[..., str]) -> None:
    process = start_build(tmp_path, endless(tmp_path))
    try:
        wait_for_lock(tmp_path)
        with pytest.raises(CommandError, match="Another process is building"):
            build(plain(tmp_path / "good.csv", [("SW1A 1AA", *PALACE)]))
    finally:
        process.kill()
        process.communicate()


def test_the_command_works_before_there_is_a_database(tmp_path: Path) -> None:
    process = start_build(tmp_path, plain(tmp_path / "good.csv", [("SW1A 1AA", *PALACE)]))
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert nearest(tmp_path, PALACE)[0].postcode == "SW1A 1AA"


def test_what_was_typed_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    process = start_build(tmp_path, tmp_path / "nowhere.csv")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.decode().startswith("CommandError: There is no file")
    assert errors.count(b"\n") == 1


def test_the_running_service_says_what_is_missing_and_works_when_it_is_there(
    tmp_path: Path, upstream: FakePostcodesIo
) -> None:
    environment = environment_of(tmp_path, upstream.url, PROVIDER="local", LOCAL_INDEX=str(tmp_path / "here"))
    migrate(environment)
    with running_service(environment, tmp_path / "log") as service:
        assert "ERROR postcode_consumer - There is no index of postcodes" in service.log()
        ready = requests.get(f"{service.url}/readyz", timeout=5)
        assert ready.status_code == 503
        assert "Build it with" in ready.json()["missing"]["index"]

        source = plain(tmp_path / "places.csv.gz", [("SW1A 1AA", *PALACE)])
        command = [sys.executable, "manage.py", "build_index", str(source)]
        subprocess.run(command, cwd=SERVICE, env=environment, check=True, capture_output=True, timeout=30)
        for _ in range(10):
            assert requests.get(f"{service.url}/readyz", timeout=5).status_code == 200
            answers = service.bulk(PALACE, (0, 0)).json()["results"]
            assert [(answer["postcode"], answer["provider"]) for answer in answers] == [
                ("SW1A 1AA", "local"),
                (None, "local"),
            ]
