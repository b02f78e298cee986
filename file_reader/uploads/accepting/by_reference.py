"""A file that is named instead of sent: fetched by http(s), or copied from IMPORT_DIR, while the request waits."""

import asyncio
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from django.conf import settings

from uploads.accepting.body_problems import too_large
from uploads.addresses import AddressError, check_address
from uploads.errors import FetchError, FetchesBusyError, OptionError
from uploads.files.incoming import Incoming
from uploads.files.room import check_room


class _Members(list[tuple[str, Any]]):
    """Those of a JSON object, all of them: one that is given twice is refused."""


#: How long a file may take, in seconds; the gateway gives up on a silent service after 75 s.
FETCH_SECONDS = 60.0
_PIECE_BYTES = 1 << 20
#: Files that one process fetches at once: each holds a thread for as long as its source likes.
_fetches = BoundedSemaphore(4)


def receive_named(members: list[tuple[str, Any]], incoming: Incoming, give: Callable[[str, str], None]) -> str:
    """Writes the file that the member `url` names to `incoming`, gives the other members as options, and returns the
    file's name.

    Raises OptionError for an address or a path that is not taken, FetchError for a file that cannot be had.
    """
    source = ""
    for name, value in members:
        if value is None:  # as if it were not given
            continue
        if name == "url":
            source = _text(name, value)
        else:
            give(name, _text(name, value))
    if not source:
        raise OptionError("url", source, "the address of a file, as a member of the JSON object")
    if "://" not in source:
        with imported(source) as file:
            copy_file(file, incoming)
        return source
    try:
        check_address(source, settings.WEBHOOK_ALLOWED_HOSTS)
    except AddressError as error:
        raise OptionError("url", source, str(error)) from None
    if not _fetches.acquire(blocking=False):
        raise FetchesBusyError
    try:
        asyncio.run(_fetch(source, incoming))
    finally:
        _fetches.release()
    return unquote(urlsplit(source).path)


def named_file(body: bytes) -> list[tuple[str, Any]] | None:
    """The members of a JSON object that names a file, as they stand there; None for what is the file itself.

    That begins with an array, has several objects, or says what it is (`type` of GeoJSON).
    """
    try:
        members = json.loads(body, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return None
    return None if not isinstance(members, _Members) or any(name == "type" for name, _ in members) else members


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise OptionError(name, json.dumps(value), "a text, a number, true or false")
    return value if isinstance(value, str) else json.dumps(value)


def _take(piece: bytes, incoming: Incoming) -> None:
    check_room(len(piece))
    incoming.write(piece)
    if incoming.size > settings.MAX_UPLOAD_BYTES:
        raise too_large()


async def _fetch(url: str, incoming: Incoming, condition: Mapping[str, str] | None = None) -> Mapping[str, str] | None:
    """The headers of the answer; None where the file is as the condition has it."""
    from uploads.outbound import CallError, called  # aiohttp is 20 MB, which no other request needs

    options = {"headers": {"User-Agent": "file_reader", "Accept-Encoding": "identity", **(condition or {})}}
    try:
        async with called(
            "GET", url, seconds=FETCH_SECONDS, allowed=settings.WEBHOOK_ALLOWED_HOSTS, **options
        ) as answer:
            if condition and answer.status == 304:
                return None
            if answer.status != 200:
                raise FetchError(url, f"the answer is {answer.status}")
            if (answer.content_length or 0) > settings.MAX_UPLOAD_BYTES:
                raise too_large()
            async for piece in answer.content.iter_any():
                _take(piece, incoming)
            return answer.headers
    except CallError as error:
        raise FetchError(url, str(error)) from None


def copy_file(file: BinaryIO, incoming: Incoming) -> None:
    """Writes all of an open file to `incoming`. Raises Problem above MAX_UPLOAD_BYTES, DiskNearlyFullError."""
    while piece := file.read(_PIECE_BYTES):
        _take(piece, incoming)


def fetch_newer(url: str, incoming: Incoming, version: str) -> str | None:
    """Writes the file at that address to `incoming`, unless it still has that version. Returns its version: the ETag,
    or when it was changed, as the server says it, and empty when it says neither. None: it is the same.

    Raises OptionError, FetchError, Problem, DiskNearlyFullError.
    """
    try:
        check_address(url, settings.WEBHOOK_ALLOWED_HOSTS)
    except AddressError as error:
        raise OptionError("url", url, str(error)) from None
    name, _, value = version.partition(": ")
    condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    headers = asyncio.run(_fetch(url, incoming, {condition[name]: value} if value else {}))
    if headers is None:
        return None
    return next((f"{header}: {headers[header]}" for header in condition if header in headers), "")


def imported(source: str) -> BinaryIO:
    """A file below IMPORT_DIR. No link is followed, wherever in the path it is; raises OptionError for all others."""
    folder = settings.IMPORT_DIR
    accepted = "http://… or https://…" + (", or the path of a file below IMPORT_DIR" if folder else "")
    refused = OptionError("url", source, accepted)
    if folder is None:
        raise refused
    try:
        *folders, name = (Path(folder) / source).relative_to(folder).parts
        if ".." in folders or name == "..":
            raise refused
        return _opened(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), folders, name)
    except (OSError, ValueError):
        raise refused from None


def _opened(folder: int, folders: list[str], name: str) -> BinaryIO:
    try:
        for step in folders:
            below = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        # A pipe would have us wait for its writer.
        file = open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")  # noqa: SIM115, PTH123 - by its number
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ValueError
    return file
