"""A result on its way from the server. It goes on where a connection, or the program, broke off."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

from postcodes_cli.answers import Upload
from postcodes_cli.errors import ResultError, RetryableError, UnreachableError
from postcodes_cli.sending import PIECE_BYTES, Progress
from postcodes_cli.transport import TRANSFER_SECONDS, Transport

if sys.platform != "win32":
    import fcntl


#: So much of a result is written before the disk is told to begin with it.
_SYNCED_BYTES = 16 << 20


class Download:
    """One result in one format, from byte `position` of the version `tag` (its ETag) on."""

    def __init__(
        self,
        transport: Transport,
        path: str,
        params: Mapping[str, Any],
        *,
        position: int = 0,
        tag: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._transport = transport
        self._path = path
        self._params = params
        self._progress = progress or (lambda _so_far, _of: None)
        self.position = position
        self.tag = tag
        #: The bytes of the whole; None as long as nobody has said so.
        self.size: int | None = None

    def pieces(self) -> Iterator[bytes]:
        """The rest of it. After a connection that broke off it goes on with the next byte.

        Raises ResultError when the result has changed meanwhile: then what is there is no beginning of it.
        """
        patience = self._transport.patience()
        while True:
            try:
                with self._asked(patience) as (pieces, skip):
                    for piece in pieces:
                        patience.renew()
                        new = piece[skip:]
                        skip -= len(piece) - len(new)
                        if new:
                            self.position += len(new)
                            self._progress(self.position, self.size)
                            yield new
                if self.size is not None and self.position != self.size:
                    raise UnreachableError(f"the result broke off after {self.position:,} of {self.size:,} bytes")
            except RetryableError as error:
                patience.wait(error)
            else:
                return

    @contextmanager
    def _asked(self, patience: Any) -> Iterator[tuple[Iterator[bytes], int]]:
        """An answer that has the rest, in pieces, and how many bytes of it are here already."""
        # A file that is packed on the way has no ranges.
        headers = {"Accept-Encoding": "identity"}
        goes_on = bool(self.position and self.tag)
        if self.position and self.tag:
            headers |= {"Range": f"bytes={self.position}-", "If-Range": self.tag}
        answer = self._transport.call(
            "GET",
            self._path,
            params=self._params,
            headers=headers,
            stream=True,
            seconds=TRANSFER_SECONDS,
            expected=(416,) if goes_on else (),
            patience=patience,
        )
        with answer:
            tag = answer.headers.get("ETag")
            if self.position and (self.tag is None or tag != self.tag):
                raise ResultError("The result has changed since its beginning was downloaded")
            self.tag = tag
            if answer.status == 416:  # it is all here
                said = answer.headers.get("Content-Range", "").rpartition("/")[2]
                if said != str(self.position):
                    raise ResultError(f"{self.position:,} bytes are here, the result has {said or 'another number'}")
                self.size = self.position
                yield iter(()), 0
                return
            length = answer.headers.get("Content-Length")
            is_part = answer.status == 206
            if length is not None:
                self.size = int(length) + (self.position if is_part else 0)
            yield answer.pieces(), 0 if is_part else self.position


def save(
    download: Download,
    target: Path,
    upload: Upload,
    *,
    check: str | None,
    before_rename: Callable[[Path], None] | None = None,
) -> None:
    """Writes a result to `target`: to `target`.part, which is synced and renamed when it is whole.

    A part that is there already, of the same version, is gone on with; what version it is stands in `target`.part.etag.
    `check` is how its rows are counted, see `_Lines.check`. `before_rename` is told of the part when it is whole.
    Raises ResultError when another program is writing it, or when it has not the rows that it should have.
    """
    part = target.with_name(f"{target.name}.part")
    tag_file = target.with_name(f"{target.name}.part.etag")
    with part.open("a+b") as file:
        _lock(file, part)
        download.position = file.seek(0, os.SEEK_END)
        download.tag = _read(tag_file) if download.position else None
        if download.tag is None:
            download.position = 0
        try:
            try:
                lines = _write(download, file, part, tag_file)
            except ResultError:  # it has changed: from its beginning, once
                download.position, download.tag = 0, None
                lines = _write(download, file, part, tag_file)
        except BaseException:
            if not download.position:  # nothing has come: there is nothing to go on with
                part.unlink(missing_ok=True)
            raise
        os.fsync(file.fileno())
        tag_file.unlink(missing_ok=True)  # a part that has not all rows is not gone on with
        lines.check(part, upload, check)
        if before_rename:
            before_rename(part)
        part.replace(target)
    _sync(target.parent)


class _Lines:
    """The lines of a result, counted as it comes."""

    def __init__(self) -> None:
        self._line_feeds = 0
        self._last = b""

    def add(self, piece: bytes) -> None:
        self._line_feeds += piece.count(b"\n")
        self._last = piece

    def check(self, path: Path, upload: Upload, check: str | None) -> None:
        """`each` row has one (NDJSON), or `at least` (CSV, where cells may have more); None is any number.

        Raises ResultError when rows are missing.
        """
        rows = upload["rows"]["read"]
        is_open = bool(self._last) and not self._last.rstrip(b"\0").endswith((b"\n", b"\r"))
        lines = self._line_feeds + is_open
        if check and lines < rows:  # lines may also end by a carriage return alone
            lines = max(self._line_feeds, _returns_in(path)) + is_open
        if check and (lines < rows or (check == "each" and lines != rows)):
            raise ResultError(f"{path} has {lines:,} lines, and the upload {rows:,} rows: it is not the whole result")


def _returns_in(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\r") for piece in iter(lambda: file.read(PIECE_BYTES), b""))


def _write(download: Download, file: BinaryIO, part: Path, tag_file: Path) -> _Lines:
    """Writes the rest of it, and counts all of it."""
    lines = _Lines()
    if download.position == 0:
        file.truncate(0)
        tag_file.unlink(missing_ok=True)
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        lines.add(piece)
    known = download.tag
    syncing = Thread()
    written = 0
    for piece in download.pieces():
        if download.tag != known:
            known = download.tag
            tag_file.write_text(known or "")
        lines.add(piece)
        file.write(piece)
        file.flush()
        written += len(piece)
        # The disk works while more comes, so that the last sync is short.
        if written > _SYNCED_BYTES and not syncing.is_alive():
            written = 0
            syncing = Thread(target=_sync, args=(part,), daemon=True)
            syncing.start()
    return lines


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except OSError:
        return None


def _lock(file: BinaryIO, part: Path) -> None:
    """For as long as the file is open. On Windows, nobody guards against two programs that write one file."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have renamed it since it was opened here: then it is a result by now, and not ours.
            is_here = os.path.samestat(os.fstat(file.fileno()), part.stat())
        except OSError:
            is_here = False
        if not is_here:
            raise ResultError(f"Another program is writing {part}") from None


def _sync(path: Path) -> None:
    """A file, or a folder: a new name is there after a crash of the machine, too. By a descriptor of its own: what
    goes wrong is also told to the one that has the file open."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
