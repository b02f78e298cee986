"""How much is asked at once and again, and when nobody is asked: what is learnt from how the calls end."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from tests.asking import ask, break_it, places_near_the_palace
from tests.fake_postcodes_io import PALACE, FakePostcodesIo

from lookups.deadline import Deadline
from lookups.errors import (
    CallFailedError,
    CrashedError,
    DeadlineExceededError,
    LimiterFailedError,
    OverloadedError,
    ProviderUnavailableError,
    RefusedError,
    UntrustedError,
)
from lookups.politeness.limiter_stores import Change, MemoryStore
from lookups.politeness.retry import ask_again
from lookups.politeness.retry_budget import RetryBudget
from lookups.politeness.shared_limiter import LATENESS, SharedLimiter
from lookups.politeness.slots import Slots
from lookups.politeness.turns import FAILURES_IN_A_ROW, Politeness
from lookups.providers.postcodes_io.search import PostcodesIo
from tests import fake_postcodes_io as fake

Make = Callable[..., PostcodesIo]


# --- Calls at once ---------------------------------------------------------------------------------------------------
def test_the_first_call_is_made_alone(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.latency(0.2)
    ask(postcodes_io(max_concurrency=0), *places_near_the_palace(400))
    first, second, *_ = sorted(call.at for call in upstream.calls)
    assert second - first >= 0.2
    assert upstream.most_at_once > 1


@pytest.mark.slow
def test_a_server_that_takes_two_calls_at_once_refuses_few(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    refused = 0

    async def takes_two(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        nonlocal refused
        if upstream.at_once > 2:
            refused += 1
            return await fake.status(429)(request, asked)
        return await fake.latency(0.002)(request, asked)

    upstream.always = takes_two
    provider = postcodes_io(max_concurrency=16)
    for number in range(50):
        ask(provider, *places_near_the_palace(1_000, after=number * 1_000))
    assert len(upstream.calls) >= 500
    assert refused / len(upstream.calls) <= 0.02


def test_a_server_that_takes_fewer_calls_at_once_than_allowed_fails_none_of_them() -> None:
    """Neither does the breaker open, nor is the reserve of retries used up."""
    at_once = refused = 0

    async def call(politeness: Politeness) -> None:
        nonlocal at_once, refused
        async with politeness.turn(Deadline(60)):
            at_once += 1
            try:
                await asyncio.sleep(0)
                if at_once > 17:
                    refused += 1
                    raise OverloadedError("too many")
                await asyncio.sleep(0.01)
            finally:
                at_once -= 1

    async def scenario() -> None:
        politeness = Politeness(name="test", calls_per_second=0, max_concurrency=64)
        again = partial(ask_again, deadline=Deadline(60), attempts=5, crash_attempts=1, first_backoff=0.01)
        await asyncio.gather(*[again(lambda: call(politeness)) for _ in range(300)])
        await politeness.close()

    asyncio.run(scenario())
    assert 0 < refused < FAILURES_IN_A_ROW


def test_only_a_server_without_a_rate_is_tried_with_several_more_calls_at_a_time() -> None:
    async def free_after(rounds: int, step: int) -> int:
        slots = Slots(20, step=step)
        for _ in range(rounds):
            for _ in range(await free_slots(slots)):
                slots.grow()
        return await free_slots(slots)

    assert [asyncio.run(free_after(rounds, 1)) for rounds in range(5)] == [1, 2, 3, 4, 5]
    assert [asyncio.run(free_after(rounds, 4)) for rounds in range(8)] == [1, 2, 4, 8, 12, 16, 20, 20]


def test_calls_that_are_refused_in_one_moment_halve_the_slots_once() -> None:
    async def scenario() -> int:
        slots = Slots(8)
        for _ in range(100):
            slots.grow()
        async with contextlib.AsyncExitStack() as taken:
            seen = [await taken.enter_async_context(slots.slot()) for _ in range(8)]
            for overloads in seen:
                slots.shrink(overloads=overloads)
        return await free_slots(slots)

    assert asyncio.run(scenario()) == 4


def test_slots_never_go_below_one_nor_above_the_ceiling() -> None:
    async def scenario() -> tuple[int, int]:
        slots = Slots(3)
        for overloads in range(10):
            slots.shrink(overloads=overloads)
        # What is to be withdrawn is withdrawn when it comes back.
        await free_slots(slots)
        fewest = await free_slots(slots)
        for _ in range(10_000):
            slots.grow()
        return fewest, await free_slots(slots)

    assert asyncio.run(scenario()) == (1, 3)


async def free_slots(slots: Slots) -> int:
    async with contextlib.AsyncExitStack() as taken:
        for count in range(100):
            try:
                async with asyncio.timeout(0.01):
                    await taken.enter_async_context(slots.slot())
            except TimeoutError:
                return count
    raise AssertionError("there is no limit")


# --- Calls made again ------------------------------------------------------------------------------------------------
def test_retries_are_limited_to_a_share_of_the_answers(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    answered = 0

    async def every_third(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        nonlocal answered
        if len(upstream.calls) % 3:
            return await fake.status(503)(request, asked)
        answered += 1
        return fake.web.json_response({"status": 200, "result": fake.answers(asked)})

    upstream.always = every_third
    provider = postcodes_io(first_backoff=0.001)
    started = time.monotonic()
    lookups = 100
    for place in places_near_the_palace(lookups):
        with contextlib.suppress(ProviderUnavailableError):
            ask(provider, place)
    retries = len(upstream.calls) - lookups
    seconds = time.monotonic() - started
    assert retries <= RetryBudget.RESERVE + answered * RetryBudget.SHARE + seconds * RetryBudget.PER_SECOND
    # That it is no more than the budget allows is not for want of failures.
    assert len(upstream.calls) > lookups


def test_a_spent_budget_comes_back_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RetryBudget()
    spent = sum(budget.spend() for _ in range(100))
    assert RetryBudget.RESERVE <= spent <= RetryBudget.RESERVE + 1
    later = time.monotonic() + 3 / RetryBudget.PER_SECOND
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert 2 <= sum(budget.spend() for _ in range(100)) <= 3


# --- The circuit breaker ---------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("no_silence")
def test_after_an_answered_probe_all_is_as_before(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    provider = postcodes_io()
    break_it(provider, upstream)
    assert {answer.postcode for answer in ask(provider, *places_near_the_palace(500))} == {"SW1A 1AA"}
    assert len(upstream.calls) == 5


@pytest.mark.usefixtures("long_silence")
@pytest.mark.parametrize("code", [400, 413, 500])
def test_refusals_do_not_open_the_breaker(postcodes_io: Make, upstream: FakePostcodesIo, code: int) -> None:
    provider = postcodes_io()
    upstream.always = fake.status(code)
    while len(upstream.calls) < 3 * FAILURES_IN_A_ROW:
        with pytest.raises(ProviderUnavailableError):
            ask(provider, PALACE)
    upstream.always = None
    assert ask(provider, PALACE)[0].postcode == "SW1A 1AA"


@pytest.mark.usefixtures("long_silence")
def test_a_fifth_of_all_calls_that_fails_at_random_does_not_open_the_breaker(
    postcodes_io: Make, upstream: FakePostcodesIo
) -> None:
    upstream.always = fake.share(0.2, fake.status(502), seed=5)
    provider = postcodes_io()
    for number in range(30):
        answers = ask(provider, *places_near_the_palace(1_000, after=number * 1_000))
        assert {answer.postcode for answer in answers} == {"SW1A 1AA"}
    assert len(upstream.calls) > 330


@pytest.mark.usefixtures("long_silence")
def test_callers_in_a_hurry_do_not_open_the_breaker(postcodes_io: Make, upstream: FakePostcodesIo) -> None:
    provider = postcodes_io()
    upstream.always = fake.latency(0.5)
    for _ in range(2 * FAILURES_IN_A_ROW):
        with pytest.raises(ProviderUnavailableError):
            ask(provider, PALACE, seconds=0.02)
    upstream.always = None
    assert ask(provider, PALACE)[0].postcode == "SW1A 1AA"


class Scene:
    """A politeness without a provider: its calls end as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        monkeypatch.setattr("lookups.politeness.turns.MemoryStore", lambda: self.store)
        self.politeness = Politeness(name="test", calls_per_second=0, max_concurrency=1)

    async def call(self, ends_with: BaseException | None = None) -> None:
        async with self.politeness.turn(Deadline(10)):
            if ends_with:
                raise ends_with

    async def open(self) -> None:
        for _ in range(FAILURES_IN_A_ROW):
            with contextlib.suppress(CallFailedError, ProviderUnavailableError):
                await self.call(UntrustedError("no answer"))
        assert self.store.read()[0].silence

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        async def scene() -> None:
            await work
            await self.politeness.close()

        asyncio.run(scene())


