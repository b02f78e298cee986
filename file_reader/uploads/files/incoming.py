"""Uploaded files on disk. A file is accepted when it is whole, hashed, synced and under its final name.

The request that writes a file holds a lock (flock) on it until its upload is committed. The lock ends with its process,
however that ends: a file that can be locked belongs to no request, and nothing has to wait for a time-out.
"""

import contextlib
import functools
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from uploads.errors import UploadInFlightError
from uploads.files.locks import lock, remove_unlocked
from uploads.files.room import check_room
from uploads.files.stored import forget_intent, incoming_folder, intent_of, path_of
from uploads.reading.containers import as_table, check_unwrapped, is_zip, unwrapped
from uploads.reading.formats.converting import Origin, converted, kind_of

_OPENING_ATTEMPTS = 10
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 16


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
        #: What it was before it became a table.
        self.origin = Origin()

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
    def table(self, max_bytes: int) -> "Iterator[Incoming]":
        """What was sent, or a file with what is in the gzip data or the zip archive; of JSON, GPX and KML it as CSV.

        Raises ReadingError when it is damaged, cannot be read, has more than `max_bytes` or not one table in it.
        """
        self._file.flush()
        with contextlib.ExitStack() as opened:
            table, left = self, list[str]()
            if (pieces := unwrapped(self._file, left, max_bytes=max_bytes)) is not None:
                table = opened.enter_context(_written(pieces))
                check_unwrapped(table._file, max_bytes=max_bytes)
            if (kind := kind_of(table._file)) is not None:
                origins: list[Origin] = []
                table = opened.enter_context(_written(converted(table._file, kind, origins, max_bytes=max_bytes)))
                table.origin = origins[0]
            table.origin.left.extend(left)
            yield table

    def open_table(self, sheet: str = "") -> BinaryIO:
        """The table as far as it was written, for reading from its beginning; of a workbook that sheet."""
        self._file.flush()
        return as_table(self._path.open("rb"), sheet)

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
        self._sync()
        target = path_of(public_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync_above(target.parent)
        # Should this process die before its commit, this says that the file may have no upload. Nothing else does: a
        # database that does not know a file may be another one, or an older copy.
        self._public_id = public_id
        intent_of(public_id).touch()
        self._rename(target)
        _sync_folder(target.parent)
        self._kept = True

    def keep_as(self, target: Path) -> None:
        """Gives the file this name: whoever finds it there finds it whole. After a power cut it may not be there."""
        self._sync()
        target.parent.mkdir(parents=True, exist_ok=True)
        self._rename(target)
        self._kept = True

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _rename(self, target: Path) -> None:
        self._path.rename(target)
        self._path = target


@contextlib.contextmanager
def _written(pieces: Iterator[bytes]) -> Iterator[Incoming]:
    """A file with this content."""
    with Incoming() as content:
        for piece in pieces:
            check_room()
            content.write(piece)
        content._file.flush()
        yield content


def _open_part(key: str | None) -> tuple[BinaryIO, Path]:
    """A temporary file that is new and locked. One that was there before is never written to: by the time that it is
    open it may have become an upload's.
    """
    name = uuid.uuid4().hex if key is None else hashlib.sha256(key.encode()).hexdigest()
    path = incoming_folder() / f"{name}.part"
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(_OPENING_ATTEMPTS):
        try:
            file = path.open("x+b")
        except FileExistsError:
            if not remove_unlocked(path):
                raise UploadInFlightError from None
            continue
        try:
            if lock(file, path):
                return file, path
        except OSError:  # there are no locks here, and no reservations: the database alone keeps the upload one
            if key is None:
                return file, path
            path.unlink(missing_ok=True)
            file.close()
            return _open_part(None)
        file.close()
    raise UploadInFlightError


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
