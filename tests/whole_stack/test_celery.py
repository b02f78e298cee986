"""Celery as the driver of the work, with each broker there is: it works alone, and nothing depends on it."""

import itertools
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from brokers import find_brokers, line_to, looks_waiting, running_broker, wipe
from country import POSTCODES, csv_of
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import ROOT, Stack, check_result, running_stack, wait_for

ROWS = 1_200
#: More than can be done in the time of a test.
MANY_ROWS = 20_000
#: Milliseconds of each call to the fake, so that there is always something in flight.
SLOW = 40
ACCEPTED_WITHIN = 3.0  # seconds
RESUMED_WITHIN = 30.0
LEASES = """
    SELECT (SELECT count(*) FROM uploads_chunk WHERE state = 'leased'),
           (SELECT count(*) FROM uploads_upload WHERE lease_until > strftime('%Y-%m-%d %H:%M:%f', 'now'))
"""


_seeds = itertools.count(1)


class Sent(NamedTuple):
    upload: dict[str, Any]
    content: bytes


@pytest.fixture(scope="module", params=find_brokers().items(), ids=find_brokers())
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The broker's URL."""
    with running_broker(request.param[1]) as url:
        yield url


@pytest.fixture(scope="module")
def running_upstream() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io(POSTCODES, answer_fields="small") as running:
        yield running


@pytest.fixture
def slow_upstream(running_upstream: RunningPostcodesIo) -> Iterator[RunningPostcodesIo]:
    running_upstream.fail(latency_ms=SLOW)
    yield running_upstream
    running_upstream.recover()


def settings(upstream: RunningPostcodesIo, broker: str) -> dict[str, str]:
    return {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "CHUNK_ROWS": "100",
        "LEASE_SECONDS": "2",
        "CELERY_BROKER_URL": broker,
        "SECRET_KEY": "secret-of-the-tests",
        "INTERNAL_TOKEN": "token-of-the-tests",
    }


@pytest.fixture(scope="module")
def idle_stack(
    running_upstream: RunningPostcodesIo, broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack in which nobody works: what is done there, the processes of `running_celery` did."""
    with running_stack(tmp_path_factory.mktemp("idle"), WORKERS="0", **settings(running_upstream, broker)) as stack:
        assert not stack.processes("manage.py worker")
        assert not stack.processes("-m celery")
        yield stack


@contextmanager
def running_celery(stack: Stack, *arguments: str, **changes: str) -> Iterator[psutil.Process]:
    """`celery worker …` or `celery beat`, on the stack's database and broker; ended politely with the block."""
    with stack.log.open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "celery", "--quiet", "-A", "reader_config", *arguments],
            cwd=ROOT / "file_reader",
            env=stack.environment | changes,
            stderr=log,
        )
    try:
        yield psutil.Process(started.pid)
    except BaseException:
        print(stack.log.read_text(errors="replace")[-8_000:])
        raise
    finally:
        started.terminate()
        started.wait(timeout=40)


def running_worker(stack: Stack, processes: int = 2, **changes: str) -> Any:
    return running_celery(stack, "worker", "--concurrency", str(processes), **changes)


def running_beat(stack: Stack) -> Any:
    return running_celery(stack, "beat")


def ask_database(stack: Stack, question: str) -> tuple[int, ...]:
    path = Path(stack.environment["DATA_DIR"]) / "file_reader.sqlite3"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
    try:
        return tuple(connection.execute(question).fetchone())
    finally:
        connection.close()


def leases(stack: Stack) -> tuple[int, ...]:
    """How many chunks, and how many uploads, are leased."""
    return ask_database(stack, LEASES)


def send(stack: Stack, rows: int = ROWS) -> Sent:
    """A file with locations of its own: what was asked before is known, and makes no work."""
    content = csv_of(rows, seed=next(_seeds))
    started = time.monotonic()
    upload = stack.upload(content)
    assert time.monotonic() - started < ACCEPTED_WITHIN
    return Sent(upload, content)


def check_done(stack: Stack, sent: Sent) -> None:
    done = stack.wait_until_done(sent.upload)
    check_result(sent.content, stack.result(sent.upload), done)


def wait_for_share(stack: Stack, sent: Sent, share: float) -> None:
    stack.wait(sent.upload, lambda seen: seen["progress"] >= share, f"{share:.0%} are done")


def test_an_upload_wakes_celerys_processes_which_do_all_the_work(
    idle_stack: Stack, slow_upstream: RunningPostcodesIo, broker: str
) -> None:
    with running_worker(idle_stack):
        sent = send(idle_stack)
        # Its acceptance sends one message, which wakes one process; that one wakes the other. There is no beat.
        wait_for(lambda: leases(idle_stack)[0] == 2, "both processes are at work")
        check_done(idle_stack, sent)
    wipe(broker)
    idle_stack.call("POST", sent.upload["links"]["self"] + "retry/")
    wait_for(lambda: looks_waiting(broker) == 1, "the retry says so too")


def test_fault_08_the_broker_is_silent_from_the_start(
    tmp_path: Path, slow_upstream: RunningPostcodesIo, broker: str
) -> None:
    with line_to(broker) as (line, url):
        line.open()
        line.fall_silent()
        with running_stack(tmp_path, WORKERS="2", **settings(slow_upstream, url)) as stack:
            for _ in range(2):
                sent = send(stack)
            check_done(stack, sent)
            end(stack)


