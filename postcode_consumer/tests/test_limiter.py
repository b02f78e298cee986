"""The limit that all processes share."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tests.fake_postcodes_io import PALACE, FakePostcodesIo
from tests.test_postcodes_io_steps import ask

from lookups import limiter
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailable
from lookups.models import Limiter
from lookups.politeness import Politeness
from lookups.providers.postcodes_io import PostcodesIo
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., PostcodesIo]


def reserve(interval: float = 1.0, longest_wait: float = 1_000.0) -> float | None:
    reservation = limiter.reserve(name="test", interval=interval, longest_wait=longest_wait)
    return reservation.wait if reservation else None


def test_the_first_call_need_not_wait_and_the_others_follow_at_the_interval() -> None:
    waits = [reserve() for _ in range(4)]
    assert waits == pytest.approx([0, 1, 2, 3], abs=0.5)


def test_reservations_of_many_threads_are_spaced_by_the_interval() -> None:
    interval, moments, lock = 0.01, list[float](), threading.Lock()

    def work() -> None:
        try:
            for _ in range(25):
                reservation = limiter.reserve(name="test", interval=interval, longest_wait=1_000)
                assert reservation
                with lock:
                    moments.append(reservation.made_at + reservation.wait)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    moments.sort()
    assert len(moments) == 100
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert min(gaps) > interval * 0.999 - 1e-5


def test_a_time_that_nobody_used_is_not_made_up_for() -> None:
    reserve()
    Limiter.objects.update(free_at=time.time() - 100, seen_at=time.time() - 100)
    assert [reserve(), reserve()] == pytest.approx([0, 1], abs=0.5)


def test_a_wait_that_is_too_long_reserves_nothing() -> None:
    reserve()
    assert [reserve(longest_wait=0.1) for _ in range(50)] == [None] * 50
    assert reserve() == pytest.approx(1, abs=0.5)


def test_a_pause_holds_for_all_who_reserve_after_it() -> None:
    limiter.pause(name="test", seconds=30)
    assert reserve() == pytest.approx(30, abs=1)
    assert limiter.waits(name="test")[1] == pytest.approx(30, abs=1)


def test_a_pause_is_never_shortened() -> None:
    limiter.pause(name="test", seconds=30)
    limiter.pause(name="test", seconds=1)
    assert reserve() == pytest.approx(30, abs=1)


def test_providers_do_not_wait_for_each_other() -> None:
    limiter.pause(name="another", seconds=30)
    assert reserve() == 0


def set_the_clock_back(seconds: float) -> None:
    row = Limiter.objects.get()
    Limiter.objects.update(
        free_at=row.free_at + seconds, paused_until=row.paused_until + seconds, seen_at=row.seen_at + seconds
    )


def test_a_clock_that_was_set_back_an_hour_does_not_silence_the_service() -> None:
    limiter.pause(name="test", seconds=30)
    reserve()
    set_the_clock_back(3_600)
    assert reserve(longest_wait=1) == pytest.approx(0, abs=0.1)
    assert limiter.waits(name="test")[1] == 0


def test_a_pause_after_the_clock_was_set_back_is_no_longer_than_asked_for() -> None:
    reserve()
    set_the_clock_back(3_600)
    limiter.pause(name="test", seconds=30)
    assert reserve() == pytest.approx(30, abs=1)


def test_without_its_database_the_service_does_not_call_at_any_rate(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("lookups", None)])
    try:
        with pytest.raises(ProviderUnavailable, match="database"):
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
    upstream.faults = [fake.status(429, retry_after="1")]
    providers = [postcodes_io(calls_per_second=3) for _ in range(2)]
    threads = [threading.Thread(target=ask, args=(provider, PALACE)) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, *others = sorted(call.at for call in upstream.calls)
    assert len(others) == 2
    assert all(at - first >= 0.95 for at in others)


def test_a_turn_that_comes_after_the_deadline_is_refused_at_once() -> None:
    async def scenario() -> float | None:
        politeness = Politeness(name="test", calls_per_second=0.01, max_concurrency=1)
        try:
            async with politeness.turn(Deadline(5)):
                pass
            with pytest.raises(ProviderUnavailable) as caught:
                async with politeness.turn(Deadline(5)):
                    pass
            return caught.value.retry_after
        finally:
            await politeness.close()

    started = time.monotonic()
    assert asyncio.run(scenario()) == pytest.approx(100, abs=2)
    assert time.monotonic() - started < 2
