"""What can be made to go wrong with the fake, and what it counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from postcodes_io import Postcode, RunningPostcodesIo, running_postcodes_io

A, B = {"longitude": -1.0, "latitude": 52.0}, {"longitude": -2.0, "latitude": 53.0}


@pytest.fixture
def upstream() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io([Postcode("TW1 1AA", 52.0, -1.0), Postcode("TW2 2BB", 53.0, -2.0)]) as running:
        yield running


def bulk(upstream: RunningPostcodesIo, *locations: dict[str, Any], read_timeout: float = 5) -> requests.Response:
    return requests.post(
        f"{upstream.url}/postcodes?limit=1", json={"geolocations": list(locations)}, timeout=(5, read_timeout)
    )


def longitudes(response: requests.Response) -> list[float]:
    return [item["query"]["longitude"] for item in response.json()["result"]]


def test_a_status_with_retry_after_for_so_many_calls(upstream: RunningPostcodesIo) -> None:
    upstream.fail(status=429, retry_after=7, times=2)
    answers = [bulk(upstream, A) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert "Retry-After" not in answers[2].headers


def test_a_share_of_the_calls_fails_and_the_seed_says_which(upstream: RunningPostcodesIo) -> None:
    def statuses() -> list[int]:
        upstream.fail(status=503, share=0.5, seed=3)
        return [bulk(upstream, A).status_code for _ in range(20)]

    first = statuses()
    assert {200, 503} == set(first)
    assert statuses() == first


def test_calls_above_what_a_second_allows_are_refused(upstream: RunningPostcodesIo) -> None:
    upstream.fail(calls_per_second=3, retry_after=1)
    started = time.monotonic()
    answers = [bulk(upstream, A) for _ in range(5)]
    assert time.monotonic() - started < 1
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].headers["Retry-After"] == "1"
    assert upstream.stats["refused"] == 2
    time.sleep(1)
    assert bulk(upstream, A).status_code == 200


def test_mixed_faults_are_of_all_kinds(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="mixed", seed=1)
    seen = set()
    for _ in range(60):
        try:
            # Not read: some bodies have no end.
            with requests.post(
                f"{upstream.url}/postcodes", json={"geolocations": [A, B]}, timeout=(5, 0.2), stream=True
            ) as answer:
                seen.add(f"{answer.status_code} {answer.headers.get('Content-Type')}")
        except requests.RequestException as error:
            seen.add(type(error).__name__)
    assert {status[:3] for status in seen} >= {"200", "429", "502", "503"}
    assert {"ReadTimeout", "ConnectionError", "200 text/html; charset=utf-8"} < seen


def test_a_short_and_a_reordered_answer(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="short")
    assert longitudes(bulk(upstream, A, B)) == [-1.0]
    upstream.fail(kind="reordered")
    assert longitudes(bulk(upstream, A, B)) == [-2.0, -1.0]


def test_html_with_200(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="garbage")
    answer = bulk(upstream, A)
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize("kind", ["half_closed", "reset"])
def test_a_connection_that_breaks(upstream: RunningPostcodesIo, kind: str) -> None:
    upstream.fail(kind=kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        bulk(upstream, A)
    upstream.recover()
    assert bulk(upstream, A).status_code == 200


def test_a_hanging_answer(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="hang")
    with pytest.raises(requests.Timeout):
        bulk(upstream, A, read_timeout=0.2)


def test_a_dripping_answer_outlasts_a_read_timeout(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="drip", interval_ms=20)
    begun = time.monotonic()
    with requests.post(f"{upstream.url}/postcodes", json={"geolocations": [A]}, timeout=0.5, stream=True) as answer:
        received = next(answer.iter_content(40))
    assert len(received) == 40
    assert time.monotonic() - begun > 0.5


def test_an_endless_answer(upstream: RunningPostcodesIo) -> None:
    upstream.fail(kind="endless")
    with requests.post(f"{upstream.url}/postcodes", json={"geolocations": [A]}, timeout=5, stream=True) as answer:
        pieces = answer.iter_content(1_000_000)
        assert sum(len(next(pieces)) for _ in range(200)) > 1_000_000


def test_a_poisonous_location_fails_every_batch_it_is_in(upstream: RunningPostcodesIo) -> None:
    upstream.fail(poison=((53.0, -2.0),))
    assert [bulk(upstream, *asked).status_code for asked in ((A, B), (A,), (B,))] == [500, 200, 500]


def test_latency_delays_every_call() -> None:
    with running_postcodes_io([], latency_ms=120) as upstream:
        begun = time.monotonic()
        assert bulk(upstream, A).json()["result"][0]["result"] is None
        assert time.monotonic() - begun >= 0.12


def test_it_counts_calls_locations_and_what_was_asked_again_though_answered(upstream: RunningPostcodesIo) -> None:
    bulk(upstream, A, B)
    bulk(upstream, A, {**B, "radius": 2000})
    upstream.fail(status=503, times=1)
    bulk(upstream, {**A, "widesearch": True})
    bulk(upstream, {**A, "widesearch": True})
    expected = {"calls": 4, "locations": 6, "repeats": 1, "faulted": 1, "refused": 0, "in_flight_peak": 1}
    assert upstream.stats == expected
    assert requests.get(f"{upstream.url}/_control/stats", timeout=5).json() == expected
    upstream.reset()
    assert upstream.stats["calls"] == 0


def test_it_keeps_the_calls_for_a_test_to_look_at(upstream: RunningPostcodesIo) -> None:
    requests.post(f"{upstream.url}/postcodes?limit=1", json={}, headers={"User-Agent": "me"}, timeout=5)
    (call,) = upstream.calls
    assert (call.method, call.path, call.query, call.body) == ("POST", "/postcodes", {"limit": "1"}, b"{}")
    assert call.headers["User-Agent"] == "me"
    assert abs(call.at - time.time()) < 60


def test_the_controls_over_http(upstream: RunningPostcodesIo) -> None:
    def control(what: str, **json: Any) -> int:
        return requests.post(f"{upstream.url}/_control/{what}", json=json, timeout=5).status_code

    assert control("faults", status=503, retry_after=5, latency_ms=1, share=1, poison=[[1, 2]], seed=1) == 200
    assert bulk(upstream, A).status_code == 503
    assert control("faults", bogus=1) == 400
    assert control("faults", kind="bogus") == 400
    assert control("faults", status=None) == 200
    assert bulk(upstream, A).status_code == 200
    assert len(requests.get(f"{upstream.url}/_control/calls", timeout=5).json()) == 2
    assert control("reset") == 200
    assert requests.get(f"{upstream.url}/_control/stats", timeout=5).json()["calls"] == 0
