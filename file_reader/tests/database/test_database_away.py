"""The database is away, busy or full while the API is called: a problem that says so, and at most one upload."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from tests.api import UPLOADS, Api, problem_of
from tests.sending import make_old

from uploads.files.stored import path_of
from uploads.models import Upload
from uploads.web.api import uploads as views
from uploads.work.housekeeping import collect_abandoned
from uploads.work.loop import work
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"lat,lon\n51.5,-0.1\n"
KEY = {"Idempotency_Key": "monday"}


def files(data_dir: Path) -> list[Path]:
    """What is stored, but for what says that a file may have no upload."""
    return [path for path in (data_dir / "uploads").rglob("*") if path.is_file() and path.suffix != ".intent"]


@contextmanager
def trigger(action: str, *, at_commit: bool) -> Iterator[None]:
    """On PostgreSQL: what happens when an upload is inserted, or when that is committed."""
    kind, when = ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("TRIGGER", "")
    with connection.cursor() as cursor:
        body = f"BEGIN {action} RETURN NULL; END"
        cursor.execute(f"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        cursor.execute(
            f"CREATE {kind} fault AFTER INSERT ON uploads_upload {when} FOR EACH ROW EXECUTE FUNCTION fault()"
        )
    try:
        yield
    finally:
        connection.close()  # the fault may have ended it
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION fault CASCADE")


@contextmanager
def lost_database() -> Iterator[None]:
    """The connection ends in the middle of the insertion; on SQLite, another process keeps the database for itself."""
    if connection.vendor == "postgresql":
        with trigger("PERFORM pg_terminate_backend(pg_backend_pid());", at_commit=False):
            yield
        return
    options, patience = connection.settings_dict["OPTIONS"], connection.settings_dict["OPTIONS"]["timeout"]
    options["timeout"] = 0.1
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        options["timeout"] = patience
        other.close()
        connection.close()


@contextmanager
def full_database(*, at_commit: bool) -> Iterator[None]:
    """There is no room for another upload."""
    if connection.vendor == "postgresql":
        with trigger("RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100';", at_commit=at_commit):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA max_page_count = 1")  # that is: as many as there are
    try:
        while True:  # smaller than any upload that is sent: what is free in the last pages is used up
            Upload.objects.create(size=1, dialect={}, max_distance=1.0)
    except OperationalError:
        pass
    try:
        yield
    finally:
        connection.close()
        Upload.objects.filter(sha256="").delete()


@pytest.mark.parametrize("headers", [KEY, {}], ids=["with a key", "without"])
def test_a_database_that_goes_away_while_the_upload_is_inserted_is_told(
    api: Api, data_dir: Path, headers: dict[str, str]
) -> None:
    with lost_database():
        answer = api.post(UPLOADS, CSV, **headers)
        problem_of(answer, 503, "database-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert files(data_dir) == []
    assert api.post(UPLOADS, CSV, **headers).status_code == 202
    assert (Upload.objects.count(), len(files(data_dir))) == (1, 1)


# SQLite is full at the insertion, PostgreSQL may also be so at the commit.
@pytest.mark.parametrize("at_commit", [False, True] if connection.vendor == "postgresql" else [False])
def test_fault_17_a_full_disk_of_the_database_is_told_and_no_file_is_left(
    api: Api, data_dir: Path, at_commit: bool
) -> None:
    with full_database(at_commit=at_commit):
        answer = api.post(UPLOADS, CSV, **KEY)
        problem_of(answer, 507, "storage-full")
        assert int(answer.headers["Retry-After"]) > 0
    assert files(data_dir) == []
    assert not Upload.objects.exists()
    assert api.post(UPLOADS, CSV, **KEY).status_code == 202


@pytest.mark.parametrize("committed", [True, False])
def test_an_upload_whose_commit_is_not_confirmed_keeps_its_file_until_it_is_clear(
    api: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    def lose_the_answer(self: Any) -> None:
        if committed:
            commit(self)
        else:
            self.connection.rollback()
        raise OperationalError("server closed the connection unexpectedly")

    wrapper = type(connections["default"])
    commit = wrapper._commit
    with monkeypatch.context() as patched:
        patched.setattr(wrapper, "_commit", lose_the_answer)
        problem_of(api.post(UPLOADS, CSV, **KEY), 503, "database-unavailable")
    connection.close()
    (left,) = files(data_dir)
    answer = api.post(UPLOADS, CSV, **KEY)
    assert answer.status_code == 202
    kept = path_of(uuid.UUID(answer.json()["id"]))
    assert (kept == left) is committed
    assert collect_abandoned() == 0
    (intent,) = data_dir.rglob("*.intent")
    assert intent.stem == left.stem
    make_old(intent)
    collect_abandoned()
    assert list(data_dir.rglob("*.intent")) == []
    assert files(data_dir) == [kept]
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("what", ["{id}/", ""])
def test_a_mistake_in_a_statement_is_not_blamed_on_the_database(
    api: Api, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = UPLOADS + what.format(id=api.upload(CSV)["id"])

    def mistaken(uploads: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

    monkeypatch.setattr(views, "counts_of", mistaken)
    problem_of(api.get(path), 500, "internal-error")


def test_a_worker_waits_for_the_database_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def be_away(self: Worker) -> bool:
        nonlocal looks
        looks += 1
        raise OperationalError("connection refused")

    pauses: list[float] = []
    monkeypatch.setattr(Worker, "run_once", be_away)
    monkeypatch.setattr("uploads.work.loop._pause", lambda seconds, unless: pauses.append(seconds))
    work(Worker(is_stopping=lambda: looks == 2_000))  # hours
    assert len(pauses) == 2_000
    assert max(pauses) == pauses[-1] == 5


@pytest.mark.parametrize("raised", [OperationalError, InterfaceError, DatabaseError])
def test_a_service_whose_database_is_away_is_not_ready(
    api: Api, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
) -> None:
    def fail(connection: object) -> None:
        raise raised("connection already closed")

    monkeypatch.setattr("service_kit.readiness.MigrationExecutor", fail)
    answer = api.get("/readyz")
    assert (answer.status_code, list(answer.json()["missing"])) == (503, ["database"])
