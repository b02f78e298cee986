"""A service's answer, read as quickly as the service gives it: a slow client does not hold the service's thread."""

import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp

from gateway.spool import PIECE_BYTES, Spool

logger = logging.getLogger("gateway.ahead")

#: What breaks an answer off.
BREAKS = (aiohttp.ClientError, OSError, TimeoutError)


class Ahead:
    """Reads an answer into a spool. One task reads (`read`) while the client takes the pieces."""

    def __init__(self, answer: aiohttp.StreamReader, spool: Spool) -> None:
        self._answer = answer
        self._spool = spool
        self._came = asyncio.Event()
        self._went = asyncio.Event()
        self._ended = False
        #: More could not be read ahead, at least once: the service waits for the client.
        self.is_full = False
        self._error: BaseException | None = None

    async def read(self) -> None:
        """Read the answer to its end, or until it breaks off. Waits while the spool is full."""
        try:
            async for piece in self._answer.iter_any():
                while not await self._put(piece):
                    self.is_full = True
                    self._went.clear()
                    await self._went.wait()
                self._came.set()
        except BREAKS as error:
            self._error = error
        finally:
            self._ended = True
            self._came.set()

    async def pieces(self) -> AsyncIterator[memoryview]:
        """What came, in small pieces. Raises what broke the answer off, after all that came before."""
        while True:
            while piece := await self._spool.get():
                self._went.set()
                view = memoryview(piece)
                for start in range(0, len(view), PIECE_BYTES):
                    yield view[start : start + PIECE_BYTES]
            if self._ended:
                break
            self._came.clear()
            await self._came.wait()
        if self._error is not None:
            raise self._error

    async def _put(self, piece: bytes) -> bool:
        try:
            return await self._spool.put(piece)
        except OSError as error:
            logger.warning("an answer waits for its client error=%r", str(error))
            return False
