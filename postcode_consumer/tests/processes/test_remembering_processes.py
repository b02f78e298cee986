"""A location is asked upstream once by real processes on one database: at the same moment, after restarts and kills."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from tests.asking import PLACES, searches, times_asked
from tests.fake_postcodes_io import CASTLE, NORTH_SEA, PALACE, FakePostcodesIo
from tests.known import in_threads
from tests.running import Service, database_url, environment_of, postcodes, running_service

from lookups.models import KnownLocation
from tests import fake_postcodes_io as fake

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], Service]
KINDS = ("match", "no_match")


@pytest.fixture
def start(tmp_path: Path, upstream: FakePostcodesIo) -> Iterator[Start]:
    """Starts one more service of one process, on the database of the test."""
    environment = environment_of(
        tmp_path,
        upstream.url,
        POSTCODE_CONSUMER_DATABASE_URL=database_url(),
        POSTCODES_IO_CALLS_PER_SECOND="0",
        POSTCODE_CONSUMER_PROCESSES="1",
    )
    with ExitStack() as running:
        yield lambda: running.enter_context(running_service(environment, tmp_path / f"log-{time.monotonic_ns()}"))


def kill(service: Service) -> None:
    """As a power cut would: the master and its workers at once."""
    master = psutil.Process(service.process.pid)
    for process in [*master.children(recursive=True), master]:
        process.kill()
    service.process.wait()


def stop(service: Service) -> None:
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(35) == 0


def wait_for(what: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_after_a_restart_nothing_is_asked_again(start: Start, upstream: FakePostcodesIo) -> None:
    first = start()
    answers = first.bulk(PALACE, CASTLE, NORTH_SEA).json()
    stop(first)
    upstream.calls.clear()
    assert start().bulk(PALACE, CASTLE, NORTH_SEA).json() == answers
    assert upstream.calls == []


def test_four_processes_at_once_ask_about_each_location_once(start: Start, upstream: FakePostcodesIo) -> None:
    places = [*PLACES, *[(NORTH_SEA[0] + number / 1e6, NORTH_SEA[1]) for number in range(300)]]
    upstream.always = fake.latency(0.05)
    services = [start() for _ in range(4)]
    right = ["SW1A 1AA"] * 300 + [None] * 300

    def ask(service: Service, first: int) -> None:
        for begin in (first, 450 - first, 150):
            assert postcodes(service.bulk(*places[begin : begin + 150])) == right[begin : begin + 150]
        assert postcodes(service.bulk(*places)) == right

    in_threads(
        *[
            lambda service=service, first=number * 75: ask(service, first)
            for number, service in enumerate([*services, *services])
        ]
    )
    times = times_asked(upstream)
    assert set(times.values()) == {1}
    assert len(times) == 600 + 300  # a step for each, and the second one for those in the sea


def test_others_take_over_what_a_killed_process_was_asking(start: Start, upstream: FakePostcodesIo) -> None:
    first, second = start(), start()
    upstream.faults = [fake.latency(0), *[fake.latency(60)] * 2]
    doomed = threading.Thread(target=pytest.raises, args=(requests.RequestException, first.bulk, *PLACES))
    doomed.start()
    wait_for(lambda: KnownLocation.objects.count() == 100)
    kill(first)
    doomed.join()
    assert not upstream.faults
    searches(upstream)
    # It waits for the claims of the first one to end.
    assert postcodes(second.bulk(*PLACES)) == ["SW1A 1AA"] * 300
    assert searches(upstream) == [(100, 100), (100, 100)]


def test_a_frozen_process_that_comes_back_does_no_harm(start: Start, upstream: FakePostcodesIo) -> None:
    first, second = start(), start()
    upstream.faults = [fake.latency(1)]
    answers: list[Any] = []
    frozen = threading.Thread(target=lambda: answers.append(first.bulk(PALACE)))
    frozen.start()
    wait_for(lambda: upstream.calls)
    (worker,) = psutil.Process(first.process.pid).children()
    worker.suspend()
    assert postcodes(second.bulk(PALACE)) == ["SW1A 1AA"]
    worker.resume()
    frozen.join()
    # Its call may have been cut off meanwhile: then it looks again, and finds what the other one found.
    assert answers[0].status_code in (200, 503)
    assert postcodes(first.bulk(PALACE)) == ["SW1A 1AA"]
    assert len(upstream.calls) <= 3


def test_without_its_database_the_service_asks_nobody(tmp_path: Path, upstream: FakePostcodesIo) -> None:
    environment = environment_of(
        tmp_path,
        upstream.url,
        POSTCODE_CONSUMER_DATABASE_URL="postgres://postgres@127.0.0.1:1/gone",
        POSTCODES_IO_CALLS_PER_SECOND="0",
    )
    with running_service(environment, tmp_path / "log") as service:
        answer = service.bulk(PALACE)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/database-unavailable")
        assert "postcode_consumer_known_locations " not in metrics_text(service)
    assert upstream.calls == []


# --- /metrics -------------------------------------------------------------------------------------------------------
def metrics_text(service: Service) -> str:
    answer = requests.get(f"{service.url}/metrics", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return answer.text


def metrics(service: Service) -> dict[str, float]:
    """What has been counted, by the name and labels as they are written."""
    lines = [line for line in metrics_text(service).splitlines() if not line.startswith("#")]
    names = [line.rpartition(" ")[0] for line in lines]
    assert len(set(names)) == len(names)
    return {name: float(line.rpartition(" ")[2]) for name, line in zip(names, lines, strict=True)}


@pytest.fixture
def three_processes(tmp_path: Path, upstream: FakePostcodesIo) -> dict[str, str]:
    """The environment of a service on the database of the test."""
    return environment_of(
        tmp_path,
        upstream.url,
        POSTCODE_CONSUMER_DATABASE_URL=database_url(),
        POSTCODES_IO_CALLS_PER_SECOND="0",
        POSTCODE_CONSUMER_PROCESSES="3",
    )


def kill_workers(service: Service) -> None:
    workers = psutil.Process(service.process.pid).children()
    assert len(workers) == 3
    for worker in workers:
        worker.kill()
    wait_for(lambda: not any(worker.is_running() for worker in workers))


def test_metrics_count_all_processes_together_and_the_dead_ones_too(
    tmp_path: Path, upstream: FakePostcodesIo, three_processes: dict[str, str]
) -> None:
    name, postcodes_io = "postcode_consumer_", 'provider="postcodes_io"'
    with running_service(three_processes, tmp_path / "log") as service:
        in_threads(*[lambda: postcodes(service.bulk(PALACE, NORTH_SEA, PALACE, (0, 0)))] * 12)
        kill_workers(service)
        in_threads(*[lambda: postcodes(service.bulk(PALACE))] * 6)
        seen = metrics(service)
        assert "# TYPE postcode_consumer_lookup_seconds histogram" in metrics_text(service)
    assert seen[f"{name}locations_total"] == 12 * 4 + 6
    assert seen[f'{name}answers_total{{{postcodes_io},status="match"}}'] == 12 * 2 + 6
    assert seen[f'{name}answers_total{{{postcodes_io},status="no_match"}}'] == 12 * 2
    assert seen[f'{name}lookup_seconds_count{{outcome="answered"}}'] == 18
    assert seen[f'{name}upstream_locations_total{{metres="100",{postcodes_io}}}'] == 2
    assert seen[f'{name}upstream_locations_total{{metres="2000",{postcodes_io}}}'] == 1
    assert seen[f'{name}upstream_calls_total{{outcome="answered",{postcodes_io}}}'] == len(upstream.calls)
    known = sum(seen[f'{name}remembered_locations_total{{kind="{kind}",{postcodes_io}}}'] for kind in KINDS)
    # Each lookup was answered from memory, waited for another one, or asked upstream itself.
    assert known + seen[f"{name}waited_locations_total{{{postcodes_io}}}"] + 2 == 12 * 2 + 6
    if "postgres" not in database_url():  # which tells what it counted by itself, now and then
        assert seen[f"{name}known_locations"] == 2


def test_metrics_begin_anew_with_the_service(tmp_path: Path, three_processes: dict[str, str]) -> None:
    with running_service(three_processes, tmp_path / "log") as service:
        service.bulk(PALACE)
        assert metrics(service)["postcode_consumer_locations_total"] == 1
    port = int(service.url.rpartition(":")[2])
    with running_service(three_processes, tmp_path / "log", port=port) as service:
        assert metrics(service).get("postcode_consumer_locations_total", 0) == 0


def test_what_a_killed_worker_was_doing_is_not_in_progress_for_ever(
    tmp_path: Path, upstream: FakePostcodesIo, three_processes: dict[str, str]
) -> None:
    in_progress = "postcode_consumer_lookups_in_progress"
    upstream.always = fake.latency(60)
    with running_service(three_processes, tmp_path / "log") as service:
        doomed = threading.Thread(target=pytest.raises, args=(requests.RequestException, service.bulk, PALACE))
        doomed.start()
        wait_for(lambda: metrics(service).get(in_progress) == 1)
        kill_workers(service)
        doomed.join()
        wait_for(lambda: not metrics(service).get(in_progress))
