"""All that the gateway uses of aiohttp beyond its reference, each with the reason: an upgrade may change it.

`tests/test_aiohttp_private.py` says in one sentence which name has gone.
"""

import asyncio
import functools
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from gateway import problems
from gateway.exchange import Exchange
from gateway.headers import complete

#: Raised by reading a body that is not valid HTTP; the second comes from the parser that is written in Python.
INVALID_BODY = (web.RequestPayloadError, HttpProcessingError)
LAST_WORDS_BYTES = 65_536


class Door(web.RequestHandler):
    """One client's connection.

    Only `handle_error` can answer bytes that are not HTTP, and aiohttp's own answers in plain text.
    """

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no request. Everything else `Gateway.handle` has answered already."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun: no other can follow")
        exchange = Exchange(request)
        answer = self._problem(exc, status).answer()
        exchange.status, exchange.outcome = answer.status, "not_http"
        complete(answer.headers, exchange)
        answer.force_close()
        exchange.log()
        return answer

    def _problem(self, exc: BaseException | None, status: int) -> problems.Problem:
        if status >= 500:
            return problems.internal_error()
        # Address and header have different limits, and only that tells which of them was too long.
        if isinstance(exc, LineTooLong) and exc.args[1] == self.max_line_size:
            return problems.target_too_long(self.max_line_size)
        if isinstance(exc, LineTooLong) or "Too many headers" in str(exc):
            return problems.headers_too_large(header_bytes=self.max_field_size, headers=self.max_headers)
        return problems.bad_request("The request could not be parsed.")


class Doors(web.Server):
    """Makes a `Door` of every connection that is accepted: a server cannot be told another class for connections."""

    def __call__(self) -> Door:
        """A door for one connection."""
        return Door(self, loop=asyncio.get_running_loop(), **self._kwargs)


async def say_continue(request: web.BaseRequest) -> None:
    """Ask the client for its body. aiohttp itself does so only in `web.Application`, and before anything is checked."""
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # no part of the answer


class ServiceConnection(ResponseHandler):
    """One connection to a service, which hears the service out before it fails.

    A service may refuse an upload half-way: it answers and closes. The next write of the body then fails, and an
    ordinary connection would fail with it, while the answer still lies unread in the socket.
    """

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Fail the call that waits for an answer, unless the answer is there after all."""
        self._hear_last_words(exc)
        super().set_exception(exc, *cause)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, for the reason `exc`."""
        self._hear_last_words(exc)
        super().connection_lost(exc)

    def _hear_last_words(self, exc: BaseException | None) -> None:
        transport = self.transport
        if not isinstance(exc, OSError) or transport is None or transport.get_extra_info("sslcontext") is not None:
            return
        with suppress(OSError):  # nothing more can be read
            while words := os.read(transport.get_extra_info("socket").fileno(), LAST_WORDS_BYTES):
                self.data_received(words)


class ServiceConnector(aiohttp.TCPConnector):
    """Makes `ServiceConnection`s: a connector cannot be told another class for connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        factory: Callable[..., ResponseHandler] = ServiceConnection
        self._factory = functools.partial(factory, loop=asyncio.get_running_loop())
