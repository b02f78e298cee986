"""Streams that give little at a time."""

import io
from typing import Any


class Drip(io.RawIOBase):
    """A stream whose reads return at most `size` bytes, as those of a pipe may."""

    def __init__(self, content: bytes, size: int) -> None:
        self._stream = io.BytesIO(content)
        self._size = size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, target: Any) -> int:
        return self._stream.readinto(memoryview(target)[: self._size])


class Endless(io.BytesIO):
    """A stream that goes on with the same for ever; `taken` counts the bytes that were read."""

    def __init__(self, beginning: bytes, again: bytes) -> None:
        super().__init__(beginning)
        self._again = again
        self.taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "nobody can read to the end"
        data = super().read(size) or self._again * (size // len(self._again))
        self.taken += len(data)
        assert self.taken < 64 << 20, "nobody stops"
        return data
