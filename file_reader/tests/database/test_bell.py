"""The bell: who rings is never kept waiting and never fails, and one that nobody has heard is not relied on."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from django.db import connection
from tests.api import UPLOADS, Api

from uploads.models import Upload
from uploads.work.bell import Bell, ring_bells
from uploads.work.commands import retry_upload
from uploads.work.leases import claim_upload
from uploads.work.loading import Loader
from uploads.work.loop import work
from uploads.work.wake import wake_workers
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
#: Seconds; a ring takes milliseconds.
PATIENCE = 30
CSV = "lat,lon\n" + "51.5,-0.1\n" * 5
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="its workers have sockets")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="its workers LISTEN")


@pytest.fixture
def bell() -> Iterator[Bell]:
    """One that was heard when it was hung up, and is silent now."""
    with closing(Bell()) as bell:
        assert bell.wait(PATIENCE)
        assert bell.works
        assert not bell.wait(0)
        yield bell


def test_it_rings_when_an_upload_is_accepted_and_when_one_is_retried(api: Api, bell: Bell) -> None:
    api.upload(CSV)
    assert bell.wait(PATIENCE)
    assert not bell.wait(0)
    Upload.objects.update(state="done")
    retry_upload(Upload.objects.get())
    assert bell.wait(PATIENCE)


def test_it_rings_when_a_step_of_loading_made_chunks_for_others(api: Api, bell: Bell) -> None:
    api.upload(CSV)
    assert bell.wait(PATIENCE)
    lease = claim_upload()
    assert lease is not None
    with closing(Loader(lease)) as loader:
        assert loader.step(1)  # four chunks
        assert bell.wait(PATIENCE)
        assert not loader.step(1)  # the last row's: whoever loaded it takes it
        assert not bell.wait(0)


def test_several_rings_are_one_look(bell: Bell) -> None:
    for _ in range(3):
        ring_bells()
    assert bell.wait(PATIENCE)
    assert not bell.wait(0)


def test_one_that_was_never_heard_is_not_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Bell()) as bell:
        with monkeypatch.context() as patched:
            patched.setattr("uploads.work.bell.ring_bells", lambda: None)  # swallowed, as PgBouncer does
            assert not bell.wait(0)
            assert not bell.works
        ring_bells()
        assert bell.wait(PATIENCE)
        assert bell.works


class FiveLooks(Worker):
    """Stops when it has looked for work so often."""

    def __init__(self) -> None:
        super().__init__(is_stopping=lambda: self.looks == 5)
        self.looks = 0

    def run_once(self) -> bool:
        self.looks += 1
        return super().run_once()


def test_a_worker_that_has_never_heard_its_bell_looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uploads.work.bell.ring_bells", lambda: None)
    worker = FiveLooks()
    with closing(Bell()) as bell:
        work(worker, bell=bell, idle_poll_seconds=600, seconds=PATIENCE)
    assert worker.looks == 5


def test_while_an_upload_is_open_a_worker_looks_often(api: Api, bell: Bell) -> None:
    api.upload(CSV)
    assert claim_upload() is not None  # by another worker, whose lease may run out
    worker = FiveLooks()
    work(worker, bell=bell, idle_poll_seconds=600, seconds=PATIENCE)
    assert worker.looks == 5


@on_sqlite
def test_dead_full_and_strange_bells_keep_nobody_from_ringing(api: Api, bell: Bell, data_dir: Path) -> None:
    folder = data_dir / "bells"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(folder / "dead"))
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as frozen:
        frozen.bind(str(folder / "frozen"))
        for _ in range(1_000):  # more than a socket holds that nobody reads
            wake_workers()
        assert api.post(UPLOADS, CSV.encode()).status_code == 202
        assert bell.wait(PATIENCE)
        assert not (folder / "dead").exists()
        assert (folder / "frozen").exists()


@on_sqlite
def test_without_a_worker_nobody_has_a_bell_and_uploads_are_accepted(api: Api, data_dir: Path) -> None:
    api.upload(CSV)
    assert not (data_dir / "bells").exists()


@on_postgresql
def test_a_connection_that_breaks_when_the_bell_is_rung_costs_the_caller_nothing() -> None:
    assert Upload.objects.count() == 0
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 30000)", [connection.connection.info.backend_pid])
    wake_workers()
    assert Upload.objects.count() == 0
