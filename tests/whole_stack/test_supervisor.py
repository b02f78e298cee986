"""serve.py: restarts what dies, ends what it started, leaves no orphan behind."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import ROOT, Stack, check_result, running_stack, wait_for

SERVICES = ("gateway", "reader_config.wsgi", "consumer_config.wsgi", "manage.py worker")


def all_processes(stack: Stack) -> list[psutil.Process]:
    return psutil.Process(stack.supervisor.pid).children(recursive=True)


def test_every_service_that_dies_is_started_again(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        old = {process.pid for process in all_processes(stack)}
        for process in all_processes(stack):
            process.kill()
        for what in SERVICES:
            wait_for(
                lambda what=what: [found for found in stack.processes(what) if found.pid not in old],
                f"{what} runs again",
            )
        wait_for(lambda: "200" in _status(stack), "the stack is ready again")


def _status(stack: Stack) -> str:
    try:
        return str(stack.call("GET", "/readyz").status_code)
    except OSError:
        return ""


def test_sigterm_ends_everything_and_is_a_success(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        started = all_processes(stack)
        stack.supervisor.send_signal(signal.SIGTERM)
        assert stack.supervisor.wait(timeout=40) == 0
        _, alive = psutil.wait_procs(started, timeout=5)
        assert alive == []


def test_a_stack_that_is_told_to_stop_says_so_first_and_loses_no_request(tmp_path: Path) -> None:
    """As a load balancer sees it: it looks every now and then, and sends on what comes until it hears of the stop."""
    with running_stack(tmp_path, STOP_READY_SECONDS="3") as stack:
        lookup = "/api/v1/reverse-geocode/?latitude=51.501009&longitude=-0.141588"
        stack.supervisor.terminate()
        told = time.monotonic()
        heard = None
        # Whoever has heard of it sends no more a second later.
        while heard is None or time.monotonic() < heard + 1:
            assert stack.call("GET", lookup).json()["postcode"] == "SW1A 1AA"
            assert stack.call("GET", "/api/v1/uploads/").status_code == 200
            if heard is None and stack.call("GET", "/readyz").status_code == 503:
                heard = time.monotonic()
        assert heard < told + 1.5
        assert stack.supervisor.wait(timeout=60) == 0
        assert time.monotonic() > told + 3
        assert "does not end" not in stack.log.read_text()


def test_fault_22_a_stack_that_stops_in_the_middle_of_a_lookup_leaves_no_lease(
    tmp_path: Path, upstream: RunningPostcodesIo
) -> None:
    content = csv_of(1_000)
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url, "POSTCODES_IO_CALLS_PER_SECOND": "0"}
    never = {"LEASE_SECONDS": "600", "STOP_GRACE_SECONDS": "1"}
    upstream.fail(kind="hang")
    with running_stack(tmp_path, **settings, **never) as stack:
        upload = stack.upload(content)
        wait_for(lambda: upstream.calls, "the lookup is in flight")
    assert "does not end" not in stack.log.read_text()
    upstream.recover()
    # Whoever had to wait for the lease would take ten minutes.
    with running_stack(tmp_path, **settings, **never) as stack:
        done = stack.wait_until_done(upload | {"links": links_at(stack, upload)})
        check_result(content, stack.result(done), done)


def links_at(stack: Stack, upload: dict[str, Any]) -> dict[str, str]:
    """The upload's addresses at a stack that has other ports than the one that took it."""
    return {name: stack.url + urlsplit(link).path for name, link in upload["links"].items()}


def test_fault_23_killing_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        started = all_processes(stack)
        # A worker, the gateway, and two times gunicorn with children of its own, whom the supervisor never saw.
        assert all(len(stack.processes(what)) >= 2 for what in ("reader_config.wsgi", "consumer_config.wsgi"))
        assert len(started) >= len(SERVICES) + 2
        stack.supervisor.kill()
        stack.supervisor.wait()
        _, alive = psutil.wait_procs(started, timeout=40)
        assert alive == []


def test_what_is_done_every_so_often_is_done_again_when_its_time_has_come(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("serve", ROOT / "serve.py")
    assert spec
    assert spec.loader
    serve = importlib.util.module_from_spec(spec)
    sys.modules["serve"] = serve  # where its dataclass looks for it
    spec.loader.exec_module(serve)
    program = "import time; print(time.monotonic(), file=open('log', 'a'))"
    service = serve.Service("often", [sys.executable, "-c", program], tmp_path, every=1.0)
    log = tmp_path / "log"

    def runs() -> list[float]:
        service.watch(dict(os.environ))
        return list(map(float, log.read_text().split())) if log.exists() else []

    wait_for(lambda: len(runs()) == 3, "three runs")
    first, _, last = runs()
    assert last - first > 1.7


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "serve.py"],
            cwd=ROOT,
            env={"DATA_DIR": str(tmp_path), "GATEWAY_PORT": port, "PROVIDER": "sandbox"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"GATEWAY_PORT={port} cannot be used" in done.stderr


def test_a_door_that_would_stand_open_is_not_opened(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "serve.py"],
        cwd=ROOT,
        env={"DATA_DIR": str(tmp_path), "GATEWAY_HOST": "0.0.0.0", "PROVIDER": "sandbox"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "AUTH=required" in done.stderr
