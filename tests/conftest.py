"""Fixtures of the tests that run the whole stack: its databases, and the fake of the external API."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from brokers import find_brokers
from country import POSTCODES
from databases import new_database
from firefox import find_firefox
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TESTS = Path(__file__).parent
# Pages are looked at where there is a browser, Celery works with the brokers there are; the header says what there is.
collect_ignore = [
    name
    for name, there in (
        ("whole_stack/test_pages.py", find_chromium()),
        ("whole_stack/test_firefox.py", find_firefox()),
        *((f"whole_stack/{path.name}", find_chromium()) for path in TESTS.glob("whole_stack/test_people*.py")),
        ("whole_stack/test_celery.py", find_brokers()),
    )
    if not there
]


def pytest_report_header() -> list[str]:
    return [
        f"browser: {find_chromium() or 'none, what needs one is left out'}",
        f"Firefox: {find_firefox() or 'none, test_firefox.py is left out'}",
        f"brokers: {', '.join(find_brokers()) or 'none, test_celery.py is left out'}",
    ]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium, for the tests of a module."""
    from browser import real_browser  # takes long to load, and most tests need none

    with real_browser() as opened:
        yield opened


@pytest.fixture
def upstream() -> Iterator[RunningPostcodesIo]:
    """The external API over the postcodes of country.py."""
    with running_postcodes_io(POSTCODES, answer_fields="small") as running:
        yield running


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def databases(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment that gives both services a database of their own, once on each kind."""
    if request.param == "SQLite":
        yield {}
        return
    server = os.environ["TEST_POSTGRES_URL"]
    templates = os.environ.get("TEST_TEMPLATES", "").split() or (None, None)
    with (
        new_database(server, f"reader_{uuid.uuid4().hex}", template=templates[0]) as reader,
        new_database(server, f"consumer_{uuid.uuid4().hex}", template=templates[1]) as consumer,
    ):
        yield {"FILE_READER_DATABASE_URL": reader, "POSTCODE_CONSUMER_DATABASE_URL": consumer}
