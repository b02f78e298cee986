"""X-Request-Deadline: the seconds that the caller will still wait."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.calls import PATH, assert_problem
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.running import free_port

from lookups.politeness import limiter
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)
Call = Callable[..., Any]
LONG = 30.0
_numbers = itertools.count()


@pytest.fixture
def look_up(
    call: Call, service_provider: Callable[..., None], upstream: FakePostcodesIo
) -> Callable[[str | None], Any]:
    """`look_up(deadline)`: a new location, through the whole service, from the stand-in upstream."""
    service_provider(
        PROVIDER="postcodes_io",
        POSTCODES_IO_URL=upstream.url,
        POSTCODES_IO_CALLS_PER_SECOND=0,
        POSTCODES_IO_FIRST_BACKOFF_SECONDS=0.01,
        LOOKUP_DEADLINE_SECONDS=LONG,
    )

    def send(deadline: str | None) -> Any:
        headers = {} if deadline is None else {"X-Request-Deadline": deadline}
        latitude = PALACE[0] + next(_numbers) / 1e6
        return call("GET", f"{PATH}?latitude={latitude}&longitude={PALACE[1]}", headers=headers)

    return send


@pytest.mark.parametrize("deadline", [None, "20", "2.5e1", "9" * 400])
def test_a_lookup_that_is_in_time_is_answered(look_up: Any, deadline: str | None) -> None:
    assert look_up(deadline).json()["postcode"] == "SW1A 1AA"


@pytest.mark.parametrize("deadline", ["", "soon", "-1", "nan", "inf", "1,5", "5, 5", "٥"])
def test_what_is_no_number_of_seconds_is_refused(look_up: Any, upstream: FakePostcodesIo, deadline: str) -> None:
    assert_problem(look_up(deadline), "invalid-deadline", 400)
    assert upstream.calls == []


def test_the_same_holds_for_a_thousand(call: Call) -> None:
    body = {"locations": [{"latitude": PALACE[0], "longitude": PALACE[1]}]}
    assert_problem(call("POST", PATH, body, {"X-Request-Deadline": "soon"}), "invalid-deadline", 400)
    assert_problem(call("POST", PATH, body, {"X-Request-Deadline": "0"}), "deadline-exceeded", 504)


def test_when_the_time_is_over_nobody_is_asked(look_up: Any, upstream: FakePostcodesIo) -> None:
    assert_problem(look_up("0"), "deadline-exceeded", 504)
    assert upstream.calls == []


def test_an_answer_that_takes_too_long_is_not_waited_for(look_up: Any, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.latency(5)
    started = time.monotonic()
    assert_problem(look_up("0.2"), "deadline-exceeded", 504)
    assert time.monotonic() - started < 4


def test_a_pause_that_is_longer_than_the_callers_time_is_told_at_once(look_up: Any, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.status(429, retry_after="20")]
    look_up("1")
    response = look_up("1")
    assert_problem(response, "deadline-exceeded", 504)
    assert 10 <= int(response.headers["Retry-After"]) <= 20
    assert len(upstream.calls) == 1


def test_a_pause_that_is_longer_than_our_own_time_is_an_outage(look_up: Any, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.status(429, retry_after="120")]
    for deadline in (None, "60"):
        assert_problem(look_up(deadline), "upstream-unavailable", 503)


def test_the_next_free_moment_may_be_too_late(look_up: Any, service_provider: Any) -> None:
    service_provider(POSTCODES_IO_CALLS_PER_SECOND=0.1)
    assert look_up("5").status_code == 200
    response = look_up("5")
    assert_problem(response, "deadline-exceeded", 504)
    assert 5 < int(response.headers["Retry-After"]) <= 11


def test_upstream_that_cannot_be_reached_is_an_outage_whatever_the_deadline(
    look_up: Any, service_provider: Any
) -> None:
    service_provider(POSTCODES_IO_URL=f"http://127.0.0.1:{free_port()}")
    assert_problem(look_up("20"), "upstream-unavailable", 503)


def test_while_the_breaker_is_open_nobody_waits(
    look_up: Any, upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "FIRST_SILENCE", 600.0)
    upstream.always = fake.status(502)
    for _ in range(3):
        look_up(None)
    calls = len(upstream.calls)
    for deadline in (None, "1"):
        response = look_up(deadline)
        assert_problem(response, "upstream-unavailable", 503)
        assert int(response.headers["Retry-After"]) > 250
    assert len(upstream.calls) == calls
