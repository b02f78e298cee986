"""Sources: folders and addresses in which new and changed files are looked for.

Each version of a file is accepted once. A version is its content: what is cheap to ask (size and times, ETag) only says
whether it may have changed. Any number of processes may look at once: who takes a file holds its reservation, and looks
at its row again.
"""

import fnmatch
import hashlib
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Least, Now
from django.utils import timezone

from service_kit.database_errors import database_is_away
from service_kit.problems import Problem
from uploads.accepting.accept import accept_upload, scoped_key
from uploads.accepting.by_reference import copy_file, fetch_newer, imported
from uploads.accepting.options import parse_options
from uploads.accepting.quotas import check_before
from uploads.accepting.request_body import display_name
from uploads.accepting.telling import detected_dialect, opened_table
from uploads.errors import (
    BacklogFullError,
    DiskNearlyFullError,
    FetchError,
    OptionError,
    QuotaExceededError,
    UploadError,
    UploadInFlightError,
)
from uploads.files.incoming import Incoming
from uploads.models import Source, SourceFile, SourceFileState, SourceKind
from uploads.reading.errors import ReadingError

logger = logging.getLogger(__name__)

#: What programs call files that are not whole yet.
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
#: Not the file's fault: the look ends, and the next one tries again.
_NOT_NOW = (BacklogFullError, DiskNearlyFullError, FetchError, QuotaExceededError)


class SourceError(Exception):
    """A source that cannot be looked at; the message says why."""


@dataclass
class Look:
    """How many files a look accepted, refused, and left because they are new or being written."""

    accepted: int = 0
    refused: int = 0
    left: int = 0


class _ChangedError(Exception):
    """The file is another one than it was when the look began."""


def due_sources() -> QuerySet[Source]:
    """Those that are to be looked at now."""
    return Source.objects.filter(enabled=True, due_at__lte=Now())


def look_at_all_due(is_stopping: Callable[[], bool]) -> None:
    """Looks at what is due; what goes wrong is logged, and left to the next look. For a thread of its own."""
    try:
        for source in due_sources():
            if is_stopping():
                break
            # Who is first has it. A look that lasts longer than that may meet another one.
            if due_sources().filter(pk=source.pk).update(due_at=Now() + timedelta(minutes=source.minutes)):
                look(source, is_stopping=is_stopping)
    except Exception as error:
        if not database_is_away(error):
            logger.exception("sources cannot be looked at")
        else:
            logger.warning("database trouble, sources are looked at later: %s", error)
    finally:
        connection.close()


def look(source: Source, *, path: str | None = None, is_stopping: Callable[[], bool] = lambda: False) -> Look:
    """Accepts what is new or changed in a source, or that file of it; what is wrong with the source stands in it."""
    result, error = Look(), ""
    done = source.sourcefile_set.exclude(state=SourceFileState.NEW)
    known = dict(done.values_list("path", "stamp")) if source.kind == SourceKind.FOLDER else {}
    try:
        for found, stamp in _found(source, path):
            if is_stopping():
                break
            if known.get(found) == stamp:
                continue
            _consider(source, found, stamp, result)
    except (SourceError, *_NOT_NOW) as trouble:
        error = str(trouble)
        logger.warning("source source=%s error=%s", source.pk, type(trouble).__name__)
    Source.objects.filter(pk=source.pk).update(looked_at=Now(), error=error)
    if result.left:
        soon = Now() + timedelta(seconds=source.quiet_seconds)
        Source.objects.filter(pk=source.pk).update(due_at=Least(F("due_at"), soon))
    if result.accepted or result.refused or result.left:
        logger.info(
            "source source=%s accepted=%d refused=%d left=%d", source.pk, result.accepted, result.refused, result.left
        )
    return result


def check_source(source: Source) -> None:
    """Raises SourceError, or OptionError, for what can be told without looking at it."""
    options = source.options
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise SourceError("options: an object whose values are texts.")
    parse_options(options)
    if source.minutes < 1:
        raise SourceError("every … minutes: at least 1.")
    if source.kind == SourceKind.FOLDER:
        _folder(source)
    if source.owner_id is None and settings.AUTH == "required":
        raise SourceError("owner: with AUTH=required, nobody would see uploads without one.")


def forget_refused(source: Source) -> None:
    """What was refused is tried again, as what is wrong with it may have been the options."""
    refused = SourceFile.objects.filter(source=source, state=SourceFileState.REFUSED)
    refused.update(state=SourceFileState.NEW, stamp="", sha256="", detail="")


def _folder(source: Source) -> Path:
    if settings.IMPORT_DIR is None:
        raise SourceError("IMPORT_DIR is not set: there are no folders to look at.")
    if Path(source.place).is_absolute() or ".." in Path(source.place).parts:
        raise SourceError("place: a path below IMPORT_DIR.")
    folder = Path(settings.IMPORT_DIR) / source.place
    if folder.resolve() != Path(settings.IMPORT_DIR).resolve() / source.place:
        raise SourceError("place: a path without links.")
    return folder


