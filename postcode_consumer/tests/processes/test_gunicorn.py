"""The service as it runs: gunicorn, a real socket, the real provider, a stand-in upstream."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, PALACE, FakePostcodesIo
from tests.redis_server import running_redis
from tests.running import Service, environment_of, migrate, running_service

from tests import fake_postcodes_io as fake


@pytest.fixture
def service(tmp_path: Path, upstream: FakePostcodesIo) -> Iterator[Service]:
    environment = environment_of(tmp_path, upstream.url)
    migrate(environment)
    with running_service(environment, tmp_path / "log") as running:
        yield running


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
    response = service.bulk(DOWNING_STREET)
    assert response.status_code == 503
    assert response.json()["type"] == "/problems/upstream-unavailable"
    assert 100 <= int(response.headers["Retry-After"]) <= 121
    assert "the-id-of-the-call" in service.log()

    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(35) == 0


@pytest.mark.parametrize(
    ("settings", "warnings"),
    [
        ({"POSTCODES_IO_URL": "https://api.postcodes.io"}, 1),
        ({"POSTCODES_IO_URL": "https://api.postcodes.io", "POSTCODES_IO_CONTACT": "ops@example.org"}, 0),
        ({"POSTCODES_IO_URL": "http://127.0.0.1:9"}, 0),
        ({"POSTCODES_IO_URL": "https://api.postcodes.io", "PROVIDER": "sandbox"}, 0),
    ],
)
def test_that_nobody_can_be_written_to_is_said_once_at_the_start(
    tmp_path: Path, settings: dict[str, str], warnings: int
) -> None:
    # Nobody is asked: there is no lookup.
    with running_service(environment_of(tmp_path, "") | settings, tmp_path / "log") as service:
        assert service.log().count("POSTCODES_IO_CONTACT is not set") == warnings


def test_connections_upstream_are_closed_at_the_end(tmp_path: Path, upstream: FakePostcodesIo) -> None:
    environment = environment_of(tmp_path, upstream.url)
    migrate(environment)
    with running_service(environment, tmp_path / "log") as service:
        assert service.bulk(CASTLE).status_code == 200
    assert "Unclosed" not in service.log()


def test_a_service_whose_redis_is_away_is_not_ready_and_says_so(tmp_path: Path, upstream: FakePostcodesIo) -> None:
    with running_redis(own=True) as url:
        environment = environment_of(tmp_path, upstream.url, CACHE_URL=url)
        migrate(environment)
        with running_service(environment, tmp_path / "log") as service:
            assert requests.get(f"{service.url}/readyz", timeout=5).json() == {"status": "ready"}
            assert service.bulk(CASTLE).status_code == 200
    with running_service(environment, tmp_path / "log") as service:
        answer = requests.get(f"{service.url}/readyz", timeout=30)
        assert (answer.status_code, list(answer.json()["missing"])) == (503, ["cache"])


def test_a_service_that_is_told_to_stop_says_so_and_answers_lookups_for_a_while(
    tmp_path: Path, upstream: FakePostcodesIo
) -> None:
    environment = environment_of(tmp_path, upstream.url, STOP_READY_SECONDS="3")
    migrate(environment)
    with running_service(environment, tmp_path / "log") as service:
        told_at = time.monotonic()
        service.process.terminate()
        while (ready := requests.get(f"{service.url}/readyz", timeout=5)).status_code == 200:
            assert time.monotonic() < told_at + 2
        assert ready.json()["missing"] == {"process": "is about to stop"}
        while time.monotonic() < told_at + 2.5:
            assert service.bulk(CASTLE).status_code == 200
        assert service.process.wait(30) == 0
        assert time.monotonic() > told_at + 2.9
