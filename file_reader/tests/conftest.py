"""What the tests share."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import Client
from hypothesis import settings as hypothesis_settings
from tests.api import Api
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.running import Service, WorkerProcess, process_environment

# `make check` chooses the second.
hypothesis_settings.register_profile("whole", max_examples=300, deadline=None)
hypothesis_settings.register_profile("check", max_examples=20, deadline=None)
hypothesis_settings.load_profile("whole")
#: The folders of tests that need none.
WITHOUT_DATABASE = ("reading", "units")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is left out on PostgreSQL touches no database for certain: pytest-django lets nobody in without these."""
    needing = {"db", "transactional_db", "django_db_setup"}
    for item in items:
        needs_it = item.get_closest_marker("django_db") or needing & set(getattr(item, "fixturenames", ()))
        if needs_it and item.path.parent.name in WITHOUT_DATABASE:
            raise pytest.UsageError(f"{item.nodeid} needs a database: its place is in database/ or processes/")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in real life: threads and processes with connections of their own see the same rows.

    On PostgreSQL a database for each process that runs tests.
    """
    database = django_settings.DATABASES["default"]
    in_a_file = database["ENGINE"].endswith("sqlite")
    folder = tmp_path_factory.mktemp("database")
    database["TEST"]["NAME"] = str(folder / "test.sqlite3") if in_a_file else f"test_file_reader_{os.getpid()}"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """Every test stores its files in a folder of its own."""
    settings.DATA_DIR = tmp_path
    settings.UPLOADS_DIR = tmp_path / "uploads"
    return tmp_path


@pytest.fixture(autouse=True)
def other_areas() -> None:
    """Every test has a database of its own, and the process must not know areas of another one."""
    from uploads.rows.bulk import forget_areas

    forget_areas()


@pytest.fixture
def api() -> Api:
    """The service as the gateway calls it, with AUTH=off."""
    return Api()


@pytest.fixture
def ann(settings: Any, db: None) -> Api:
    """The service as a user of her own, with AUTH=required."""
    return _user("ann", settings)


@pytest.fixture
def ben(settings: Any, db: None) -> Api:
    """Another user."""
    return _user("ben", settings)


@pytest.fixture
def take_out() -> Iterator[Callable[..., None]]:
    """Takes entries out of a table of rules: `take_out(rules, name)`. They come back in their order, which counts."""
    whole: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def take(rules: dict[str, Any], *names: str) -> None:
        whole.append((rules, dict(rules)))
        for name in names:
            del rules[name]

    yield take
    for rules, before in reversed(whole):
        rules.clear()
        rules.update(before)


@pytest.fixture
def admin(db: None) -> Client:
    """The admin, signed in as a superuser."""
    get_user_model().objects.create_superuser("root", password="a-long-password")
    client = Api().client
    client.post("/admin/login/", {"username": "root", "password": "a-long-password"})
    return client


def _user(name: str, settings: Any) -> Api:
    settings.AUTH = "required"
    return Api(get_user_model().objects.create_user(name).pk)


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
    """Starts `manage.py worker` as a process of its own: `start_worker(CHUNK_ROWS="10")`; DIE_AT has it die there.
    Words before that are arguments of the command."""
    started: list[WorkerProcess] = []

    def start(*arguments: str, **environment: str) -> WorkerProcess:
        variables = process_environment(data_dir, POSTCODE_CONSUMER_URL=consumer.url, **environment)
        started.append(WorkerProcess(variables, data_dir / f"worker_{len(started) + 1}.log", *arguments))
        return started[-1]

    yield start
    for number, worker in enumerate(started, 1):
        worker.kill()
        sys.stderr.write(f"--- worker {number}\n{worker.log()}")  # a part of the report of a test that fails
