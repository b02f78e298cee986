"""Whole results of uploads that have ended are kept in files, so that a download that broke off goes on."""

import contextlib
import io
import logging
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from uploads.errors import DiskNearlyFullError, UploadInFlightError
from uploads.files.incoming import Incoming
from uploads.files.room import check_room
from uploads.files.stored import results_of
from uploads.models import ENDED_STATES, Upload
from uploads.results.pieces import UploadGoneError

logger = logging.getLogger(__name__)

#: To be raised when a format is written in another way: who has a part of a file must not get the rest of another.
_EDITION = 1
#: How long a request waits for another one that writes the same result (seconds); the gateway waits a little longer.
_PATIENCE = 60.0


def version_of(upload: Upload) -> str | None:
    """Another for every end of the work on an upload; None while it goes on, for then the answers change."""
    if upload.state not in ENDED_STATES or upload.finished_at is None:
        return None
    text = f"{_EDITION} {upload.public_id} {upload.state} {upload.finished_at.isoformat()}"
    return blake2b(text.encode(), digest_size=12).hexdigest()


def path_of_result(upload: Upload, suffix: str) -> Path:
    """Where the whole result of this end of the work is, or would be."""
    return results_of(upload.public_id) / f"{version_of(upload)}.{suffix}"


def kept_result(upload: Upload, suffix: str) -> io.FileIO | None:
    """The whole result, if it is kept; it may go at any time."""
    try:
        file = io.FileIO(path_of_result(upload, suffix))
    except FileNotFoundError:
        return None
    with contextlib.suppress(FileNotFoundError):
        path_of_result(upload, suffix).touch()  # results that nobody asks for are removed
    return file


def keeping(upload: Upload, suffix: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a whole result, which is kept when all of them were taken; unless the disk is nearly full, or
    another request is writing it."""
    with contextlib.ExitStack() as stack:
        part: Incoming | None = None
        with contextlib.suppress(OSError, UploadInFlightError):
            part = stack.enter_context(Incoming(_key(upload, suffix)))
        for piece in pieces:
            if part and not _is_written(part, piece):
                part = None
                stack.close()
            yield piece
        if part:
            _keep(part, path_of_result(upload, suffix), upload)


def written(upload: Upload, suffix: str, pieces: Iterable[bytes]) -> io.FileIO | None:
    """The whole result, which is written now, or by another request that is at it; None when it cannot be kept."""
    end = time.monotonic() + _PATIENCE
    while (file := kept_result(upload, suffix)) is None:
        try:
            with Incoming(_key(upload, suffix)) as part:
                if all(_is_written(part, piece) for piece in pieces):
                    _keep(part, path_of_result(upload, suffix), upload)
            return kept_result(upload, suffix)
        except UploadInFlightError:
            if time.monotonic() > end:
                return None
            time.sleep(0.1)
        except (OSError, UploadGoneError):
            return None
    return file


def _key(upload: Upload, suffix: str) -> str:
    """What reserves the writing of a result for one request."""
    return f"result {version_of(upload)} {suffix}"


def _is_written(part: Incoming, piece: bytes) -> bool:
    try:
        check_room(settings.MIN_FREE_BYTES)  # of what is free, a part stays for files that people send
        part.write(piece)
    except (OSError, DiskNearlyFullError) as error:
        logger.info("a result is not kept: %s", error)
        return False
    return True


def _keep(part: Incoming, path: Path, upload: Upload) -> None:
    with contextlib.suppress(OSError):
        part.keep_as(path)
        # Only now: whoever retries or deletes the upload removes its results after saying so.
        found = Upload.objects.filter(pk=upload.pk, deleted_at=None).first()
        if found is None or version_of(found) != version_of(upload):
            path.unlink(missing_ok=True)
