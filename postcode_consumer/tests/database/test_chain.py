"""Several providers, one after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.calls import PATH
from tests.fake_postcodes_io import CASTLE, NORTH_SEA, PALACE, FakePostcodesIo
from tests.index_files import plain

from lookups.answers import Location
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.index.build import build
from lookups.memory.remembering import Remembering
from lookups.providers.chain import Chain
from lookups.providers.local import Local
from lookups.providers.postcodes_io.search import PostcodesIo

pytestmark = pytest.mark.django_db(transaction=True)
LARNE = (54.8578, -5.8236)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """It knows the palace, and a place in Scotland from which Larne is 14 km away."""
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", *PALACE), ("KA1 1AA", 54.8578, -5.60)]), tmp_path / "index")
    return Local(tmp_path / "index")


def test_only_what_the_first_does_not_know_is_asked_of_the_next(
    local: Local, remembering: Callable[..., Remembering], upstream: FakePostcodesIo
) -> None:
    chain = Chain([local, remembering()])
    locations = [Location(*place) for place in (CASTLE, PALACE, LARNE, NORTH_SEA, PALACE)]
    answers = chain.reverse_geocode(locations, 2_000, Deadline(10))
    assert [(answer.postcode, answer.provider) for answer in answers] == [
        ("EH1 2NG", "postcodes_io"),
        ("SW1A 1AA", "local"),
        (None, "postcodes_io"),
        (None, "postcodes_io"),
        ("SW1A 1AA", "local"),
    ]
    assert sorted(upstream.calls[0].places) == sorted([CASTLE, LARNE, NORTH_SEA])


def test_northern_ireland_is_asked_upstream_when_the_index_does_not_have_it(
    local: Local, remembering: Callable[..., Remembering], upstream: FakePostcodesIo
) -> None:
    Chain([local, remembering()]).reverse_geocode([Location(*LARNE)], 20_000, Deadline(10))
    assert upstream.calls[0].places == [LARNE]


def test_nobody_is_asked_when_the_first_knows_all(local: Local, upstream: FakePostcodesIo) -> None:
    chain = Chain([local, PostcodesIo])  # type: ignore[list-item] # would fail if it were asked
    assert chain.reverse_geocode([Location(*PALACE)], 100, Deadline(5))[0].postcode == "SW1A 1AA"
    assert chain.reverse_geocode([], 100, Deadline(5)) == []


def test_an_outage_of_the_last_is_never_no_match(
    local: Local, remembering: Callable[..., Remembering], upstream: FakePostcodesIo
) -> None:
    upstream.stop()
    try:
        with pytest.raises(ProviderUnavailableError):
            Chain([local, remembering()]).reverse_geocode([Location(*PALACE), Location(*CASTLE)], 100, Deadline(1))
    finally:
        upstream.start()


def test_a_missing_index_does_not_send_everything_upstream(
    tmp_path: Path, remembering: Callable[..., Remembering], upstream: FakePostcodesIo
) -> None:
    chain = Chain([Local(tmp_path), remembering()])
    with pytest.raises(ProviderUnavailableError, match="no index"):
        chain.reverse_geocode([Location(*PALACE)], 100, Deadline(1))
    assert upstream.calls == []


def test_the_service_uses_the_chain_that_its_settings_name(
    call: Callable[..., Any],
    service_provider: Callable[..., None],
    upstream: FakePostcodesIo,
    local: Local,
    tmp_path: Path,
) -> None:
    service_provider(
        PROVIDER="local,sandbox,postcodes_io",
        LOCAL_INDEX=tmp_path / "index",
        POSTCODES_IO_URL=upstream.url,
        POSTCODES_IO_CALLS_PER_SECOND=0,
    )
    places = [PALACE, CASTLE, (CASTLE[0] - 0.05, CASTLE[1]), (0.0, 0.0)]
    body = {"locations": [{"latitude": latitude, "longitude": longitude} for latitude, longitude in places]}
    results = call("POST", PATH, body).json()["results"]
    assert [(result["postcode"], result["provider"]) for result in results] == [
        ("SW1A 1AA", "local"),
        ("EH1 2NG", "sandbox"),
        ("EH1 5AA", "postcodes_io"),
        (None, "local,sandbox,postcodes_io"),
    ]
