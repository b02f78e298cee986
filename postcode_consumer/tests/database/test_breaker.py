"""The circuit breaker that several processes share."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.asking import ask, break_it, places_near_the_palace
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.known import in_threads

from lookups.errors import ProviderUnavailableError
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

Make = Callable[..., PostcodesIo]


@pytest.mark.usefixtures("long_silence")
@pytest.mark.django_db(transaction=True)
def test_when_upstream_is_broken_all_processes_leave_it_alone_and_say_so_at_once(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    first, second = (postcodes_io(calls_per_second=1_000) for _ in range(2))
    break_it(first, upstream)
    for provider in (first, second):
        with pytest.raises(ProviderUnavailableError, match="asked again") as caught:
            ask(provider, PALACE)
        assert caught.value.retry_after
    assert upstream.calls == []


@pytest.mark.usefixtures("no_silence")
@pytest.mark.django_db(transaction=True)
def test_one_probe_goes_first_and_the_others_wait_for_what_comes_of_it(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    providers = [postcodes_io(calls_per_second=1_000) for _ in range(2)]
    break_it(providers[0], upstream)
    upstream.always = fake.latency(0.5)
    answers: list[Any] = []
    lookups = [
        lambda provider=providers[n % 2], place=place: answers.extend(ask(provider, place))
        for n, place in enumerate(places_near_the_palace(6))
    ]
    in_threads(*lookups)
    assert [answer.postcode for answer in answers] == ["SW1A 1AA"] * 6
    probe, *others = sorted(call.at for call in upstream.calls)
    assert len(others) == 5
    assert min(others) - probe >= 0.5
