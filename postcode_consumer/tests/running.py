"""Real processes: the service under gunicorn, with the real provider and a stand-in upstream."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import requests
from django.db import connection

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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_alive(service: Service) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert service.process.poll() is None, service.log()
        try:
            if requests.get(f"{service.url}/healthz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):  # its process takes its time on a busy machine
            time.sleep(0.05)
    raise AssertionError(service.log())


def environment_of(data_dir: Path, upstream_url: str, **added: str) -> dict[str, str]:
    """The environment of a service whose database is in that folder, unless another one is named."""
    return {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(data_dir),
        "LOG_FORMAT": "text",
        "SECRET_KEY": "secret",
        "INTERNAL_TOKEN": "token",
        "POSTCODES_IO_URL": upstream_url,
        "POSTCODES_IO_CALLS_PER_SECOND": "50",
        "POSTCODE_CONSUMER_PROCESSES": "2",
        **added,
    }


def database_url() -> str:
    """The database of the running test, for processes that share it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    # A server that listens on a socket in the file system has its folder as its host.
    host = quote(database["HOST"] or database["OPTIONS"].get("host", ""), safe="")
    return f"postgres://{database['USER']}{password}@{host}:{database['PORT'] or 5432}/{database['NAME']}"


def migrate(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=SERVICE, env=environment, check=True, timeout=60)


@contextmanager
def running_service(environment: dict[str, str], log: Path, *, port: int = 0) -> Iterator[Service]:
    """The service on that port, or on a free one, and on a database that is migrated."""
    port = port or free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "consumer_config/gunicorn.conf.py", "consumer_config.wsgi"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=SERVICE, env=environment | {"POSTCODE_CONSUMER_PORT": str(port)}, stderr=stderr
        )
    running = Service(process, f"http://127.0.0.1:{port}", log)
    try:
        wait_until_alive(running)
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(35)


def postcodes(answer: requests.Response) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    return [result["postcode"] for result in answer.json()["results"]]