@pytest.mark.usefixtures("long_silence")
def test_who_asks_for_silence_is_not_taken_for_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def scenario() -> None:
        for _ in range(2 * FAILURES_IN_A_ROW):
            with pytest.raises(OverloadedError):
                await scene.call(OverloadedError("429", retry_after=0.01))
        await scene.call()

    scene.run(scenario())


@pytest.mark.usefixtures("no_silence")
def test_a_failed_probe_ends_its_lookup_and_lengthens_the_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def scenario() -> None:
        await scene.open()
        before, _ = scene.store.read()
        with pytest.raises(ProviderUnavailableError):
            await scene.call(UntrustedError("no answer"))
        after, _ = scene.store.read()
        assert after.silence == 2 * before.silence
        assert after.probe_until == 0

    scene.run(scenario())


@pytest.mark.usefixtures("no_silence")
def test_a_probe_that_its_caller_gives_up_leaves_the_next_one_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)

    async def scenario() -> None:
        await scene.open()
        with pytest.raises(asyncio.CancelledError):
            await scene.call(asyncio.CancelledError())
        state, _ = scene.store.read()
        assert state.silence
        assert state.probe_until == 0

    scene.run(scenario())


@pytest.mark.usefixtures("no_silence")
@pytest.mark.parametrize("refusal", [RefusedError("400"), CrashedError("500")])
def test_a_probe_that_is_refused_has_found_somebody_who_answers(
    monkeypatch: pytest.MonkeyPatch, refusal: RefusedError
) -> None:
    scene = Scene(monkeypatch)

    async def scenario() -> None:
        await scene.open()
        with pytest.raises(RefusedError):
            await scene.call(refusal)
        assert not scene.store.read()[0].silence

    scene.run(scenario())