def _found(source: Source, path: str | None) -> Iterator[tuple[str, str]]:
    """The files of a source with their stamps; of an address its own, whose stamp is not known yet."""
    if source.kind == SourceKind.ADDRESS:
        yield "", ""
        return
    folder = _folder(source)
    if not folder.is_dir():
        raise SourceError(f"There is no folder {source.place!r} below IMPORT_DIR, or it cannot be read.")
    for name in _paths(folder) if path is None else [path]:
        parts = Path(name).parts
        if ".." in parts or any(part.startswith(".") for part in parts) or name.endswith(_UNFINISHED):
            continue
        if fnmatch.fnmatchcase(name, source.pattern) and (stamp := _stamp_of(folder / name)):
            yield name, stamp


def _paths(folder: Path) -> Iterator[str]:
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield str((Path(top) / name).relative_to(folder))


def _stamp_of(file: Path | int) -> str:
    """Empty when it is gone, or no file."""
    try:
        found = os.fstat(file) if isinstance(file, int) else file.lstat()
    except OSError:
        return ""
    if not stat.S_ISREG(found.st_mode):
        return ""
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}-{found.st_ino}"


def _consider(source: Source, path: str, stamp: str, result: Look) -> None:
    """Takes a file that is new or changed, when it has been as it is for long enough."""
    file, is_new = SourceFile.objects.get_or_create(source=source, path=path, defaults={"stamp": stamp})
    if source.kind == SourceKind.FOLDER:
        if is_new or file.stamp != stamp:
            SourceFile.objects.filter(pk=file.pk).update(stamp=stamp, seen_at=Now(), state=SourceFileState.NEW)
        # Twice seen alike, by our clock: that of the folder's machine may differ.
        quiet = timezone.now() - timedelta(seconds=source.quiet_seconds)
        if is_new or file.stamp != stamp or file.seen_at > quiet:
            result.left += 1
            return
    try:
        _take(source, file, stamp, result)
    except (UploadInFlightError, _ChangedError):
        result.left += 1
    except OptionError as error:
        if source.kind == SourceKind.ADDRESS:
            raise SourceError(str(error)) from None
        result.left += 1  # it was removed just now, or may not be read
    except OSError as error:
        raise SourceError(f"It cannot be read, or not be stored: {error.strerror}.") from error


def _take(source: Source, file: SourceFile, stamp: str, result: Look) -> None:
    # Who has this name reserved is the only one who takes the file.
    with Incoming(f"source {source.pk} {file.path}") as sent:
        file.refresh_from_db()
        if source.kind == SourceKind.FOLDER:
            if file.stamp != stamp or file.state != SourceFileState.NEW:
                return  # somebody else was quicker
            with imported(str(Path(source.place) / file.path)) as opened:
                copy_file(opened, sent)
                if _stamp_of(opened.fileno()) != stamp:
                    raise _ChangedError
        else:
            newer = fetch_newer(source.place, sent, file.stamp)
            if newer is None:
                return
            stamp = newer
        if sent.sha256 == file.sha256:  # the same content, with another date
            _note(file, stamp, state=SourceFileState.REFUSED if file.detail else SourceFileState.ACCEPTED)
            return
        try:
            upload = _accept(source, file, sent)
        except _NOT_NOW:
            raise
        except (ReadingError, UploadError, Problem) as error:
            _note(file, stamp, state=SourceFileState.REFUSED, sha256=sent.sha256, upload_id=None, detail=_words(error))
            result.refused += 1
        else:
            _note(
                file, stamp, state=SourceFileState.ACCEPTED, sha256=sent.sha256, upload_id=upload.public_id, detail=""
            )
            result.accepted += 1


def _accept(source: Source, file: SourceFile, sent: Incoming) -> Any:
    version = hashlib.sha256(f"{source.pk}\0{file.path}\0{sent.sha256}".encode()).hexdigest()
    key = scoped_key(source.owner_id, f"source-{version}")
    check_before(source.owner_id, key, sent.size)
    options = parse_options(source.options)
    name = file.path or unquote(urlsplit(source.place).path)
    with sent.table(settings.MAX_UPLOAD_BYTES) as table:
        with opened_table(table, options.declared.sheet) as stream:
            dialect = detected_dialect(table, stream, options.declared)
        return accept_upload(
            sent=sent,
            table=table,
            filename=display_name(source.options.get("filename") or name),
            dialect=dialect,
            max_distance=options.max_distance,
            owner_id=source.owner_id,
            idempotency_key=key,
            options=options.said,
        )


def _note(file: SourceFile, stamp: str, **changed: Any) -> None:
    SourceFile.objects.filter(pk=file.pk).update(stamp=stamp, **changed)


def _words(error: Exception) -> str:
    return error.message if isinstance(error, Problem) else str(error)
