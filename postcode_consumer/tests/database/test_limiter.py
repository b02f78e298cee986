"""The limit that all processes share, wherever it is kept."""

import asyncio
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from msgspec.structs import replace
from tests.asking import ask
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.redis_server import running_redis

from lookups.deadline import Deadline
from lookups.errors import DeadlineExceededError, LimiterFailedError, ProviderUnavailableError
from lookups.politeness import limiter
from lookups.politeness.limiter import Open, Probing, Reservation, Reserved, State, TooLate
from lookups.politeness.limiter_stores import DatabaseStore, MemoryStore, RedisStore, Store
from lookups.politeness.turns import Politeness
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., PostcodesIo]
MakeStore = Callable[[str], Store]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_redis() as url:
        yield url


@pytest.fixture(params=["memory", "database", "redis"])
def make_store(request: pytest.FixtureRequest) -> Iterator[MakeStore]:
    """Makes stores by name: two of one name share one state, as two processes do. The database is the suite's."""
    made: dict[str, Store] = {}
    run = uuid.uuid4().hex

    def make(name: str) -> Store:
        if request.param == "memory":
            return made.setdefault(name, MemoryStore())
        if request.param == "database":
            return DatabaseStore(name=name)
        return made.setdefault(
            f"{name} {len(made)}", RedisStore(request.getfixturevalue("redis_url"), name=f"{run} {name}")
        )

    yield make
    for store in made.values():
        store.close()


