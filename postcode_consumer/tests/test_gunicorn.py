"""The service as it runs: gunicorn, a real socket, the real provider, a stand-in upstream."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.fake_postcodes_io import CASTLE, PALACE, FakePostcodesIo

from tests import fake_postcodes_io as fake

SERVICE = Path(__file__).resolve().parents[1]
HEADERS = {"X-Internal-Token": "token", "X-Request-Id": "the-id-of-the-call"}


class Service:
    """A running service: its address, and its logs so far."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def bulk(self, *places: tuple[float, float]) -> requests.Response:
        locations = [{"latitude": latitude, "longitude": longitude} for latitude, longitude in places]
        url = f"{self.url}/api/v1/reverse-geocode/"
        return requests.post(url, json={"locations": locations}, headers=HEADERS, timeout=30)


def wait_until_alive(service: Service) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert service.process.poll() is None, service.log()
        try:
            if requests.get(f"{service.url}/healthz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(service.log())


@pytest.fixture
def service(tmp_path: Path, upstream: FakePostcodesIo) -> Iterator[Service]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "secret",
        "INTERNAL_TOKEN": "token",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "50",
        "POSTCODE_CONSUMER_PORT": str(port),
        "POSTCODE_CONSUMER_PROCESSES": "2",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, cwd=SERVICE, env=environment, check=True, timeout=30)
    command = [sys.executable, "-m", "gunicorn", "-c", "consumer/gunicorn.conf.py", "consumer.wsgi"]
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=SERVICE, env=environment, stderr=stderr)
    running = Service(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until_alive(running)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(35)


def test_the_running_service_answers_lookups_and_outages_and_ends_on_request(
    service: Service, upstream: FakePostcodesIo
) -> None:
    assert requests.get(f"{service.url}/readyz", timeout=5).json() == {"status": "ready"}

    response = service.bulk(CASTLE, PALACE, (0, 0))
    assert response.headers["X-Request-Id"] == "the-id-of-the-call"
    results = response.json()["results"]
    assert [result["postcode"] for result in results] == ["EH1 2NG", "SW1A 1AA", None]
    assert [result["reason"] for result in results] == [None, None, "outside_uk"]

    upstream.always = fake.status(429, retry_after="120")
    response = service.bulk(CASTLE)
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/upstream-unavailable"
    assert 100 <= int(response.headers["Retry-After"]) <= 121
    assert "the-id-of-the-call" in service.log()

    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(35) == 0


def test_a_retry_after_silences_all_processes_of_the_service(service: Service, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.status(429, retry_after="120")
    statuses = {service.bulk((PALACE[0] + n / 1e6, PALACE[1])).status_code for n in range(20)}
    assert statuses == {503}
    assert len(upstream.calls) == 1
