"""What is to be kept of a service, in one tar file: its tables without what is derived, and its files.

    backup.json               the format, the service and the migrations of its database
    tables/<app.Model>.jsonl  one record a line, as Django serializes it
    files/<name>              the files, as they are
    hashes.json               the SHA-256 of all of these; the last one, so a file without it is no whole backup

Both databases write and read the same. A backup is of one moment, also while the service works.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from django.apps import apps
from django.core import serializers
from django.core.management.color import no_style
from django.core.management.sql import emit_post_migrate_signal
from django.core.serializers.base import DeserializationError
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
#: Neither of them is worth anything elsewhere: logins that go on, and who has a lease.
_LEFT_OUT = frozenset({"sessions.Session", "logins.FailedLogins", "maintenance.MaintenanceRun"})
#: A database that was just migrated has these already; those of the backup take their place, with their numbers.
_MADE_BY_MIGRATE = ("contenttypes.ContentType", "auth.Permission", "auth.Group", "auth.Group_permissions")
_AT_ONCE = 1_000
_PIECE_BYTES = 1 << 20


class BackupError(Exception):
    """There is no backup, or none that can be restored here. The message says why."""


@dataclass(frozen=True)
class Content:
    """What a service adds. `files` gives names with their paths, in the transaction of the tables; `path_of` is where a
    file is restored. `finish` gets the names that were restored, in the transaction of the tables."""

    service: str
    left_out: frozenset[str]
    files: Callable[[], list[tuple[str, Path]]] = list
    path_of: Callable[[str], Path] = Path
    finish: Callable[[set[str]], None] = field(default=lambda names: None)


@dataclass
class Summary:
    """How many records and files there are."""

    records: int = 0
    files: int = 0


def back_up(target: Path, content: Content) -> Summary:
    """Writes the backup, which only its owner can read, and then gives it its name. Raises BackupError, OSError."""
    if target.exists():
        raise BackupError(f"{target} exists already.")
    part = target.with_name(f"{target.name}.part")
    summary, hashes = Summary(), dict[str, str]()
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - by its number
            with tarfile.open(fileobj=file, mode="w") as tar:
                with _one_moment():
                    _add_json(tar, "backup.json", _header(content), hashes)
                    for model in _tables(content):
                        with tempfile.TemporaryFile() as table:
                            summary.records += _write_table(model, table)
                            _add(tar, f"tables/{model._meta.label}.jsonl", table, hashes)
                    files = content.files()
                for name, path in files:
                    try:
                        opened = path.open("rb")
                    except FileNotFoundError:  # it was removed since that moment
                        continue
                    with opened:
                        _add(tar, f"files/{name}", opened, hashes)
                    summary.files += 1
                _add_json(tar, "hashes.json", hashes, {})
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return summary


def restore(source: Path, content: Content) -> Summary:
    """Reads a backup into a database that was migrated and never used. All of it, or nothing of the tables.

    Raises BackupError, OSError.
    """
    summary = Summary()
    try:
        with tarfile.open(source, "r:") as tar:
            hashes = _checked(tar, content)
            with transaction.atomic():
                _check_empty(content)
                for label in reversed(_MADE_BY_MIGRATE):
                    _model(label)._base_manager.all().delete()
                for model in _tables(content):
                    name = f"tables/{model._meta.label}.jsonl"
                    if name in hashes:
                        summary.records += _read_table(model, _member(tar, name))
                names = {name.removeprefix("files/") for name in hashes if name.startswith("files/")}
                for name in names:
                    _write_file(_member(tar, f"files/{name}"), content.path_of(name))
                content.finish(names)
                with connection.cursor() as cursor:
                    for statement in connection.ops.sequence_reset_sql(no_style(), _tables(content)):
                        cursor.execute(statement)
    except (tarfile.TarError, json.JSONDecodeError) as error:
        raise BackupError(f"{source} is no backup: {error}.") from error
    except DeserializationError as error:
        raise BackupError(f"The backup does not fit this version of the service: {error}") from error
    emit_post_migrate_signal(0, False, connection.alias)  # the permissions that are newer than the backup
    summary.files = len(names)
    return summary


@contextmanager
def _one_moment() -> Iterator[None]:
    """All statements within see the database as it is now; nobody waits for it."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    # Not Django's transaction: it begins with the lock of a writer.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _tables(content: Content) -> list[type[models.Model]]:
    """Those of relations between many and many, too."""
    left_out = _LEFT_OUT | content.left_out
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.label not in left_out and model._meta.managed]


def _model(label: str) -> type[models.Model]:
    return apps.get_model(label)


def _header(content: Content) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "service": content.service,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "migrations": [".".join(name) for name in sorted(_migrations())],
    }


def _migrations() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _write_table(model: type[models.Model], table: IO[bytes]) -> int:
    count = 0

    def counted(records: Iterable[models.Model]) -> Iterator[models.Model]:
        nonlocal count
        for record in records:
            count += 1
            yield record

    text = io.TextIOWrapper(table, encoding="utf-8", write_through=True)
    records = model._base_manager.order_by("pk").iterator(_AT_ONCE)
    serializers.serialize("jsonl", counted(records), stream=text, ensure_ascii=False)
    text.detach()
    return count


def _read_table(model: type[models.Model], table: IO[bytes]) -> int:
    count = 0
    found = serializers.deserialize("jsonl", io.TextIOWrapper(table, encoding="utf-8"))
    while some := list(islice(found, _AT_ONCE)):
        count += len(model._base_manager.bulk_create([one.object for one in some]))
    return count


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], hashes: dict[str, str]) -> None:
    file.seek(0)
    hashes[name] = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    about = tarfile.TarInfo(name)
    about.size, about.mode = file.seek(0, os.SEEK_END), 0o600
    file.seek(0)
    tar.addfile(about, file)


def _add_json(tar: tarfile.TarFile, name: str, content: Any, hashes: dict[str, str]) -> None:
    _add(tar, name, io.BytesIO(json.dumps(content, indent=1).encode()), hashes)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise BackupError(f"This is no whole backup: it has no {name}.")
    return file


def _checked(tar: tarfile.TarFile, content: Content) -> dict[str, str]:
    """The hashes of what is in it, all of which were compared."""
    hashes: dict[str, str] = json.load(_member(tar, "hashes.json"))
    for name, expected in hashes.items():
        if hashlib.file_digest(cast(Any, _member(tar, name)), "sha256").hexdigest() != expected:
            raise BackupError(f"The backup is damaged: {name} is not what was written.")
    header = json.load(_member(tar, "backup.json"))
    if (header["format"], header["service"]) != (FORMAT, content.service):
        raise BackupError(f"This is a backup of {header['service']}, format {header['format']}.")
    applied = {".".join(name) for name in _migrations()}
    if newer := [name for name in header["migrations"] if name not in applied]:
        raise BackupError(f"The backup is newer than this database, which has not: {', '.join(newer)}.")
    return hashes


def _check_empty(content: Content) -> None:
    for model in _tables(content):
        if model._meta.label not in _MADE_BY_MIGRATE and model._base_manager.exists():
            raise BackupError(f"This database is in use: it has {model._meta.verbose_name_plural}. Take an empty one.")


def _write_file(file: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as copy:
        while piece := file.read(_PIECE_BYTES):
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
