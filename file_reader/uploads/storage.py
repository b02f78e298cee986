"""Uploaded files on disk. A file is accepted when it is whole, hashed, synced and under its final name."""

import contextlib
import hashlib
import logging
import os
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings

logger = logging.getLogger(__name__)

#: A file that nobody has written to for this long (seconds) belongs to a request that is gone.
ABANDONED_AFTER = 3_600


def path_of(public_id: uuid.UUID) -> Path:
    """Where the file of an upload is. Its name says nothing of the name that people gave it."""
    return Path(settings.UPLOADS_DIR) / "files" / f"{public_id.hex}.csv"


def open_upload(public_id: uuid.UUID) -> BinaryIO:
    """The file of an upload, for reading."""
    return path_of(public_id).open("rb")


def remove_file(public_id: uuid.UUID) -> None:
    """Removes the file of an upload; no error when it is gone already."""
    path_of(public_id).unlink(missing_ok=True)


class Incoming:
    """A file that is arriving: written to a temporary name while its hash is taken.

    Leaving the `with` block removes whatever was not kept. OSError (disk full) comes through to the caller.
    """

    def __init__(self) -> None:
        folder = Path(settings.UPLOADS_DIR) / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{uuid.uuid4().hex}.part"
        self._hash = hashlib.sha256()
        self._file = self._path.open("w+b")
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what a full disk did not take is thrown away anyway
            self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Appends bytes as they come."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def head(self, size: int) -> bytes:
        """The first `size` bytes of what was written."""
        self._file.flush()
        return os.pread(self._file.fileno(), size, 0)

    def keep(self, public_id: uuid.UUID) -> None:
        """Makes the file the upload's: synced, renamed, and the folder synced, so that a power cut cannot undo it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        target = path_of(public_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def collect_abandoned() -> int:
    """Removes temporary files whose request died; returns how many."""
    count = 0
    oldest = time.time() - ABANDONED_AFTER
    for path in (Path(settings.UPLOADS_DIR) / "incoming").glob("*.part"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
                count += 1
        except FileNotFoundError:
            continue
    if count:
        logger.info("temporary files collected count=%s", count)
    return count
