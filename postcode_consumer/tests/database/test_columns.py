"""Columns from providers with a memory: the same answers as in JSON, from upstream and from what is remembered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from tests.asking import PLACES, north_of
from tests.calls import assert_problem
from tests.columns import question, said_in_columns, said_in_json, send
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, FAIR_ISLE, NORTH_SEA, PALACE, FakePostcodesIo
from tests.index_files import plain

from lookups.index.build import build
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[..., Any]
Choose = Callable[..., None]
#: In the sea, where no provider knows a postcode.
POISON = (55.5, 1.0)
MIXED = [
    *(PALACE, CASTLE, DOWNING_STREET, NORTH_SEA, FAIR_ISLE, POISON, (0.0, 0.0), PALACE),
    *(north_of(place, metres) for place in (PALACE, CASTLE) for metres in (99.9, 100.1, 1_999, 2_001, 5_000, 19_000)),
]


@pytest.fixture(params=["postcodes_io", "local,postcodes_io", "local,sandbox,postcodes_io"])
def provider(
    request: pytest.FixtureRequest, service_provider: Choose, upstream: FakePostcodesIo, tmp_path: Path
) -> str:
    """Has the service use it. The index knows the palace's postcode, in no area that it could name."""
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", PALACE[0] + 0.005, PALACE[1])]), tmp_path / "index")
    use(service_provider, upstream, PROVIDER=request.param, LOCAL_INDEX=tmp_path / "index")
    upstream.poison = {POISON: 400}
    return str(request.param)


def use(service_provider: Choose, upstream: FakePostcodesIo, **more: Any) -> None:
    quick = {"POSTCODES_IO_CALLS_PER_SECOND": 0, "POSTCODES_IO_FIRST_BACKOFF_SECONDS": 0.01}
    service_provider(**{"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url, **quick, **more})


@pytest.mark.parametrize("max_distance", [50.5, 100, 2_000, 20_000])
@pytest.mark.parametrize("is_first", [True, False], ids=["columns first", "json first"])
def test_columns_say_what_json_says(call: Call, provider: str, max_distance: float, is_first: bool) -> None:
    in_turn = (said_in_columns, said_in_json) if is_first else (said_in_json, said_in_columns)
    one, other = (look_up(call, MIXED, max_distance=max_distance) for look_up in in_turn)
    assert one == other
    assert one[5][:2] == ("failed", "upstream_rejected")
    assert one[6][:2] == ("no_match", "outside_uk")


def test_a_postcode_that_two_providers_know_keeps_the_area_of_each(
    call: Call, service_provider: Choose, upstream: FakePostcodesIo, tmp_path: Path
) -> None:
    """Within 100 m, the index has nothing for the palace itself, and upstream has nothing for the place north of it."""
    north = (PALACE[0] + 0.005, PALACE[1])
    build(plain(tmp_path / "places.csv", [("SW1A 1AA", *north)]), tmp_path / "index")
    use(service_provider, upstream, PROVIDER="local,postcodes_io", LOCAL_INDEX=tmp_path / "index")
    said = said_in_columns(call, [PALACE, north], max_distance=100)
    assert [(place[2], place[4]) for place in said] == [("SW1A 1AA", "England"), ("SW1A 1AA", None)]


def test_five_thousand_locations_are_asked_upstream_and_recalled(
    call: Call, service_provider: Choose, upstream: FakePostcodesIo
) -> None:
    use(service_provider, upstream)
    places = [(PALACE[0] + number / 1e7, PALACE[1]) for number in range(5_000)]
    said = said_in_columns(call, places)
    assert {place[2] for place in said} == {"SW1A 1AA"}
    assert sum(len(asked.places) for asked in upstream.calls) == 5_000
    assert said_in_columns(call, places) == said
    assert sum(len(asked.places) for asked in upstream.calls) == 5_000


@pytest.mark.parametrize("postcode", ["SW1A 1AAA", "SW1A 1Ä", "SW1A 1A\0", "SW1A\n1AA", "SW1A 1AA (closed)"])
def test_what_is_no_uk_postcode_is_never_cut_off_to_one(
    call: Call,
    service_provider: Choose,
    upstream: FakePostcodesIo,
    postcode: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(fake, "POSTCODES", [{**fake.POSTCODES[0], "postcode": postcode}])
    use(service_provider, upstream)
    assert_problem(send(call, question([PALACE])), "internal-error", 500)
    assert f"The provider's {postcode!r} is not a UK postcode." in caplog.text
    assert said_in_columns(call, [NORTH_SEA])[0][0] == "no_match"


def test_an_outage_is_never_an_answer(call: Call, service_provider: Choose, upstream: FakePostcodesIo) -> None:
    use(service_provider, upstream)
    upstream.always = fake.status(502)
    response = send(call, question([*PLACES, NORTH_SEA]))
    assert_problem(response, "upstream-unavailable", 503)
    assert int(response.headers["Retry-After"]) > 0


def test_an_answer_that_takes_too_long_is_not_waited_for(
    call: Call, service_provider: Choose, upstream: FakePostcodesIo
) -> None:
    use(service_provider, upstream)
    upstream.always = fake.latency(5)
    assert_problem(send(call, question([PALACE]), {"X-Request-Deadline": "0.2"}), "deadline-exceeded", 504)


def test_without_its_database_the_service_asks_nobody(
    call: Call, service_provider: Choose, upstream: FakePostcodesIo
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("gone")

    use(service_provider, upstream)
    with connection.execute_wrapper(away):
        assert_problem(send(call, question([PALACE])), "database-unavailable", 503)
    assert upstream.calls == []
