"""A location that postcodes.io refuses costs nobody else the answer; an outage is never taken for one."""

from collections.abc import Callable

import pytest
from tests.asking import ask
from tests.fake_postcodes_io import PALACE, FakePostcodesIo

from lookups.errors import ProviderUnavailableError
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

Make = Callable[..., PostcodesIo]

PLACES = [(PALACE[0] + n / 1e6, PALACE[1]) for n in range(1, 101)]


@pytest.mark.parametrize("code", [400, 413, 500])
@pytest.mark.parametrize("index", [0, 37, 99])
def test_only_the_poisonous_location_fails(
    postcodes_io: Make, upstream: FakePostcodesIo, code: int, index: int
) -> None:
    upstream.poison = {PLACES[index]: code}
    answers = ask(postcodes_io(), *PLACES)
    assert [n for n, answer in enumerate(answers) if answer.status != "match"] == [index]
    assert (answers[index].status, answers[index].reason) == ("failed", "upstream_rejected")
    assert len(upstream.calls) < 25


def test_several_poisonous_locations_fail_alone(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    poisonous = {3, 4, 50, 98}
    upstream.poison = {PLACES[n]: 500 for n in poisonous}
    answers = ask(postcodes_io(), *PLACES)
    assert {n for n, answer in enumerate(answers) if answer.status == "failed"} == poisonous
    assert sum(answer.status == "match" for answer in answers) == 96


def test_a_poisonous_location_is_not_asked_in_wider_steps(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.poison = {PLACES[0]: 400}
    (answer,) = ask(postcodes_io(), PLACES[0], max_distance=20_000)
    assert answer.status == "failed"
    assert {call.search for call in upstream.calls} == {100}


def test_a_500_that_passes_is_asked_once_more_and_not_halved(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.status(500)]
    assert {answer.status for answer in ask(postcodes_io(), *PLACES)} == {"match"}
    assert [len(call.geolocations) for call in upstream.calls] == [100, 100]


def test_a_location_that_is_asked_alone_is_not_failed_for_a_few_500s(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    upstream.faults = [fake.status(500)] * 4
    (answer,) = ask(postcodes_io(), PLACES[0])
    assert answer.status == "match"


@pytest.mark.parametrize("code", [400, 413, 500])
def test_an_outage_made_of_refusals_never_fails_a_location(
    postcodes_io: Make, upstream: FakePostcodesIo, code: int
) -> None:
    upstream.always = fake.status(code)
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(), *PLACES)
    assert len(upstream.calls) <= 3


def test_an_outage_that_begins_while_halving_never_fails_a_location(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    async def answer(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        return fake.web.json_response({"status": 200, "result": fake.answers(asked)})

    # Refused twice, then the control question is answered: the halving begins, and the server breaks.
    upstream.faults = [fake.status(500), fake.status(500), answer]
    upstream.always = fake.status(500)
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(), *PLACES)
    assert len(upstream.calls) < 15


def test_an_outage_of_one_kind_of_search_never_fails_a_location(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    async def wide_is_broken(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        if asked[0].get("widesearch"):
            return await fake.status(500)(request, asked)
        return fake.web.json_response({"status": 200, "result": fake.answers(asked)})

    upstream.always = wide_is_broken
    with pytest.raises(ProviderUnavailableError):
        ask(postcodes_io(), fake.NORTH_SEA, max_distance=20_000)
