"""What is done when postcodes.io is slow, silent, overloaded or wrong."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from tests.asking import ask
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, PALACE, FakePostcodesIo
from tests.wrong_answers import reordered, with_one_more, without_last, wrong_echo

from lookups.errors import ProviderUnavailableError
from lookups.providers.postcodes_io import client as postcodes_io_client
from lookups.providers.postcodes_io.client import MAX_ANSWER_BYTES
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

Make = Callable[..., PostcodesIo]


def text_echo(items: list[Any]) -> list[Any]:
    items[0]["query"]["latitude"] = str(items[0]["query"]["latitude"])
    return items


def no_echo(items: list[Any]) -> list[Any]:
    del items[0]["query"]
    return items


def no_postcode(items: list[Any]) -> list[Any]:
    del items[0]["result"][0]["postcode"]
    return items


def no_distance(items: list[Any]) -> list[Any]:
    del items[0]["result"][0]["distance"]
    return items


def null_distance(items: list[Any]) -> list[Any]:
    items[0]["result"][0]["distance"] = None
    return items


def empty_result(items: list[Any]) -> list[Any]:
    items[0]["result"] = []
    return items


UNTRUSTED = [
    *(
        pytest.param(fake.result(change), id=change.__name__)
        for change in (
            without_last,
            with_one_more,
            reordered,
            wrong_echo,
            text_echo,
            no_echo,
            no_postcode,
            no_distance,
            null_distance,
            empty_result,
        )
    ),
    pytest.param(fake.result(lambda items: None), id="no list"),
    pytest.param(fake.result(lambda items: {"0": items}), id="object"),
    pytest.param(fake.text("<html>Welcome</html>", "text/html"), id="html"),
    pytest.param(fake.text(""), id="empty"),
    pytest.param(fake.text("[" * 200_000), id="deeply nested"),
    pytest.param(fake.status(404), id="404"),
    pytest.param(fake.status(302), id="302"),
    pytest.param(fake.status(204), id="204"),
    pytest.param(fake.endless, id="endless body"),
    pytest.param(fake.half_closed, id="half-closed"),
    pytest.param(fake.reset, id="reset"),
    pytest.param(fake.drip, id="drip"),
    pytest.param(fake.latency(1), id="silent"),
]
PASSING = [pytest.param(fake.status(code), id=str(code)) for code in (429, 500, 502, 503, 504)]


@pytest.mark.parametrize("fault", UNTRUSTED + PASSING)
def test_a_fault_that_passes_is_not_noticed(postcodes_io: Make, upstream: FakePostcodesIo, fault: fake.Fault) -> None:
    upstream.faults = [fault]
    answers = ask(postcodes_io(call_seconds=0.5), PALACE, CASTLE, DOWNING_STREET)
    assert [answer.postcode for answer in answers] == ["SW1A 1AA", "EH1 2NG", "SW1A 2AA"]
    assert len(upstream.calls) == 2


@pytest.mark.parametrize("fault", UNTRUSTED + PASSING)
def test_a_fault_that_stays_is_an_outage(postcodes_io: Make, upstream: FakePostcodesIo, fault: fake.Fault) -> None:
    upstream.always = fault
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(call_seconds=0.2, attempts=2), PALACE, CASTLE, DOWNING_STREET)


def test_there_are_five_attempts(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.status(503)
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(), PALACE)
    assert len(upstream.calls) == 5


def test_the_outcomes_in_metrics_keep_their_names(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    def counted() -> float:
        labels = {"provider": "postcodes_io", "outcome": "Overloaded"}
        return REGISTRY.get_sample_value("postcode_consumer_upstream_calls_total", labels) or 0

    before = counted()
    upstream.faults = [fake.status(503)]
    ask(postcodes_io(), PALACE)
    assert counted() == before + 1


def test_one_batch_that_cannot_be_answered_fails_the_whole_lookup(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    upstream.faults = [fake.status(503)] * 5
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(max_concurrency=1, attempts=1), *[(51 + n / 1_000, 0.0) for n in range(300)])


def test_the_deadline_of_a_lookup_is_kept(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.drip
    started = time.monotonic()
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(call_seconds=30), PALACE, seconds=0.5)
    assert time.monotonic() - started < 2


def test_an_endless_body_is_given_up_by_its_size(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.endless]
    assert ask(postcodes_io(call_seconds=60), PALACE)[0].postcode == "SW1A 1AA"


@pytest.mark.parametrize(("surplus", "calls"), [(0, 1), (1, 2)])
def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(
    postcodes_io: Make, upstream: FakePostcodesIo, surplus: int, calls: int
) -> None:
    body = json.dumps({"result": fake.answers([{"latitude": PALACE[0], "longitude": PALACE[1], "limit": 1}])})
    upstream.faults = [fake.text(body + " " * (MAX_ANSWER_BYTES + surplus - len(body)))]
    assert ask(postcodes_io(), PALACE)[0].postcode == "SW1A 1AA"
    assert len(upstream.calls) == calls


def test_the_largest_answer_observed_is_taken() -> None:
    one_postcode = 1_330
    assert 100 * one_postcode * 10 < MAX_ANSWER_BYTES < 100 * one_postcode * 20


def test_a_connection_is_used_again_but_not_after_it_was_idle(
    postcodes_io: Make, upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # postcodes.io closes a connection that was idle for 5 s.
    assert postcodes_io_client.KEEPALIVE_SECONDS < 5
    monkeypatch.setattr(postcodes_io_client, "KEEPALIVE_SECONDS", 0.5)
    provider = postcodes_io()
    ask(provider, *[(PALACE[0] + n / 1e6, PALACE[1]) for n in range(200)])
    time.sleep(1.5)
    ask(provider, PALACE)
    first, second, third = [call.port for call in upstream.calls]
    assert first == second != third


def test_waiting_for_other_lookups_counts_towards_the_deadline(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.latency(1.5)
    provider = postcodes_io(max_concurrency=1)
    other = threading.Thread(target=ask, args=(provider, CASTLE))
    other.start()
    try:
        while not upstream.calls:
            time.sleep(0.01)
        started = time.monotonic()
        with pytest.raises(ProviderUnavailableError):
            ask(provider, PALACE, seconds=0.2)
        assert time.monotonic() - started < 1
    finally:
        other.join()


def test_a_lookup_does_not_wait_for_an_attempt_that_would_be_too_late(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    upstream.always = fake.status(503, retry_after="60")
    started = time.monotonic()
    with pytest.raises(ProviderUnavailableError) as caught:
        ask(postcodes_io(), PALACE, seconds=30)
    assert time.monotonic() - started < 5
    assert caught.value.retry_after == 60
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_silences_every_lookup_of_the_process(
    postcodes_io: Make, upstream: FakePostcodesIo, code: int
) -> None:
    upstream.faults = [fake.status(code, retry_after="1")]
    answers = ask(postcodes_io(), *[(PALACE[0] + n / 1e6, PALACE[1]) for n in range(900)])
    assert {answer.postcode for answer in answers} == {"SW1A 1AA"}
    times = [call.at for call in upstream.calls]
    refused_at, others = times[0], times[1:]
    # Those that were already on their way when the refusal came are no breach.
    assert all(at - refused_at < 0.2 or at - refused_at >= 0.95 for at in others)
    assert sum(at - refused_at >= 0.95 for at in others) >= 5


def test_a_pause_beyond_the_deadline_is_answered_at_once_without_a_call(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    provider = postcodes_io()
    upstream.faults = [fake.status(429, retry_after="3600")]
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(ProviderUnavailableError) as caught:
            ask(provider, PALACE)
        assert time.monotonic() - started < 5
        assert caught.value.retry_after == pytest.approx(3_600, abs=10)
    assert len(upstream.calls) == 1


def test_retry_after_may_be_a_date(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.status(503, retry_after="Fri, 01 Jan 2100 00:00:00 GMT")]
    with pytest.raises(ProviderUnavailableError) as caught:
        ask(postcodes_io(), PALACE)
    assert caught.value.retry_after
    assert caught.value.retry_after > 3_600


@pytest.mark.parametrize("header", ["soon", "-5", "Fri, 99 Jan 2100", "9" * 400])
def test_a_retry_after_that_cannot_be_read_is_ignored(
    postcodes_io: Make, upstream: FakePostcodesIo, header: str
) -> None:
    upstream.faults = [fake.status(503, retry_after=header)]
    assert ask(postcodes_io(), PALACE)[0].postcode == "SW1A 1AA"


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_calls_are_made_at_once_than_allowed(postcodes_io: Make, upstream: FakePostcodesIo, limit: int) -> None:
    upstream.always = fake.latency(0.02)
    ask(postcodes_io(max_concurrency=limit), *[(PALACE[0] + n / 1e6, PALACE[1]) for n in range(1_000)])
    assert upstream.most_at_once == limit
