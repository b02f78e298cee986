"""A file on its way to the server, piece by piece."""

import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

PIECE_BYTES = 1 << 18
#: Called with the bytes so far and the bytes in all, which may be unknown.
Progress = Callable[[int, int | None], None]


class Body:
    """The rest of a file as the body of a request, in pieces. `on_piece` is told the bytes so far and in all.

    It has a length, and is sent as it is, without being kept.
    """

    def __init__(self, file: BinaryIO, on_piece: Progress) -> None:
        self._file = file
        self._on_piece = on_piece
        self._start = file.tell()
        self._size = file.seek(0, 2) - self._start
        self._sent = 0
        self.rewind()

    def rewind(self) -> None:
        self._file.seek(self._start)
        self._sent = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(PIECE_BYTES):
            yield piece
            self._sent += len(piece)
            self._on_piece(self._sent, self._size)


def opened(source: str | Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    """The file of that name; a file that is open already stays open."""
    return Path(source).open("rb") if isinstance(source, str | Path) else nullcontext(source)


def name_of(source: str | Path | BinaryIO) -> str:
    name = source if isinstance(source, str | Path) else getattr(source, "name", "")
    return Path(name).name if isinstance(name, str | Path) and name else "stdin"


def packed(file: BinaryIO) -> BinaryIO:
    """The rest of a file, packed by gzip into a temporary one: its length and digest go ahead of it, and it may have to
    be sent again."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=target, mtime=0) as archive:
        shutil.copyfileobj(file, archive, PIECE_BYTES)
    target.seek(0)
    return target


def digest_of(file: BinaryIO) -> bytes:
    """The SHA-256 of the rest of a file, which is left where it was."""
    start = file.tell()
    digest = hashlib.sha256()
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
    file.seek(start)
    return digest.digest()
