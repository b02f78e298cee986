"""GET /api/v1/postcodes/<postcode>/ with a memory, and with a chain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from tests.calls import PATH, assert_problem
from tests.fake_postcodes_io import CASTLE, PALACE, FakePostcodesIo
from tests.index_files import plain
from tests.known import wait_until

from lookups.index.build import build
from lookups.models import Claim

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[..., Any]
Choose = Callable[..., None]
URL = "/api/v1/postcodes/{}/?remembered=1"


@pytest.fixture
def use(service_provider: Choose, upstream: FakePostcodesIo) -> Choose:
    """Has the service use postcodes_io, or the chain that is named."""

    def choose(**more: Any) -> None:
        quick = {"POSTCODES_IO_CALLS_PER_SECOND": 0, "POSTCODES_IO_URL": upstream.url}
        service_provider(**{"PROVIDER": "postcodes_io", **quick, **more})

    return choose


def look_up(call: Call, place: tuple[float, float]) -> Any:
    """The details of the match, when they are written down."""
    match = call("GET", f"{PATH}?latitude={place[0]}&longitude={place[1]}").json()
    wait_until(lambda: not Claim.objects.exists())
    return {"postcode": match["postcode"], **match["postcode_details"], "terminated": None}


def test_what_was_looked_up_is_known_without_a_call_upstream(
    call: Call, use: Choose, upstream: FakePostcodesIo
) -> None:
    use()
    assert_problem(call("GET", URL.format("SW1A1AA")), "not-found", 404)
    assert upstream.calls == []
    known = look_up(call, PALACE)
    upstream.calls.clear()
    for written in ("SW1A1AA", "sw1a%201aa"):
        assert call("GET", URL.format(written)).json() == known
    assert_problem(call("GET", URL.format("EH12NG")), "not-found", 404)
    assert upstream.calls == []


def test_what_was_found_for_others_is_not_told_unless_it_is_asked_for(call: Call, use: Choose) -> None:
    use()

    def told(postcode: str, query: str) -> Any:
        response = call("GET", f"/api/v1/postcodes/{postcode}/{query}")
        headers = {name: text for name, text in response.headers.items() if name != "X-Request-Id"}
        return response.status_code, headers, response.content

    look_up(call, PALACE)
    for query in ("", "?remembered=0"):
        with CaptureQueriesContext(connection) as found:
            assert told("SW1A1AA", query) == told("EH12NG", query)
        assert not found.captured_queries  # nobody looks into the memory: it cannot take longer
    assert_problem(call("GET", "/api/v1/postcodes/SW1A1AA/?remembered=yes"), "invalid-parameter", 400)


@pytest.mark.parametrize("written", ["%00", "SW1A1AA%00", "%F0%9F%92%A5", "A" * 10_000, "%FF"])
def test_nonsense_is_not_found_and_does_not_reach_the_database(call: Call, use: Choose, written: str) -> None:
    use()
    assert_problem(call("GET", URL.format(written)), "not-found", 404)


def test_of_a_chain_the_first_that_knows_it_answers(
    call: Call, use: Choose, upstream: FakePostcodesIo, tmp_path: Path
) -> None:
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", 51.5, -0.14)]), tmp_path / "index")
    use()
    look_up(call, PALACE)
    castle = look_up(call, CASTLE)
    use(PROVIDER="local,postcodes_io", LOCAL_INDEX=tmp_path / "index")
    upstream.calls.clear()
    assert call("GET", URL.format("SW1A1AA")).json()["latitude"] == 51.5
    assert call("GET", URL.format("EH12NG")).json() == castle
    assert_problem(call("GET", URL.format("ZZ999ZZ")), "not-found", 404)
    assert upstream.calls == []


def test_a_chain_whose_first_is_not_set_up_is_an_outage(call: Call, use: Choose, tmp_path: Path) -> None:
    use(PROVIDER="local,postcodes_io", LOCAL_INDEX=tmp_path)
    assert_problem(call("GET", URL.format("SW1A1AA")), "upstream-unavailable", 503)


def test_while_the_database_is_away_nothing_is_said_about_a_postcode(call: Call, use: Choose) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    use()
    with connection.execute_wrapper(away):
        response = call("GET", URL.format("SW1A1AA"))
    assert_problem(response, "database-unavailable", 503)
    assert int(response.headers["Retry-After"]) > 0
