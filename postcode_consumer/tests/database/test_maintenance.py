"""What is asked again before it is too old, how slowly, and what else is tidied up."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from tests.asking import searches
from tests.fake_postcodes_io import CASTLE, NORTH_SEA, PALACE, FakePostcodesIo
from tests.known import in_threads, wait_until

from lookups.answers import Location
from lookups.deadline import Deadline
from lookups.index.file import NAME, only_build
from lookups.management.jobs import ask_again, remove_builds
from lookups.memory.remembering import Remembering
from lookups.models import Claim, KnownLocation
from lookups.politeness.limiter_stores import MemoryStore
from lookups.politeness.shared_limiter import SharedLimiter
from service_kit.maintenance.models import MaintenanceRun
from service_kit.maintenance.running import maintain
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 86_400
never = lambda: False  # noqa: E731


@pytest.fixture
def ask(remembering: Callable[..., Remembering]) -> Callable[..., None]:
    """Asks about places, and returns when what was found, and what was wanted, is written."""
    provider = remembering(ttl=90 * DAY, ttl_of_misses=30 * DAY)

    def look_up(*places: tuple[float, float]) -> None:
        provider.reverse_geocode([Location(*place) for place in places], 2_000, Deadline(10))
        in_threads(lambda: wait_until(lambda: not Claim.objects.exists()))

    return look_up


@pytest.fixture(autouse=True)
def real_upstream(settings: Any, upstream: FakePostcodesIo) -> None:
    """The settings with which maintenance makes its provider."""
    settings.PROVIDER = "postcodes_io"
    settings.POSTCODES_IO_URL = upstream.url
    settings.POSTCODES_IO_CALLS_PER_SECOND = 100
    settings.CACHE_TTL, settings.CACHE_TTL_MISSES = 90 * DAY, 30 * DAY


def days_pass(days: float) -> None:
    KnownLocation.objects.update(looked_up_at=F("looked_up_at") - int(days * DAY))


def wanted() -> set[tuple[float, float]]:
    return set(KnownLocation.objects.filter(wanted=True).values_list("latitude", "longitude"))


def test_what_somebody_wants_near_its_end_is_asked_again_and_nothing_else(
    ask: Callable[..., None], upstream: FakePostcodesIo
) -> None:
    ask(PALACE, CASTLE, NORTH_SEA)
    days_pass(26)
    ask(PALACE, NORTH_SEA)  # both have more than a tenth of their time
    days_pass(2)
    ask(NORTH_SEA)  # 28 of 30 days
    in_threads(lambda: wait_until(lambda: wanted() == {NORTH_SEA}))
    days_pass(-28 + 29)
    upstream.calls.clear()
    assert ask_again(True, never) == 1
    assert searches(upstream) == []
    assert ask_again(False, never) == 1
    assert searches(upstream) == [(100, 1), (2_000, 1)]  # as far as before
    assert wanted() == set()
    assert KnownLocation.objects.get(latitude=NORTH_SEA[0]).looked_up_at > time.time() - 60
    assert ask_again(False, never) == 0
    assert searches(upstream) == []
    assert KnownLocation.objects.get(latitude=CASTLE[0]).looked_up_at < time.time() - DAY


def test_what_a_lookup_has_asked_again_by_itself_is_wanted_no_more(ask: Callable[..., None]) -> None:
    ask(PALACE)
    KnownLocation.objects.update(wanted=True)
    days_pass(91)
    ask(PALACE)
    assert wanted() == set()


def test_a_tenth_of_the_rate_and_only_when_nobody_waits(
    ask: Callable[..., None], upstream: FakePostcodesIo, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POSTCODES_IO_CALLS_PER_SECOND = 40  # so 4 of these
    monkeypatch.setattr("lookups.memory.remembering.REFRESHED_AT_ONCE", 1)
    places = [(PALACE[0] + number / 1e6, PALACE[1]) for number in range(5)]
    ask(*places)
    KnownLocation.objects.update(wanted=True)
    upstream.calls.clear()
    began = time.monotonic()
    assert ask_again(False, never) == 5
    assert len(upstream.calls) == 5
    assert time.monotonic() - began > 4 * 10 / 40


async def _order_of_turns() -> list[str]:
    store, order = MemoryStore(), list[str]()
    rate = {"calls_per_second": 50.0, "probe_seconds": 1.0}
    front, back = SharedLimiter(store, **rate), SharedLimiter(store, **rate, in_background=True)

    async def take(limiter: SharedLimiter, name: str) -> None:
        await limiter.wait(Deadline(10))
        order.append(name)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(take(front, "front"))
        group.create_task(take(back, "back"))
        await asyncio.sleep(0.1)
        for _ in range(5):
            group.create_task(take(front, "front"))
    return order


def test_whoever_waits_for_a_call_comes_first_also_who_came_later() -> None:
    assert asyncio.run(_order_of_turns()) == ["front"] * 15 + ["back"]


def test_nothing_is_asked_while_upstream_wants_silence(
    ask: Callable[..., None], upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lookups.memory.remembering.REFRESH_SECONDS", 1.0)
    ask(PALACE)
    KnownLocation.objects.update(wanted=True)
    upstream.calls.clear()
    upstream.always = fake.status(429, retry_after="3600")
    assert ask_again(False, never) == 0
    assert len(upstream.calls) == 1
    upstream.always = None
    assert ask_again(False, never) == 0  # the pause lasts
    assert len(upstream.calls) == 1
    assert wanted() == {PALACE}


def test_what_a_build_left_that_died_is_removed_and_not_that_of_one_under_way(tmp_path: Path, settings: Any) -> None:
    settings.LOCAL_INDEX = tmp_path
    left = tmp_path / f"{NAME}.new"
    left.write_bytes(b"half of an index")
    with only_build(tmp_path):
        assert remove_builds(False, never) == 0
    assert remove_builds(True, never) == 1
    assert left.exists()
    assert remove_builds(False, never) == 1
    assert not left.exists()


def test_the_jobs_of_this_service_run(settings: Any, tmp_path: Path) -> None:
    settings.LOCAL_INDEX = tmp_path
    assert [(outcome.job, outcome.error) for outcome in maintain()] == [
        ("known locations again", ""),
        ("unfinished indexes", ""),
        ("old sessions", ""),
    ]
    assert MaintenanceRun.objects.get().ended_at
