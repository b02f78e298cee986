"""A location is asked upstream once, until it is stale: in one process, with a real upstream and a real database."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from tests.asking import PLACES, north_of, searches, times_asked
from tests.calls import assert_problem
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, FAIR_ISLE, NORTH_SEA, PALACE, FakePostcodesIo
from tests.known import in_threads, wait_until

from lookups.answers import Answer, Location, day_of
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.findings import Finding
from lookups.memory import claims
from lookups.memory import known_locations as memory
from lookups.memory.claims import Claims
from lookups.memory.remembering import Remembering
from lookups.models import Claim, KnownLocation
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400
TTL, TTL_OF_MISSES = 90 * DAY, 30 * DAY

Ask = Callable[..., list[Answer]]


@pytest.fixture
def ask(remembering: Callable[..., Remembering]) -> Ask:
    """`ask(*places, …)`: the answers of one process, which has written by then what it found."""
    provider = remembering(attempts=1, max_concurrency=1, ttl=TTL, ttl_of_misses=TTL_OF_MISSES)

    def look_up(*places: tuple[float, float], max_distance: float = 2_000, seconds: float = 10) -> list[Answer]:
        claimed = Claim.objects.count()
        try:
            return provider.reverse_geocode([Location(*place) for place in places], max_distance, Deadline(seconds))
        finally:
            # In another thread, as a test may have killed the connection of this one.
            in_threads(lambda: wait_until(lambda: Claim.objects.count() <= claimed))

    return look_up


def make_older(days: float) -> None:
    for known in KnownLocation.objects.all():
        KnownLocation.objects.filter(pk=known.pk).update(looked_up_at=known.looked_up_at - int(days * DAY))


# --- Once ------------------------------------------------------------------------------------------------------------
def test_the_second_time_the_same_is_answered_without_a_call(ask: Ask, upstream: FakePostcodesIo) -> None:
    answers = ask(PALACE, NORTH_SEA, CASTLE)
    assert [answer.status for answer in answers] == ["match", "no_match", "match"]
    assert searches(upstream) == [(100, 3), (2_000, 1)]
    make_older(1)
    again = ask(CASTLE, NORTH_SEA, PALACE)
    assert searches(upstream) == []
    assert [(one.latitude, one.status, one.postcode, one.distance_m, one.postcode_details) for one in again] == [
        (one.latitude, one.status, one.postcode, one.distance_m, one.postcode_details) for one in reversed(answers)
    ]
    assert {(first.looked_up_at - later.looked_up_at).days for first, later in zip(answers, again, strict=True)} == {1}


def test_only_what_is_not_known_is_asked(ask: Ask, upstream: FakePostcodesIo) -> None:
    ask(PALACE)
    upstream.calls.clear()
    ask(PALACE, CASTLE)
    assert [call.places for call in upstream.calls] == [[CASTLE]]


def test_a_nearest_postcode_answers_every_distance(ask: Ask, upstream: FakePostcodesIo) -> None:
    place = north_of(PALACE, 80)
    answers = [ask(place, max_distance=distance)[0] for distance in (50, 79.9, 80.1, 2_000, 20_000)]
    assert [answer.status for answer in answers] == ["no_match", "no_match", "match", "match", "match"]
    assert {answer.distance_m for answer in answers[2:]} == {80.0}
    assert searches(upstream) == [(100, 1)]


def test_where_there_is_none_only_the_wider_steps_are_asked(ask: Ask, upstream: FakePostcodesIo) -> None:
    place = north_of(CASTLE, 5_000)
    for distance, asked in ((60, [(100, 1)]), (100, []), (101, [(2_000, 1)]), (2_000, []), (2_001, [("wide", 1)])):
        assert ask(place, max_distance=distance)[0].status == "no_match"
        assert searches(upstream) == asked
    assert ask(place, max_distance=20_000)[0].postcode == "EH1 2NG"
    assert ask(place, max_distance=100)[0].status == "no_match"
    assert searches(upstream) == []


def test_fair_isle_is_found_with_the_memory_in_between(ask: Ask, upstream: FakePostcodesIo) -> None:
    """A wide search does not find it: the step before does, and must not be left out for what is remembered."""
    place = north_of(FAIR_ISLE, 1_500)
    assert ask(place, max_distance=100)[0].status == "no_match"
    assert ask(place, max_distance=20_000)[0].postcode == "ZE2 9JU"
    assert searches(upstream) == [(100, 1), (2_000, 1)]


def test_a_wide_search_that_finds_nothing_is_final(ask: Ask, upstream: FakePostcodesIo) -> None:
    for _ in range(2):
        assert ask(NORTH_SEA, max_distance=20_000)[0].status == "no_match"
    assert searches(upstream) == [(100, 1), (2_000, 1), ("wide", 1)]


def test_a_refused_location_is_asked_again(ask: Ask, upstream: FakePostcodesIo) -> None:
    upstream.poison = {DOWNING_STREET: 400}
    assert [answer.status for answer in ask(DOWNING_STREET, CASTLE)] == ["failed", "match"]
    assert [known.postcode for known in KnownLocation.objects.all()] == ["EH1 2NG"]
    upstream.poison = {}
    upstream.calls.clear()
    assert [answer.status for answer in ask(DOWNING_STREET, CASTLE)] == ["match", "match"]
    assert [call.places for call in upstream.calls] == [[DOWNING_STREET]]


# --- Until it is stale or forgotten ----------------------------------------------------------------------------------
def test_what_is_stale_is_asked_again_misses_earlier(ask: Ask, upstream: FakePostcodesIo) -> None:
    ask(PALACE, NORTH_SEA, max_distance=100)
    searches(upstream)
    make_older(29)
    ask(PALACE, NORTH_SEA, max_distance=100)
    assert searches(upstream) == []
    make_older(2)
    ask(PALACE, NORTH_SEA, max_distance=100)
    assert searches(upstream) == [(100, 1)]
    make_older(60)
    (answer,) = ask(PALACE, max_distance=100)
    assert searches(upstream) == [(100, 1)]
    assert answer.looked_up_at == day_of(time.time())


def test_what_is_forgotten_is_asked_again(ask: Ask, upstream: FakePostcodesIo) -> None:
    ask(PALACE, CASTLE)
    searches(upstream)
    assert memory.forget(KnownLocation.objects.filter(postcode="EH1 2NG")) == 1
    assert [answer.postcode for answer in ask(PALACE, CASTLE)] == ["SW1A 1AA", "EH1 2NG"]
    assert searches(upstream) == [(100, 1)]


def test_what_is_too_old_to_be_used_gives_its_room_away(ask: Ask) -> None:
    memory.remember("postcodes_io", {Location(*NORTH_SEA): Finding(looked_up_at=1_000, searched=100)})
    ask(PALACE)
    wait_until(lambda: [known.postcode for known in KnownLocation.objects.all()] == ["SW1A 1AA"])


# --- Lookups that fail -----------------------------------------------------------------------------------------------
def test_what_upstream_said_before_it_broke_is_remembered(ask: Ask, upstream: FakePostcodesIo) -> None:
    upstream.faults, upstream.always = [fake.latency(0)], fake.status(503)
    with pytest.raises(ProviderUnavailableError):
        ask(*PLACES)
    upstream.always = None
    searches(upstream)
    assert {answer.postcode for answer in ask(*PLACES)} == {"SW1A 1AA"}
    assert searches(upstream) == [(100, 100), (100, 100)]


def test_what_upstream_said_before_the_time_was_over_is_remembered(ask: Ask, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.latency(0), fake.latency(30)]
    with pytest.raises(ProviderUnavailableError):
        ask(*PLACES, seconds=1)
    searches(upstream)
    ask(*PLACES)
    assert searches(upstream) == [(100, 100), (100, 100)]


def test_a_step_without_an_answer_is_remembered_when_the_next_one_fails(ask: Ask, upstream: FakePostcodesIo) -> None:
    upstream.faults = [fake.latency(0), fake.status(503)]
    with pytest.raises(ProviderUnavailableError):
        ask(NORTH_SEA)
    assert ask(NORTH_SEA)[0].status == "no_match"
    assert searches(upstream) == [(100, 1), (2_000, 1), (2_000, 1)]


# --- At the same moment ----------------------------------------------------------------------------------------------
def test_two_lookups_at_once_ask_about_each_location_once(ask: Ask, upstream: FakePostcodesIo) -> None:
    upstream.always = fake.latency(0.1)
    works = [PLACES[:200], PLACES[100:], [*PLACES[50:150], NORTH_SEA], [NORTH_SEA, *PLACES[:10]]]
    answers: list[Answer] = []
    in_threads(*[lambda work=work: answers.extend(ask(*work)) for work in works])
    assert set(times_asked(upstream).values()) == {1}
    assert len(answers) == sum(map(len, works))
    assert {answer.postcode for answer in answers if answer.latitude != NORTH_SEA[0]} == {"SW1A 1AA"}
    assert not Claim.objects.exists()


def test_who_waits_for_a_lookup_that_fails_asks_for_itself(ask: Ask, upstream: FakePostcodesIo) -> None:
    async def slow_refusal(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        await fake.latency(0.5)(request, asked)
        return await fake.status(503)(request, asked)

    upstream.faults = [slow_refusal]
    failed: list[BaseException] = []

    def first() -> None:
        try:
            ask(PALACE)
        except ProviderUnavailableError as error:
            failed.append(error)

    def second() -> None:
        while not upstream.calls:
            time.sleep(0.01)
        assert ask(PALACE)[0].postcode == "SW1A 1AA"

    in_threads(first, second)
    assert len(failed) == 1
    assert searches(upstream) == [(100, 1), (100, 1)]


def test_nobody_waits_for_others_beyond_its_deadline(ask: Ask, upstream: FakePostcodesIo) -> None:
    Claims("postcodes_io").take([Location(*PALACE)])
    started = time.monotonic()
    with pytest.raises(ProviderUnavailableError, match="Another lookup"):
        ask(PALACE, seconds=0.3)
    assert time.monotonic() - started < 5
    assert upstream.calls == []


def test_the_claim_of_a_process_that_died_is_taken_over(
    ask: Ask, upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.5)
    Claims("postcodes_io").take([Location(*PALACE)])
    monkeypatch.undo()
    assert ask(PALACE)[0].postcode == "SW1A 1AA"


def test_what_becomes_known_between_looking_and_claiming_is_not_asked(
    ask: Ask, upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Claims.take

    def late(self: Claims, locations: list[Location]) -> list[Location]:
        searched = Finding(looked_up_at=int(time.time()), searched=2_000)
        memory.remember("postcodes_io", dict.fromkeys(locations, searched))
        return take(self, locations)

    monkeypatch.setattr(Claims, "take", late)
    assert ask(PALACE)[0].status == "no_match"
    assert upstream.calls == []


@pytest.mark.slow
def test_a_long_search_keeps_its_claims(ask: Ask, upstream: FakePostcodesIo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 3)
    upstream.faults = [fake.latency(5)]
    second = threading.Timer(0.5, in_threads, [lambda: ask(PALACE)])
    second.start()
    ask(PALACE)
    second.join()
    assert searches(upstream) == [(100, 1)]


# --- The database fails ----------------------------------------------------------------------------------------------
@contextmanager
def nothing_can_be_kept() -> Iterator[None]:
    """The database refuses to keep a location, as one does whose disk is full."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER full BEFORE INSERT ON lookups_knownlocation BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
            yield
            cursor.execute("DROP TRIGGER full")
            return
        cursor.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute("CREATE TRIGGER full_disk BEFORE INSERT ON lookups_knownlocation EXECUTE FUNCTION full_disk()")
        yield
        cursor.execute("DROP FUNCTION full_disk CASCADE")


