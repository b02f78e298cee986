"""A real Prometheus beside the whole stack: every query of every dashboard has an answer."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from country import csv_of
from monitoring import documented, queries
from postcodes_io import RunningPostcodesIo
from real_prometheus import answer, prometheus
from stack import Stack, free_ports, running_stack, wait_for

pytestmark = pytest.mark.skipif(
    not shutil.which("prometheus") and os.environ.get("REQUIRE_PROMETHEUS") != "1",
    reason="there is no prometheus here (Debian: apt install prometheus)",
)


@contextmanager
def receiver(port: int) -> Iterator[None]:
    """Takes webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def series_of(port: int) -> set[str]:
    """The names of the metrics at a port, histograms by their own name."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    found = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    return {f"{name}_total" if kind == "counter" and not name.endswith("_total") else name for name, kind in found}


@pytest.mark.parametrize("databases", ["PostgreSQL"], indirect=True)
def test_every_query_of_every_dashboard_has_a_series(
    tmp_path: Path, databases: dict[str, str], upstream: RunningPostcodesIo
) -> None:
    gateway, first_worker, own, hook = free_ports(4)
    settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "1000",
        "GATEWAY_METRICS_PORT": str(gateway),
        "WORKER_METRICS_PORT": str(first_worker),
        "WORKERS": "1",
        "WEBHOOK_ALLOWED_HOSTS": f"127.0.0.1:{hook}",
    }
    with running_stack(tmp_path, **databases, **settings) as stack, receiver(hook):
        ports = {
            "gateway": [gateway],
            "file_reader": [int(stack.environment["FILE_READER_PORT"])],
            "postcode_consumer": [int(stack.environment["POSTCODE_CONSUMER_PORT"])],
            "worker": [first_worker],
        }
        shown: set[str] = set()
        with prometheus(tmp_path / "prometheus", own, ports):
            seeds = count(1)
            for _ in range(2):  # a rate needs two scrapes, with work between them
                use(stack, hook, next(seeds))
            missing = list(queries())

            def all_answered() -> bool:
                use(stack, hook, next(seeds), wait=False)
                missing[:] = [query for query in missing if not numbers(own, query)]
                return not missing

            try:
                wait_for(all_answered, "every query has a series", seconds=60)
            except AssertionError:
                assert missing == []
            for (port,) in ports.values():
                shown |= series_of(port)
        assert {name for name in shown if name != "up"} == documented()


def use(stack: Stack, hook: int, seed: int, *, wait: bool = True) -> None:
    """A bit of everything; with another seed, what postcode_consumer does not know yet."""
    content = csv_of(200, seed=seed)
    answer = stack.call(
        "POST",
        "/api/v1/uploads/",
        files={"file": ("file.csv", content)},
        data={},
        params={"webhook_url": f"http://127.0.0.1:{hook}/"},
    )
    assert answer.status_code == 202, answer.text
    if wait:
        stack.wait_until_done(answer.json())
    for _ in range(2):  # the second is answered from what is kept
        stack.call("GET", "/api/v1/reverse-geocode/", params={"latitude": "51.5", "longitude": "-0.1"})
        stack.call("GET", "/api/v1/uploads/")


def numbers(port: int, query: str) -> list[Any]:
    """The series that have a number: a quantile of what did not happen is NaN."""
    return [series for series in answer(port, query) if series["value"][1] != "NaN"]
