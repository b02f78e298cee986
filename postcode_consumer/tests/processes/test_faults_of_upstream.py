"""What upstream does to the running service (gunicorn, real sockets); the numbers are those of docs/faults.md."""

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, PALACE, FakePostcodesIo
from tests.redis_server import running_redis
from tests.running import Service, database_url, environment_of, migrate, postcodes, running_service
from tests.wrong_answers import reordered, with_one_more, without_last, wrong_echo

from tests import fake_postcodes_io as fake

QUICK = {"DJANGO_SETTINGS_MODULE": "tests.quick_settings"}
#: Of quick_settings, in seconds.
LOOKUP_DEADLINE = 2.5
#: Of a Retry-After, in seconds.
SILENCE = 1
POSTCODES = ["SW1A 1AA", "EH1 2NG", "SW1A 2AA"]
_numbers = itertools.count(1)


def new_places() -> list[tuple[float, float]]:
    """Where those postcodes are the nearest, and nobody has asked yet."""
    number = next(_numbers)
    return [(place[0] + number / 1e6, place[1]) for place in (PALACE, CASTLE, DOWNING_STREET)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, FakePostcodesIo]]:
    upstream = FakePostcodesIo()
    upstream.start()
    folder = tmp_path_factory.mktemp("service")
    # One process, so that what is earned here is spent here: see `earn_retries`.
    quick = {**QUICK, "POSTCODES_IO_CALLS_PER_SECOND": "0", "POSTCODE_CONSUMER_PROCESSES": "1"}
    environment = environment_of(folder, upstream.url, **quick)
    migrate(environment)
    with running_service(environment, folder / "log") as service:
        yield service, upstream
    upstream.stop()


@pytest.fixture
def upstream(running: tuple[Service, FakePostcodesIo]) -> FakePostcodesIo:
    upstream = running[1]
    upstream.faults, upstream.always, upstream.poison = [], None, {}
    upstream.calls.clear()
    return upstream


@pytest.fixture
def service(running: tuple[Service, FakePostcodesIo]) -> Service:
    return running[0]


def assert_a_fault_is_survived(service: Service, upstream: FakePostcodesIo, fault: fake.Fault) -> None:
    """Once, it is not noticed; for ever, it is an outage, and never an answer."""
    earn_retries(service)
    upstream.calls.clear()
    upstream.faults = [fault]
    assert postcodes(service.bulk(*new_places())) == POSTCODES
    assert len(upstream.calls) == 2
    upstream.always = fault
    started = time.monotonic()
    answer = service.bulk(*new_places())
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/upstream-unavailable")
    assert time.monotonic() - started < LOOKUP_DEADLINE + 2
    # More than one: a call that does not end took its own time, not all that the lookup has.
    assert len(upstream.calls) > 2 + 2
    upstream.always = None
    assert postcodes(service.bulk(*new_places())) == POSTCODES


def earn_retries(service: Service) -> None:
    """Fills the budget that the fault before has emptied: each answer earns half a retry."""
    for _ in range(20):
        service.bulk((PALACE[0] + next(_numbers) / 1e7, PALACE[1]))


def test_fault_11_a_location_on_which_upstream_breaks_fails_alone(service: Service, upstream: FakePostcodesIo) -> None:
    places = [(PALACE[0] + number / 1e6, PALACE[1]) for number in range(100)]
    upstream.poison = {places[37]: 500}
    results = service.bulk(*places).json()["results"]
    assert [index for index, result in enumerate(results) if result["status"] != "match"] == [37]
    assert (results[37]["status"], results[37]["reason"]) == ("failed", "upstream_rejected")


@pytest.mark.django_db(transaction=True)
def test_fault_12_after_a_retry_after_every_process_is_silent_until_then(
    tmp_path: Path, upstream: FakePostcodesIo
) -> None:
    environment = environment_of(tmp_path, upstream.url, POSTCODE_CONSUMER_DATABASE_URL=database_url())
    assert_two_services_are_silent(environment, environment, tmp_path, upstream)


def test_fault_12_the_processes_agree_through_redis_where_there_is_one(
    tmp_path: Path, upstream: FakePostcodesIo
) -> None:
    with running_redis() as url:
        # Each has a database of its own: nothing but Redis is common to them.
        first, second = (environment_of(tmp_path / name, upstream.url, CACHE_URL=url) for name in ("first", "second"))
        for environment in (first, second):
            migrate(environment)
        assert_two_services_are_silent(first, second, tmp_path, upstream)


def assert_two_services_are_silent(
    first_environment: dict[str, str], second_environment: dict[str, str], folder: Path, upstream: FakePostcodesIo
) -> None:
    """Two services are certainly two processes; each of them has two more."""
    with (
        running_service(first_environment, folder / "first.log") as first,
        running_service(second_environment, folder / "second.log") as second,
    ):
        for code in (429, 503):
            upstream.faults = [fake.status(code, retry_after=str(SILENCE))]
            upstream.calls.clear()
            assert_all_are_silent(first, second, upstream)


def assert_all_are_silent(first: Service, second: Service, upstream: FakePostcodesIo) -> None:
    """The first service is told to wait; then both are asked for locations, and nobody calls before the time."""
    answers: list[Any] = []

    def ask(service: Service) -> None:
        answers.append(service.bulk(new_places()[0]))

    told = first.log().count("call failed attempt=1")
    threads = [threading.Thread(target=ask, args=(first,))]
    threads[0].start()
    end = time.monotonic() + 20
    while first.log().count("call failed attempt=1") == told:
        assert time.monotonic() < end, first.log()
        time.sleep(0.01)
    for number in range(12):
        threads.append(threading.Thread(target=ask, args=((first, second)[number % 2],)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert [postcodes(answer) for answer in answers] == [["SW1A 1AA"]] * 13
    refused, *others = sorted(call.at for call in upstream.calls)
    assert len(others) == 13
    assert min(others) - refused >= SILENCE - 0.05


def test_fault_13_upstream_that_does_not_answer_is_given_up_in_time(
    service: Service, upstream: FakePostcodesIo
) -> None:
    assert_a_fault_is_survived(service, upstream, fake.latency(3))


@pytest.mark.parametrize("fault", [fake.half_closed, fake.reset])
def test_fault_13_upstream_that_hangs_up_is_asked_again(
    service: Service, upstream: FakePostcodesIo, fault: fake.Fault
) -> None:
    assert_a_fault_is_survived(service, upstream, fault)


def test_fault_14_an_answer_that_drips_ends_with_the_call(service: Service, upstream: FakePostcodesIo) -> None:
    assert_a_fault_is_survived(service, upstream, fake.drip)


@pytest.mark.parametrize(
    "fault",
    [fake.text("<html>Welcome</html>", "text/html"), fake.text("\x00\xff{"), fake.endless],
    ids=["html", "garbage", "endless"],
)
def test_fault_15_what_is_no_answer_is_never_taken_for_one(
    service: Service, upstream: FakePostcodesIo, fault: fake.Fault
) -> None:
    assert_a_fault_is_survived(service, upstream, fault)


@pytest.mark.parametrize("change", [without_last, with_one_more, reordered, wrong_echo])
def test_fault_16_no_location_ever_gets_the_postcode_of_its_neighbour(
    service: Service, upstream: FakePostcodesIo, change: Any
) -> None:
    assert_a_fault_is_survived(service, upstream, fake.result(change))
