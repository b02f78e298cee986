"""Idle workers are woken by a bell. They would look by themselves only after the test has failed."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection
from tests.api import Api
from tests.invariant import FILE, assert_every_row_has_its_answer, state_of
from tests.running import WorkerProcess, wait_for

from uploads.work.wake import wake_workers

pytestmark = pytest.mark.django_db(transaction=True)
StartWorker = Callable[..., WorkerProcess]
ONE_ROW = "lat,lon\n51.501009,-0.141588\n"
#: Of `manage.py worker`: how often it looks while no upload is open and its bell works.
HARDLY_EVER = ("--idle-poll-seconds", "600")
WORKS = "the bell works"
WORKS_NOT = "the bell does not work"
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="its workers have sockets")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="its workers LISTEN")


def hear(worker: WorkerProcess, times: int = 1) -> None:
    wait_for(lambda: worker.log().count(WORKS) == times)


def bells(data_dir: Path) -> list[Path]:
    return list((data_dir / "bells").glob("*"))


def test_an_idle_worker_takes_an_upload_at_once(api: Api, start_worker: StartWorker) -> None:
    worker = start_worker(*HARDLY_EVER)
    hear(worker)
    for _ in range(3):  # one alone could come just when the worker looks
        upload = api.upload(ONE_ROW)
        wait_for(lambda upload=upload: state_of(api, upload) == "done", seconds=30)
    upload = api.upload(FILE)
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)
    assert_every_row_has_its_answer(api, upload)


def test_an_idle_worker_that_is_told_to_stop_does_so_and_leaves_no_bell(
    start_worker: StartWorker, data_dir: Path
) -> None:
    worker = start_worker(*HARDLY_EVER)
    hear(worker)
    assert worker.terminate() == 0
    assert bells(data_dir) == []


@on_sqlite
def test_the_bell_of_a_killed_worker_is_removed_by_whoever_rings_and_the_others_hear_it(
    api: Api, start_worker: StartWorker, data_dir: Path
) -> None:
    killed, other = start_worker(*HARDLY_EVER), start_worker(*HARDLY_EVER)
    hear(killed), hear(other)
    killed.kill()
    assert len(bells(data_dir)) == 2
    wake_workers()
    assert len(bells(data_dir)) == 1
    upload = api.upload(ONE_ROW)
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)


def test_where_the_path_is_too_long_for_a_socket_workers_look_by_themselves(
    api: Api, start_worker: StartWorker, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path / ("long" * 30)
    settings.UPLOADS_DIR = settings.DATA_DIR / "uploads"
    worker = start_worker(*HARDLY_EVER, DATA_DIR=str(settings.DATA_DIR))
    wait_for(lambda: (WORKS_NOT if connection.vendor == "sqlite" else WORKS) in worker.log())
    upload = api.upload(FILE)
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)
    assert worker.log().count(WORKS_NOT) <= 1
    assert worker.terminate() == 0


@contextmanager
def no_new_connections() -> Iterator[Any]:
    """The server refuses them to this database, and ours stays; yields a cursor on another one."""
    connection.ensure_connection()
    database = connection.settings_dict["NAME"]
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    with closing(psycopg2.connect(**parameters)) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
            try:
                yield cursor
            finally:
                cursor.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')


@on_postgresql
def test_a_worker_whose_connection_is_closed_looks_by_itself_until_it_has_a_new_one(
    api: Api, start_worker: StartWorker
) -> None:
    worker = start_worker(*HARDLY_EVER)
    hear(worker)
    with no_new_connections() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = %s AND query LIKE 'LISTEN %%'",
            [connection.settings_dict["NAME"]],
        )
        assert cursor.fetchone() == (1,)
        wait_for(lambda: WORKS_NOT in worker.log())
        upload = api.upload(FILE)
        wait_for(lambda: state_of(api, upload) == "done", seconds=30)
        assert worker.log().count(WORKS) == 1
    hear(worker, times=2)
    upload = api.upload(ONE_ROW)
    wait_for(lambda: state_of(api, upload) == "done", seconds=30)
    assert worker.terminate() == 0
