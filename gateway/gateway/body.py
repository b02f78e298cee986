"""A client's body on its way to a service: counted, capped, timed, and never complete when the client's is not."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import HttpVersion11, web

from gateway import problems
from gateway.aiohttp_private import INVALID_BODY, say_continue
from gateway.limits import Limits


class BodyBrokenError(Exception):
    """The body cannot be completed: raised into the connection to the service, so that it is closed half-way."""


class RequestBody:
    """The pieces of one request's body, each read only when the service has taken the one before.

    `maximum` is in bytes. `stall` is the time-out around the call to the service: it runs only while a piece is waiting
    for the service.
    """

    def __init__(self, request: web.BaseRequest, *, maximum: int, limits: Limits, stall: asyncio.Timeout) -> None:
        self._request = request
        self._maximum = maximum
        self._limits = limits
        self._stall = stall
        self._halted = False
        self.received = 0
        self.complete = False
        #: Why the body broke, when it did.
        self.problem: problems.Problem | None = None

    def halt(self) -> None:
        """Read no more: the service has answered without the rest. The connection to it must be closed afterwards."""
        self._halted = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces. Ends only when the client's body ended; in every other case raises, or waits to be cancelled."""
        await self._ask_for_it()
        loop = asyncio.get_running_loop()
        while piece := await self._next_piece():
            self.received += len(piece)
            if self.received > self._maximum:
                raise self._broken(problems.body_too_large(self._maximum))
            self._stall.reschedule(loop.time() + self._limits.service_stall)
            yield piece
            await self._rest_if_halted()
            self._stall.reschedule(None)
        self.complete = True

    async def _next_piece(self) -> bytes:
        try:
            async with asyncio.timeout(self._limits.client_idle):
                piece = await self._request.content.readany()
        except TimeoutError:
            await self._rest_if_halted()
            raise self._broken(problems.body_too_slow(self._limits.client_idle)) from None
        except (*INVALID_BODY, OSError) as error:  # after an OSError nobody is left to read the answer
            raise self._broken(problems.bad_request("The body is not valid HTTP.")) from error
        await self._rest_if_halted()
        return piece

    async def _rest_if_halted(self) -> None:
        """Ending would make the short body look whole, and raising would spoil the answer that is being read."""
        if self._halted:
            await asyncio.get_running_loop().create_future()

    async def _ask_for_it(self) -> None:
        """Only now, when the request is accepted and the service is connected, is the client asked for its body."""
        request = self._request
        if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
            await say_continue(request)

    def _broken(self, problem: problems.Problem) -> BodyBrokenError:
        self.problem = problem
        return BodyBrokenError(str(problem))