def test_fault_08_the_broker_goes_and_comes_back_while_uploads_are_worked_on(
    tmp_path: Path, slow_upstream: RunningPostcodesIo, broker: str
) -> None:
    with line_to(broker) as (line, url):
        line.open()
        with running_stack(tmp_path, WORKERS="2", **settings(slow_upstream, url)) as stack:
            restart_celery(stack)
            long = send(stack, MANY_ROWS)
            wait_for_three_at_work(stack)
            line.fall_silent()
            others = [send(stack)]
            line.refuse()
            others.append(send(stack))
            stack.call("POST", long.upload["links"]["self"] + "cancel/")
            for other in others:
                check_done(stack, other)
            wait_for(lambda: "cannot be told to wake workers" in stack.log.read_text(), "the operator is told")
            line.open()
            send(stack, MANY_ROWS)
            wait_for_three_at_work(stack)
            end(stack)


def restart_celery(stack: Stack) -> None:
    """kill -9 of its main process and of beat: serve.py starts them again."""
    killed = [stack.processes("reader_config beat")[0], stack.processes("reader_config worker")[0]]
    for process in killed:
        process.kill()
    for what in ("reader_config beat", "reader_config worker"):
        wait_for(lambda what=what: set(stack.processes(what)) - set(killed), f"{what} runs again")


def wait_for_three_at_work(stack: Stack) -> None:
    wait_for(lambda: leases(stack)[0] == 3, "Celery's two processes and the poll loop's one are at work")


def end(stack: Stack) -> None:
    """SIGTERM: everything ends by itself, and nothing stays leased."""
    processes = psutil.Process(stack.supervisor.pid).children(recursive=True)
    stack.supervisor.terminate()
    assert stack.supervisor.wait(timeout=40) == 0
    assert "does not end" not in stack.log.read_text()
    _, alive = psutil.wait_procs(processes, timeout=1)
    assert alive == []
    assert leases(stack) == (0, 0)


def test_fault_09_a_broker_that_lost_everything_loses_nothing(
    idle_stack: Stack, slow_upstream: RunningPostcodesIo, broker: str
) -> None:
    with running_worker(idle_stack), running_beat(idle_stack):
        sent = send(idle_stack)
        for share in (0.2, 0.5):
            wait_for_share(idle_stack, sent, share)
            wipe(broker)
        waiting = send(idle_stack)
        wipe(broker)
        check_done(idle_stack, sent)
        check_done(idle_stack, waiting)


def test_celerys_processes_killed_half_way_cost_nothing_but_time(
    idle_stack: Stack, slow_upstream: RunningPostcodesIo
) -> None:
    with running_beat(idle_stack):
        with running_worker(idle_stack) as main:
            sent = send(idle_stack)
            wait_for_share(idle_stack, sent, 0.2)
            killed = main.children()
            assert len(killed) == 2
            for child in killed:
                child.kill()
            wait_for(lambda: len(set(main.children()) - set(killed)) == 2, "it has children again")
            wait_for_share(idle_stack, sent, 0.5)
            orphans = main.children()
            main.kill()
            _, alive = psutil.wait_procs(orphans, timeout=5)
            assert alive == []
        with running_worker(idle_stack):
            check_done(idle_stack, sent)


def test_fault_22_sigterm_ends_a_look_half_way_and_leaves_no_lease(
    idle_stack: Stack, slow_upstream: RunningPostcodesIo
) -> None:
    with running_worker(idle_stack, LEASE_SECONDS="60") as main:
        sent = send(idle_stack, MANY_ROWS)
        wait_for(lambda: leases(idle_stack) == (2, 1), "both processes look up, one of them also loads")
        main.terminate()
        _, alive = psutil.wait_procs([main], timeout=10)
        left = leases(idle_stack)
        idle_stack.call("POST", sent.upload["links"]["self"] + "cancel/")
        assert (alive, left) == ([], (0, 0))


@pytest.mark.parametrize("broker", list(find_brokers().items())[:1], ids=list(find_brokers())[:1], indirect=True)
def test_beat_resumes_the_work_after_an_outage_of_postcode_consumer(idle_stack: Stack) -> None:
    consumer = f"http://127.0.0.1:{idle_stack.environment['POSTCODE_CONSUMER_PORT']}"
    with (
        line_to(consumer) as (line, url),
        running_worker(idle_stack, POSTCODE_CONSUMER_URL=url),
        running_beat(idle_stack),
    ):
        sent = send(idle_stack)
        idle_stack.wait(sent.upload, lambda seen: seen["state"] == "geocoding", "the file is loaded")
        number = ask_database(idle_stack, "SELECT max(id) FROM uploads_upload")[0]
        put_back = re.compile(f"chunk put back chunk=[0-9-]+ upload={number} ")
        wait_for(lambda: len(put_back.findall(idle_stack.log.read_text())) >= 2, "the outage is noticed")
        rows = idle_stack.look(sent.upload)["rows"]
        assert rows["pending"] == rows["read"] > 0
        line.open()
        resumed = time.monotonic()
        check_done(idle_stack, sent)
        assert time.monotonic() - resumed < RESUMED_WITHIN