class Caller:
    """A caller of the limiter, with the values that the tests do not care for."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def reserve(self, interval: float = 1.0, longest_wait: float = 1_000.0, lead: float = 0.0) -> Reservation:
        return self.store.update(
            lambda state, now: limiter.reserve(
                state, now, interval=interval, lead=lead, longest_wait=longest_wait, probe_seconds=10.0
            )
        )

    def wait(self, **values: float) -> float:
        """Seconds until the call; the reservation must be granted."""
        reservation = self.reserve(**values)
        assert isinstance(reservation, Reserved), reservation
        return reservation.wait

    def pause(self, seconds: float) -> None:
        self.change(limiter.pause, seconds=seconds)

    def open_breaker(self, *, after_probe: bool = False) -> None:
        self.change(limiter.open_breaker, after_probe=after_probe)

    def close_breaker(self) -> None:
        self.change(limiter.close_breaker, interval=1.0)

    def is_silent(self) -> bool:
        return limiter.is_silent(*self.store.read())

    def change(self, change: Callable[..., State], **values: Any) -> None:
        self.store.update(lambda state, now: (change(state, now, **values), None))

    def time_passes(self, seconds: float) -> None:
        """All that is remembered is that much older."""
        self.change(
            lambda state, now: replace(
                state,
                free_at=state.free_at - seconds,
                paused_until=state.paused_until - seconds,
                seen_at=state.seen_at - seconds,
                probe_until=state.probe_until - seconds,
            )
        )


@pytest.fixture
def caller(make_store: MakeStore) -> Caller:
    return Caller(make_store("test"))


def test_the_first_call_need_not_wait_and_the_others_follow_at_the_interval(caller: Caller) -> None:
    assert [caller.wait() for _ in range(4)] == pytest.approx([0, 1, 2, 3], abs=0.5)


def test_reservations_of_many_processes_are_spaced_by_the_interval(make_store: MakeStore, caller: Caller) -> None:
    if isinstance(caller.store, MemoryStore):
        pytest.skip("is one process's alone")
    interval, moments, lock = 0.01, list[float](), threading.Lock()
    stores = [make_store("test") for _ in range(4)]

    def change(state: State, now: float) -> tuple[State, float]:
        values = {"interval": interval, "lead": 0.0, "longest_wait": 1_000.0, "probe_seconds": 10.0}
        state, reservation = limiter.reserve(state, now, **values)
        return state, now + reservation.wait

    def work(store: Store) -> None:
        try:
            for _ in range(25):
                moment = store.update(change)
                with lock:
                    moments.append(moment)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    moments.sort()
    assert len(moments) == 100
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(gaps) > interval * 0.999 - 1e-5


def test_a_time_that_nobody_used_is_not_made_up_for(caller: Caller) -> None:
    caller.wait()
    caller.time_passes(100)
    assert [caller.wait(), caller.wait()] == pytest.approx([0, 1], abs=0.5)


def test_a_wait_that_is_too_long_reserves_nothing(caller: Caller) -> None:
    caller.wait()
    assert {type(caller.reserve(longest_wait=0.1)) for _ in range(50)} == {TooLate}
    assert caller.wait() == pytest.approx(1, abs=0.5)


def test_who_needs_time_to_get_ready_gets_a_later_moment(caller: Caller) -> None:
    assert caller.wait(lead=0.5) == pytest.approx(0.5)
    assert caller.wait() == pytest.approx(1.5, abs=0.4)


def test_a_pause_holds_for_all_who_reserve_after_it(make_store: MakeStore, caller: Caller) -> None:
    caller.pause(30)
    assert Caller(make_store("test")).wait() == pytest.approx(30, abs=1)
    assert caller.is_silent()
    caller.time_passes(31)
    assert not caller.is_silent()


def test_a_pause_is_never_shortened(caller: Caller) -> None:
    caller.pause(30)
    caller.pause(1)
    assert caller.wait() == pytest.approx(30, abs=1)


def test_providers_do_not_wait_for_each_other(make_store: MakeStore, caller: Caller) -> None:
    Caller(make_store("another")).pause(30)
    assert caller.wait() == 0


def test_an_open_breaker_silences_all(make_store: MakeStore, caller: Caller) -> None:
    caller.open_breaker()
    refused = Caller(make_store("test")).reserve()
    assert isinstance(refused, Open)
    assert 0 < refused.wait <= limiter.FIRST_SILENCE
    assert caller.is_silent()


def test_after_the_silence_there_is_one_probe_at_a_time(make_store: MakeStore, caller: Caller) -> None:
    caller.open_breaker()
    caller.time_passes(limiter.FIRST_SILENCE)
    assert caller.reserve() == Reserved(0.0, is_probe=True)
    others = [Caller(make_store("test")).reserve() for _ in range(5)]
    assert {type(other) for other in others} == {Probing}
    # The process that probed has died.
    caller.time_passes(11)
    assert caller.reserve() == Reserved(0.0, is_probe=True)


def test_each_failed_probe_is_followed_by_a_longer_silence_up_to_the_longest(caller: Caller) -> None:
    caller.open_breaker()
    silences = []
    for _ in range(6):
        caller.time_passes(limiter.LONGEST_SILENCE)
        assert caller.reserve() == Reserved(0.0, is_probe=True)
        caller.open_breaker(after_probe=True)
        refused = caller.reserve()
        assert isinstance(refused, Open)
        silences.append(refused.wait)
    longest = [min(limiter.FIRST_SILENCE * 2**n, limiter.LONGEST_SILENCE) for n in range(1, 7)]
    # Each is drawn from the upper half, so that no two installations probe in step.
    assert all(most * 0.4 < silence <= most for silence, most in zip(silences, longest, strict=True))


def test_what_was_sent_before_the_breaker_opened_does_not_lengthen_its_silence(caller: Caller) -> None:
    caller.open_breaker()
    caller.time_passes(limiter.FIRST_SILENCE)
    caller.open_breaker()
    assert caller.reserve() == Reserved(0.0, is_probe=True)


def test_an_answered_probe_closes_the_breaker(caller: Caller) -> None:
    caller.open_breaker()
    caller.time_passes(limiter.FIRST_SILENCE)
    caller.reserve()
    caller.close_breaker()
    assert not caller.is_silent()
    assert [caller.wait(), caller.wait()] == pytest.approx([1, 2], abs=0.5)


def test_a_pause_outlasts_the_silence_of_the_breaker(caller: Caller) -> None:
    caller.open_breaker()
    caller.pause(30)
    caller.time_passes(10)
    refused = caller.reserve()
    assert isinstance(refused, Open)
    assert refused.wait == pytest.approx(20, abs=1)


def test_a_clock_that_was_set_back_an_hour_does_not_silence_the_service(caller: Caller) -> None:
    caller.pause(30)
    caller.open_breaker()
    caller.reserve()
    caller.time_passes(-3_600)
    assert not caller.is_silent()
    assert caller.wait(longest_wait=1) == pytest.approx(0, abs=0.1)


def test_a_pause_after_the_clock_was_set_back_is_no_longer_than_asked_for(caller: Caller) -> None:
    caller.wait()
    caller.time_passes(-3_600)
    caller.pause(30)
    assert caller.wait() == pytest.approx(30, abs=1)


def test_a_redis_that_is_away_is_told_soon_and_nobody_calls(tmp_path: Path) -> None:
    with running_redis(own=True) as url:
        store = RedisStore(url, name="test")
        assert Caller(store).wait() == 0
    started = time.monotonic()
    with pytest.raises(LimiterFailedError, match="Redis"):
        Caller(store).reserve()
    with pytest.raises(LimiterFailedError, match="Redis"):
        store.read()
    assert time.monotonic() - started < 10
    store.close()


def test_without_its_redis_the_service_does_not_call_at_any_rate(
    postcodes_io: Make, upstream: FakePostcodesIo, settings: Any
) -> None:
    with running_redis(own=True) as url:
        settings.CACHE_URL = url
        provider = postcodes_io(calls_per_second=10)
        assert ask(provider, PALACE)[0].postcode == "SW1A 1AA"
    upstream.calls.clear()
    with pytest.raises(ProviderUnavailableError, match="Redis"):
        ask(provider, PALACE)
    assert upstream.calls == []


def test_without_its_database_the_service_does_not_call_at_any_rate(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("lookups", None)])
    try:
        with pytest.raises(ProviderUnavailableError, match="database"):
            ask(postcodes_io(calls_per_second=10), PALACE)
    finally:
        executor.loader.build_graph()
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert upstream.calls == []


def test_calls_of_two_processes_keep_the_common_rate(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    """Two providers have two threads, two loops and two connections, as two processes have."""
    providers = [postcodes_io(calls_per_second=20) for _ in range(2)]
    places = [(PALACE[0] + n / 1e6, PALACE[1]) for n in range(600)]
    threads = [threading.Thread(target=ask, args=(provider, *places)) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(call.at for call in upstream.calls)
    assert len(times) == 12
    # A call arrives a little later than it was sent, so single gaps say less than all of them.
    assert times[-1] - times[0] > 11 / 20 * 0.7


def test_retry_after_silences_the_other_process_even_in_the_middle_of_its_wait(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    async def refused_when_both_have_their_moments(
        request: fake.web.Request, asked: list[fake.Item]
    ) -> fake.web.StreamResponse:
        await asyncio.sleep(0.2)
        return await fake.status(429, retry_after="1")(request, asked)

    upstream.faults = [refused_when_both_have_their_moments]
    providers = [postcodes_io(calls_per_second=3) for _ in range(2)]
    threads = [threading.Thread(target=ask, args=(provider, PALACE)) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, *others = sorted(call.at for call in upstream.calls)
    assert len(others) == 2
    assert all(at - first >= 0.95 for at in others)


def test_a_turn_that_comes_after_the_deadline_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookups.politeness.shared_limiter.LATENESS", 60.0)  # however busy the machine is

    async def scenario() -> float | None:
        politeness = Politeness(name="test", calls_per_second=0.01, max_concurrency=1)
        try:
            async with politeness.turn(Deadline(5)):
                pass
            with pytest.raises(DeadlineExceededError) as caught:
                async with politeness.turn(Deadline(5)):
                    pass
            return caught.value.retry_after
        finally:
            await politeness.close()

    started = time.monotonic()
    assert asyncio.run(scenario()) == pytest.approx(105, abs=2)
    assert time.monotonic() - started < 2
