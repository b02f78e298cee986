"""What the tests share."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.running import Service, WorkerProcess, process_environment


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in real life: threads and processes with connections of their own see the same rows."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """Every test stores its files in a folder of its own."""
    settings.DATA_DIR = tmp_path
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return tmp_path


@pytest.fixture
def api() -> Api:
    """The service as the gateway calls it, with AUTH=off."""
    return Api()


@pytest.fixture
def consumer(settings: Any) -> Iterator[FakePostcodeConsumer]:
    """A stand-in for postcode_consumer, which the service asks."""
    fake = FakePostcodeConsumer()
    fake.start()
    settings.POSTCODE_CONSUMER_URL = fake.url
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def running_service(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service under a real gunicorn, on the tests' database; started once, at most 200,000 bytes an upload."""
    service = Service(tmp_path_factory.mktemp("service"), MAX_UPLOAD_BYTES="200000")
    service.start()
    yield service
    service.stop()


@pytest.fixture
def service(transactional_db: None, running_service: Service) -> Service:
    """The running service, for a test whose database is emptied afterwards."""
    return running_service


@pytest.fixture
def start_service(transactional_db: None, data_dir: Path) -> Iterator[Callable[..., Service]]:
    """Starts a service of the test's own, in its folder: `start_service(MAX_UPLOAD_BYTES="10")`."""
    started: list[Service] = []

    def start(**options: Any) -> Service:
        started.append(Service(data_dir, **options))
        started[-1].start()
        return started[-1]

    yield start
    for service in started:
        service.stop()


@pytest.fixture
def start_worker(
    transactional_db: None, data_dir: Path, consumer: FakePostcodeConsumer
) -> Iterator[Callable[..., Any]]:
    """Starts `manage.py worker` as a process of its own: `start_worker(CHUNK_ROWS="10")`; DIE_AT has it die there."""
    started: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        variables = process_environment(data_dir, POSTCODE_CONSUMER_URL=consumer.url, **environment)
        started.append(WorkerProcess(variables, data_dir / f"worker_{len(started) + 1}.log"))
        return started[-1]

    yield start
    for number, worker in enumerate(started, 1):
        worker.kill()
        sys.stderr.write(f"--- worker {number}\n{worker.log()}")  # a part of the report of a test that fails
