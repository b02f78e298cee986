"""A client's body on its way to a service: taken first, then given; counted, capped, timed, never made whole.

A service's thread is only worth something while it works. So the whole of a small body is here before the service is
asked, and of a large upload the beginning.
"""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import HttpVersion11, web

from gateway import problems
from gateway.aiohttp_private import INVALID_BODY, say_continue
from gateway.limits import MIB, Limits
from gateway.pace import Pace
from gateway.spool import Room, Spool


class BodyBrokenError(Exception):
    """The body cannot be completed: raised into the connection to the service, so that it is closed half-way."""


class RequestBody:
    """One request's body. What was not taken before is read piece by piece, each when the service has the one before.

    `maximum` is in bytes. `stall` is the time-out around the call to the service: it runs only while a piece is waiting
    for the service.
    """

    def __init__(
        self, request: web.BaseRequest, *, maximum: int, limits: Limits, room: Room, stall: asyncio.Timeout
    ) -> None:
        self._request = request
        self._maximum = maximum
        self._limits = limits
        self._stall = stall
        self._floor = limits.client_floor
        self._pace = Pace(floor=self._floor, grace=limits.client_idle)
        # One piece more than is asked for may have come with the last one.
        self._taken = Spool(memory=limits.memory_bytes, most=limits.other_body_bytes + MIB, room=room)
        self._halted = False
        self.received = 0
        #: The client has sent all of it.
        self.complete = False
        #: Why the body broke, when it did.
        self.problem: problems.Problem | None = None

    async def take(self, size: int) -> None:
        """Read the body until it has ended, or has more than `size` bytes.

        Raises `Problem`.
        """
        await self._ask_for_it()
        try:
            while self.received <= size and (piece := await self._next_piece()):
                if not await self._taken.put(piece):
                    raise problems.service_busy(None, "Too many bodies wait in the gateway.")
        except BodyBrokenError as error:
            raise (self.problem or problems.internal_error()) from error
        except OSError as error:
            raise problems.storage_full() from error

    def halt(self) -> None:
        """Give no more: the service has answered without the rest. The connection to it must be closed afterwards."""
        self._halted = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces. Ends only when the client's body ended; in every other case raises, or waits to be cancelled."""
        loop = asyncio.get_running_loop()
        if not self.complete:
            self._floor = self._limits.large_upload_floor
            self._pace = Pace(floor=self._floor, grace=self._limits.client_idle)
        while True:
            piece = await self._taken.get()
            await self._rest_if_halted()
            if not piece and not self.complete:
                piece = await self._next_piece()
            if not piece:
                return
            self._stall.reschedule(loop.time() + self._limits.service_stall)
            yield piece
            await self._rest_if_halted()
            self._stall.reschedule(None)

    def close(self) -> None:
        """Give no more, and throw away what was taken."""
        self.halt()
        self._taken.close()

    async def _next_piece(self) -> bytes:
        """The next piece from the client; nothing when the body has ended."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._pace.left):
                piece = await self._request.content.readany()
        except TimeoutError:
            await self._rest_if_halted()
            too_slow = problems.body_too_slow(seconds=self._limits.client_idle, floor=self._floor)
            raise self._broken(too_slow) from None
        except (*INVALID_BODY, OSError) as error:  # after an OSError nobody is left to read the answer
            raise self._broken(problems.bad_request("The body is not valid HTTP.")) from error
        await self._rest_if_halted()
        self._pace.moved(len(piece), loop.time() - began)
        self.received += len(piece)
        self.complete = not piece
        if self.received > self._maximum:
            raise self._broken(problems.body_too_large(self._maximum))
        return piece

    async def _rest_if_halted(self) -> None:
        """Ending would make the short body look whole, and raising would spoil the answer that is being read."""
        if self._halted:
            await asyncio.get_running_loop().create_future()

    async def _ask_for_it(self) -> None:
        """Only now, when the request is accepted, is the client asked for its body."""
        request = self._request
        if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
            await say_continue(request)

    def _broken(self, problem: problems.Problem) -> BodyBrokenError:
        self.problem = problem
        return BodyBrokenError(str(problem))