class GoingStore(MemoryStore):
    """A store that can go away."""

    there = True

    def update(self, change: Change[Any]) -> Any:
        if not self.there:
            raise LimiterFailedError("gone")
        return super().update(change)


@pytest.mark.usefixtures("no_silence")
def test_an_answer_is_not_lost_because_the_limiter_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = GoingStore()
    scene = Scene(monkeypatch, store)

    async def scenario() -> None:
        await scene.open()
        async with scene.politeness.turn(Deadline(10)):
            store.there = False

    scene.run(scenario())


def test_a_pause_is_kept_here_when_the_limiter_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = GoingStore()
    scene = Scene(monkeypatch, store)

    async def refused() -> None:
        async with scene.politeness.turn(Deadline(10)):
            store.there = False
            raise OverloadedError("429", retry_after=60)

    async def scenario() -> None:
        with pytest.raises(OverloadedError):
            await refused()
        store.there = True
        with pytest.raises(DeadlineExceededError):
            await scene.call()

    scene.run(scenario())


# --- Calls a second --------------------------------------------------------------------------------------------------
def test_in_no_second_there_are_more_calls_than_the_rate_and_one() -> None:
    async def scenario() -> list[float]:
        store = MemoryStore()
        shared = SharedLimiter(store, calls_per_second=40, probe_seconds=10)
        moments = []
        for _ in range(42):
            await shared.wait(Deadline(100))
            moments.append(store.read()[0].free_at)
        await shared.close()
        return moments

    moments = asyncio.run(scenario())
    # The first leaves as late as it may, the last in time.
    assert moments[41] - (moments[0] + LATENESS) >= 1


def test_a_call_that_is_late_for_its_moment_waits_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> float:
        shared = SharedLimiter(MemoryStore(), calls_per_second=10, probe_seconds=10)
        started = time.monotonic()
        await shared.wait(Deadline(10))
        # Somebody else keeps the loop busy when the second call's moment comes.
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.3)
        await shared.wait(Deadline(10))
        await shared.close()
        return time.monotonic() - started

    assert asyncio.run(scenario()) > 0.5
