"""What the admin of file_reader is told about the external API, and what it may have done about it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.asking import ask, break_it
from tests.fake_postcodes_io import PALACE, FakePostcodesIo

from lookups import call_minutes
from lookups.answers import Location
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.memory.remembering import Remembering
from lookups.models import CallMinute
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake
from tests.conftest import quick_postcodes_io

Call = Callable[..., Any]
PATH = "/internal/upstream/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    call_minutes._minutes.clear()


@pytest.fixture
def with_upstream(settings: Any) -> None:
    settings.PROVIDER = "local,postcodes_io"
    settings.POSTCODES_IO_CALLS_PER_SECOND = 1_000


def sums(call: Call) -> dict[str, Any]:
    steps = call("GET", PATH).json()["calls"]
    return {name: sum(one[name] for one in steps) for name in ("answered", "refused", "timed_out", "failed")}


@pytest.mark.usefixtures("with_upstream", "long_silence")
def test_the_breaker_is_seen_and_closed(
    call: Call, postcodes_io: Callable[..., PostcodesIo], upstream: FakePostcodesIo
) -> None:
    provider = postcodes_io(calls_per_second=1_000)
    assert call("GET", PATH).json()["limiter"]["is_open"] is False
    break_it(provider, upstream)
    upstream.always = None
    assert call("GET", PATH).json()["limiter"]["is_open"] is True
    with pytest.raises(ProviderUnavailableError):
        ask(provider, PALACE)
    assert call("POST", f"{PATH}close-breaker/").status_code == 200
    assert call("GET", PATH).json()["limiter"]["is_open"] is False
    assert ask(provider, PALACE)[0].postcode == "SW1A 1AA"


@pytest.mark.usefixtures("with_upstream")
def test_a_pause_keeps_all_processes_from_calling(
    call: Call, postcodes_io: Callable[..., PostcodesIo], upstream: FakePostcodesIo
) -> None:
    assert call("POST", f"{PATH}pause/").status_code == 200
    assert 590 < call("GET", PATH).json()["limiter"]["paused_for"] <= 600
    with pytest.raises(ProviderUnavailableError, match=r"may be made in \d+ s"):
        ask(postcodes_io(calls_per_second=1_000), PALACE)
    assert upstream.calls == []


@pytest.mark.parametrize("what", ["pause", "close-breaker"])
def test_without_an_external_api_there_is_nothing_to_pause(call: Call, settings: Any, what: str) -> None:
    settings.PROVIDER = "sandbox"
    told = call("GET", PATH).json()
    assert (told["provider"], told["limiter"], told["calls"]) == ("sandbox", None, [])
    assert call("POST", f"{PATH}{what}/").json()["type"] == "/problems/no-upstream"


def test_nothing_is_changed_by_looking_nor_without_the_token(call: Call) -> None:
    for what in ("pause", "close-breaker"):
        assert call("GET", f"{PATH}{what}/").status_code == 405
        assert call("POST", f"{PATH}{what}/", headers={"X-Internal-Token": "wrong"}).status_code == 401


def test_calls_are_counted_by_outcome_and_written_when_the_process_ends(call: Call, upstream: FakePostcodesIo) -> None:
    provider = Remembering(quick_postcodes_io(upstream), ttl=60, ttl_of_misses=60)
    upstream.faults = [fake.status(503), fake.status(429)]
    provider.reverse_geocode([Location(*PALACE)], 2_000, Deadline(10))
    assert sums(call)["answered"] == 0  # this minute is not over
    provider.close()
    assert sums(call) == {"answered": 1, "refused": 2, "timed_out": 0, "failed": 0}
    minute = CallMinute.objects.get()
    assert 0 < minute.longest <= minute.seconds < 10


def test_a_minute_is_written_when_it_is_over_and_kept_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time.time()) // 60
    CallMinute.objects.create(minute=now - 26 * 60, answered=1, refused=0, timed_out=0, failed=0, seconds=1, longest=1)
    with call_minutes.counted_call():
        pass
    call_minutes.write()
    assert CallMinute.objects.count() == 1
    monkeypatch.setattr(call_minutes, "_this_minute", lambda: now + 2)
    call_minutes.write()
    assert [minute.answered for minute in CallMinute.objects.filter(minute__gte=now)] == [1]
    assert CallMinute.objects.count() == 1
    assert not call_minutes.is_any_unwritten()