@contextmanager
def read_only() -> Iterator[None]:
    """This connection cannot write."""
    sqlite = connection.vendor == "sqlite"
    name = "PRAGMA query_only = {}" if sqlite else "SET default_transaction_read_only = {}"
    with connection.cursor() as cursor:
        cursor.execute(name.format("on"))
        yield
        cursor.execute(name.format("off"))


def test_what_cannot_be_kept_is_answered_nevertheless(
    ask: Ask, upstream: FakePostcodesIo, caplog: pytest.LogCaptureFixture
) -> None:
    with nothing_can_be_kept():
        assert [answer.postcode for answer in ask(PALACE, CASTLE)] == ["SW1A 1AA", "EH1 2NG"]
    assert "what was found could not be kept locations=2" in caplog.text
    assert not Claim.objects.exists()
    searches(upstream)
    ask(PALACE)
    ask(PALACE)
    assert searches(upstream) == [(100, 1)]


def use_the_service(service_provider: Callable[..., None], upstream: FakePostcodesIo) -> None:
    service_provider(PROVIDER="postcodes_io", POSTCODES_IO_URL=upstream.url, POSTCODES_IO_CALLS_PER_SECOND=0)


def url_of(place: tuple[float, float]) -> str:
    return f"/api/v1/reverse-geocode/?latitude={place[0]}&longitude={place[1]}"


