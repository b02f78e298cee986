"""Bytes that wait in the gateway: the first of them in memory, the others in a temporary file that has no name."""

import asyncio
import os
import tempfile
import weakref
from collections import deque

#: What is read from a file at once.
PIECE_BYTES = 65_536


class Room:
    """How many bytes all files of one kind may still take together."""

    def __init__(self, size: int) -> None:
        self.left = size


class Spool:
    """A queue of bytes. One task may put while another one gets.

    The file is a ring of at most `most` bytes: what was got makes place for what is put.
    """

    def __init__(self, *, memory: int, most: int, room: Room) -> None:
        self._memory = memory
        self._most = most
        self._room = room
        self._pieces: deque[bytes] = deque()
        self._in_memory = 0
        self._file: _File | None = None
        #: Counted since the file was empty; the place in the file is the remainder by `most`.
        self._got = self._put = 0
        #: So large is the file.
        self._size = 0
        self._disk_is_full = False

    async def put(self, piece: bytes) -> bool:
        """False where there is no room for the piece now. Raises `OSError` where the disk has none: nothing was put."""
        if self._put == self._got and (not self._in_memory or self._in_memory + len(piece) <= self._memory):
            self._pieces.append(piece)
            self._in_memory += len(piece)
            return True
        if self._put == self._got:  # nothing is left in the file, and nobody reads it: it begins anew
            self._put = self._got = 0
        grows = max(0, min(self._put + len(piece), self._most) - self._size)
        if self._disk_is_full or self._put - self._got + len(piece) > self._most or grows > self._room.left:
            return False
        self._room.left -= grows
        self._size += grows
        try:
            self._file = self._file or _File(self._most)
            await asyncio.to_thread(self._file.write, self._put, piece)
        except OSError:
            self._disk_is_full = True
            raise
        self._put += len(piece)
        return True

    async def get(self) -> bytes:
        """The next bytes; none when there are none now."""
        if self._pieces:
            piece = self._pieces.popleft()
            self._in_memory -= len(piece)
            return piece
        if self._file is None or self._put == self._got:
            return b""
        piece = await asyncio.to_thread(self._file.read, self._got, min(PIECE_BYTES, self._put - self._got))
        self._got += len(piece)
        return piece

    def close(self) -> None:
        """Throw away what nobody has got."""
        self._pieces.clear()
        self._file = None
        self._room.left += self._size
        self._size = 0


class _File:
    """A ring of bytes on disk.

    It closes itself when nobody holds it any more. A thread may still be writing when the request is over, and must not
    find another file under its number.
    """

    def __init__(self, size: int) -> None:
        self._ring = size
        with tempfile.TemporaryFile(buffering=0) as file:
            self._number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._number)

    def write(self, position: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            place = position % self._ring
            written = os.pwrite(self._number, rest[: self._ring - place], place)
            position, rest = position + written, rest[written:]

    def read(self, position: int, size: int) -> bytes:
        place = position % self._ring
        return os.pread(self._number, min(size, self._ring - place), place)
