"""Uploaded files on disk. A file is accepted when it is whole, hashed, synced and under its final name.

The request that writes a file holds a lock (flock) on it until its upload is committed. The lock ends with its process,
however that ends: a file that can be locked belongs to no request, and nothing has to wait for a time-out.
"""

import contextlib
import fcntl
import functools
import hashlib
import itertools
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings

from uploads.reading.containers import as_table, check_unwrapped, is_zip, unwrapped

#: Files that were not written to for this long (seconds) have their upload in the database, or never will: the
#: commit of a request that died is over too.
ABANDONED_AFTER = 3_600
_OPENING_ATTEMPTS = 10
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 16


class UploadInFlightError(Exception):
    """Another request holds the key: its file is still arriving."""


def path_of(public_id: uuid.UUID) -> Path:
    """Where the file of an upload is. Its name says nothing of the name that people gave it."""
    return Path(settings.UPLOADS_DIR) / "files" / f"{public_id.hex}.csv"


def open_upload(public_id: uuid.UUID) -> BinaryIO:
    """The table of an upload, for reading from its beginning: its file, or the first sheet of its workbook as CSV."""
    return as_table(path_of(public_id).open("rb"))


def remove_file(public_id: uuid.UUID) -> None:
    """Removes the file of an upload; no error when it is gone already."""
    path_of(public_id).unlink(missing_ok=True)
    forget_intent(public_id)


def forget_intent(public_id: uuid.UUID) -> None:
    """There is nothing to collect: the upload of the file is committed, or the file is gone."""
    _intent_of(public_id).unlink(missing_ok=True)


class Incoming:
    """A file that is arriving: written to a temporary name while its hash is taken.

    With a key, the temporary file is also the reservation of that key: raises UploadInFlightError when another request
    has it. Leaving the `with` block removes whatever was not kept. OSError (disk full) comes through to the caller.
    """

    def __init__(self, key: str | None = None) -> None:
        self._file, self._path = _open_part(key)
        self._public_id: uuid.UUID | None = None
        self._kept = False
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self._kept:  # while it is locked: afterwards the name may be that of another request's file
                self._path.unlink(missing_ok=True)
            if self._public_id is not None and (error is None or not self._kept):
                forget_intent(self._public_id)
        finally:
            with contextlib.suppress(OSError):  # what a full disk did not take is thrown away anyway
                self._file.close()

    def write(self, data: bytes) -> None:
        """Appends bytes as they come."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    @contextlib.contextmanager
    def unwrapped(self, max_bytes: int) -> "Iterator[Incoming]":
        """What was sent, or a file with the content of the gzip data or of the zip archive that was sent.

        Raises ReadingError when it is damaged, has more than `max_bytes` or not exactly one file in it.
        """
        self._file.flush()
        pieces = unwrapped(self._file, max_bytes=max_bytes)
        if pieces is None:
            yield self
            return
        with Incoming() as content:
            for piece in pieces:
                content.write(piece)
            content._file.flush()
            check_unwrapped(content._file, max_bytes=max_bytes)
            yield content

    def open_table(self) -> BinaryIO:
        """The table as far as it was written, for reading from its beginning."""
        self._file.flush()
        return as_table(self._path.open("rb"))

    def samples(self) -> list[bytes]:
        """Pieces from all over the file, and all of a small one; of a workbook none."""
        if is_zip(os.pread(self._file.fileno(), 4, 0)):
            return []
        if self.size <= _SAMPLES * _SAMPLE_BYTES:
            step, count = _SAMPLE_BYTES, -(-self.size // _SAMPLE_BYTES)
        else:
            step, count = self.size // _SAMPLES, _SAMPLES
        return [os.pread(self._file.fileno(), _SAMPLE_BYTES, step * number) for number in range(count)]

    def keep(self, public_id: uuid.UUID) -> None:
        """Makes the file the upload's: synced, renamed, and the folder synced, so that a power cut cannot undo it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        target = path_of(public_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync_above(target.parent)
        # Should this process die before its commit, this says that the file may have no upload. Nothing else does: a
        # database that does not know a file may be another one, or an older copy.
        self._public_id = public_id
        _intent_of(public_id).touch()
        self._path.rename(target)
        self._path = target
        _sync_folder(target.parent)
        self._kept = True


def remove_parts() -> int:
    """Removes the temporary files of requests that died; returns how many."""
    return sum(_remove_unlocked(path) for path in _incoming().glob("*.part"))


def doubtful_files(size: int) -> Iterator[list[uuid.UUID]]:
    """The uploads whose request ended ABANDONED_AFTER ago or earlier and did not say that they are committed, in lists
    of at most `size`."""
    found = (public_id for path in _incoming().glob("*.intent") if (public_id := _id_of_old(path)))
    while ids := list(itertools.islice(found, size)):
        yield ids


@contextlib.contextmanager
def locked_files(ids: Iterable[uuid.UUID]) -> Iterator[set[uuid.UUID]]:
    """Locks the files of these uploads while the context lasts; gives those that no request holds, or that are not."""
    with contextlib.ExitStack() as stack:
        held = set()
        for public_id in ids:
            path = path_of(public_id)
            if file := _open_unlocked(path):
                stack.enter_context(file)
            if file or not path.exists():
                held.add(public_id)
        yield held


def _incoming() -> Path:
    return Path(settings.UPLOADS_DIR) / "incoming"


def _intent_of(public_id: uuid.UUID) -> Path:
    return _incoming() / f"{public_id.hex}.intent"


def _open_part(key: str | None) -> tuple[BinaryIO, Path]:
    """A temporary file that is new and locked. One that was there before is never written to: by the time that it is
    open it may have become an upload's.
    """
    name = uuid.uuid4().hex if key is None else hashlib.sha256(key.encode()).hexdigest()
    path = _incoming() / f"{name}.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(_OPENING_ATTEMPTS):
        try:
            file = path.open("x+b")
        except FileExistsError:
            if not _remove_unlocked(path):
                raise UploadInFlightError from None
            continue
        try:
            if _lock(file, path):
                return file, path
        except OSError:  # there are no locks here, and no reservations: the database alone keeps the upload one
            if key is None:
                return file, path
            path.unlink(missing_ok=True)
            file.close()
            return _open_part(None)
        file.close()
    raise UploadInFlightError


def _lock(file: BinaryIO, path: Path) -> bool:
    """Locks an open file until it is closed. False when another has it locked, or the name is not its name any more.

    Raises OSError where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _open_unlocked(path: Path) -> BinaryIO | None:
    """The file of that name, now locked; None when a request holds it, or nobody can know."""
    try:
        file = path.open("r+b")
    except OSError:
        return None
    try:
        if _lock(file, path):
            return file
    except OSError:
        pass
    file.close()
    return None


def _remove_unlocked(path: Path) -> bool:
    file = _open_unlocked(path)
    if file is None:
        return False
    with file:
        path.unlink()
    return True


def _id_of_old(path: Path) -> uuid.UUID | None:
    try:
        is_old = path.stat().st_mtime < time.time() - ABANDONED_AFTER
        return uuid.UUID(path.stem) if is_old else None
    except (FileNotFoundError, ValueError):
        return None


@functools.cache
def _sync_above(folder: Path) -> None:
    """Once in every process, because any of them may just have made the folder, which is an entry of the one above."""
    _sync_folder(folder.parent)
    _sync_folder(folder.parent.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