def test_with_a_database_that_is_read_only_what_is_known_is_answered_and_nothing_is_asked(
    call: Callable[..., Any], service_provider: Callable[..., None], upstream: FakePostcodesIo
) -> None:
    use_the_service(service_provider, upstream)
    assert call("GET", url_of(PALACE)).json()["postcode"] == "SW1A 1AA"
    wait_until(lambda: not Claim.objects.exists())
    searches(upstream)
    with read_only():
        assert call("GET", url_of(PALACE)).json()["postcode"] == "SW1A 1AA"
        response = call("GET", url_of(CASTLE))
    assert_problem(response, "database-unavailable", 503)
    assert int(response.headers["Retry-After"]) > 0
    assert upstream.calls == []


def test_without_its_memory_the_service_says_so_and_asks_nobody(
    call: Callable[..., Any],
    service_provider: Callable[..., None],
    upstream: FakePostcodesIo,
) -> None:
    def without_table(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        return execute(statement.replace("lookups_knownlocation", "lookups_nowhere"), *rest)

    use_the_service(service_provider, upstream)
    with connection.execute_wrapper(without_table):
        assert_problem(call("GET", url_of(PALACE)), "database-unavailable", 503)
    assert upstream.calls == []


def test_connections_that_die_while_upstream_is_asked_lose_nothing(ask: Ask, upstream: FakePostcodesIo) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection that could die")
    killed: list[int] = []

    def terminate_others() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            killed.extend(pid for pid, _ in cursor.fetchall())
        connection.close()

    async def kill(request: fake.web.Request, asked: list[fake.Item]) -> fake.web.StreamResponse:
        threading.Thread(target=terminate_others).start()
        return await fake.latency(1)(request, asked)

    ask(CASTLE)  # from now on, the thread that writes has a connection
    searches(upstream)
    upstream.faults = [kill]
    assert ask(PALACE)[0].postcode == "SW1A 1AA"
    assert len(killed) >= 2  # this thread's and that one's
    connection.close()  # as Django does before the next request
    searches(upstream)
    ask(PALACE)
    assert searches(upstream) == []
