"""What the tests share."""

import json
import os
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client
from hypothesis import settings as hypothesis_settings
from tests.fake_postcodes_io import FakePostcodesIo

from lookups import providers
from lookups.memory.remembering import Remembering
from lookups.politeness import limiter
from lookups.providers.postcodes_io.search import PostcodesIo

# `make check` chooses the second.
hypothesis_settings.register_profile("whole", max_examples=60, deadline=None)
hypothesis_settings.register_profile("check", max_examples=20, deadline=None)
hypothesis_settings.load_profile("whole")
#: The folders of tests that need none.
WITHOUT_DATABASE = ("units",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is left out on PostgreSQL touches no database for certain: pytest-django lets nobody in without these."""
    needing = {"db", "transactional_db", "django_db_setup"}
    for item in items:
        needs_it = item.get_closest_marker("django_db") or needing & set(getattr(item, "fixturenames", ()))
        if needs_it and item.path.parent.name in WITHOUT_DATABASE:
            raise pytest.UsageError(f"{item.nodeid} needs a database: its place is in database/ or processes/")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On PostgreSQL a database of our own; SQLite in a file, so that threads with their own connections share it."""
    database = django_settings.DATABASES["default"]
    in_a_file = database["ENGINE"].endswith("sqlite")
    folder = tmp_path_factory.mktemp("database")
    database["TEST"]["NAME"] = str(folder / "test.sqlite3") if in_a_file else f"test_postcode_consumer_{os.getpid()}"


@pytest.fixture
def call() -> Callable[..., Any]:
    """`call("GET", path)` or `call("POST", path, body)`: through the whole service, with the internal token."""

    def send(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        client = Client(raise_request_exception=False)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"X-Internal-Token": django_settings.INTERNAL_TOKEN, **(headers or {})}
        return client.generic(method, path, data, content_type="application/json", headers=sent)

    return send


@pytest.fixture
def upstream() -> Iterator[FakePostcodesIo]:
    """A stand-in for postcodes.io."""
    fake = FakePostcodesIo()
    fake.start()
    yield fake
    fake.stop()


def quick_postcodes_io(upstream: FakePostcodesIo, **options: Any) -> PostcodesIo:
    """Asks the stand-in: quick to try again, and without a limit unless one is given."""
    defaults = {"url": upstream.url, "calls_per_second": 0, "max_concurrency": 4, "first_backoff": 0.01}
    return PostcodesIo(**{**defaults, **options})


@pytest.fixture
def postcodes_io(upstream: FakePostcodesIo) -> Iterator[Callable[..., PostcodesIo]]:
    """Makes upstreams that ask the stand-in."""
    made: list[PostcodesIo] = []

    def make(**options: Any) -> PostcodesIo:
        made.append(quick_postcodes_io(upstream, **options))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def remembering(upstream: FakePostcodesIo) -> Iterator[Callable[..., Remembering]]:
    """The same as providers, which remember; for tests with a database. `ttl` and `ttl_of_misses` are in seconds."""
    made: list[Remembering] = []

    def make(*, ttl: int = 60, ttl_of_misses: int = 60, **options: Any) -> Remembering:
        made.append(Remembering(quick_postcodes_io(upstream, **options), ttl=ttl, ttl_of_misses=ttl_of_misses))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def service_provider(settings: Any) -> Iterator[Callable[..., None]]:
    """Has the service choose its provider anew, by other settings."""

    def choose(**values: Any) -> None:
        for name, value in values.items():
            setattr(settings, name, value)
        providers.close()

    providers.close()
    yield choose
    providers.close()


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., str]:
    """Runs the command; what it said."""

    def run(file: Path) -> str:
        said = StringIO()
        call_command("build_index", str(file), output=tmp_path / "index", stdout=said, stderr=StringIO())
        return said.getvalue()

    return run


@pytest.fixture
def long_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breaker that opens stays open for the rest of the test."""
    monkeypatch.setattr(limiter, "FIRST_SILENCE", 600.0)


@pytest.fixture
def no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breaker that opens lets a probe through at once."""
    monkeypatch.setattr(limiter, "FIRST_SILENCE", 1e-6)
