"""All that the gateway uses of aiohttp beyond its reference, each with the reason: an upgrade may change it.

`tests/test_aiohttp_private.py` says in one sentence which name has gone.
"""

import asyncio
import functools
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo

from gateway import problems
from gateway.addresses import Network, is_proxy, network_of
from gateway.exchange import Exchange
from gateway.headers import ON_EVERY_ANSWER, complete
from gateway.limits import Limits

#: Raised by reading a body that is not valid HTTP; the second comes from the parser that is written in Python.
INVALID_BODY = (web.RequestPayloadError, HttpProcessingError)
LAST_WORDS_BYTES = 65_536
#: What the system may hold of an answer that it has not sent yet.
UNSENT_BYTES = 131_072
#: How long a client that is refused may take to read so.
REFUSED_SECONDS = 1.0


class Door(web.RequestHandler):
    """One client's connection.

    Only `handle_error` can answer bytes that are not HTTP, and aiohttp's own answers in plain text.
    """

    __slots__ = ("_doors", "_headers_begun", "_headers_due", "_network")

    def __init__(self, doors: "Doors", **options: Any) -> None:
        super().__init__(doors, **options)
        self._doors = doors
        self._network: str | None = None
        self._headers_begun = False
        self._headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        peer = (transport.get_extra_info("peername") or ("",))[0]
        network = network_of(peer)
        refusal = self._doors.refusal(network, is_proxy=is_proxy(peer, self._doors.trusted_proxies))
        if refusal is not None:
            self.force_close()  # nothing is read as a request any more
            _refuse(cast(asyncio.Transport, transport), refusal)
            return
        self._network = network
        self._doors.open[network] += 1
        with suppress(OSError, AttributeError):  # not every system has it
            # What waits here for a slow client would look as if it had been taken; there would be megabytes of it.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, for the reason `exc`."""
        if self._network is not None:
            self._doors.open[self._network] -= 1
            if not self._doors.open[self._network]:
                del self._doors.open[self._network]
            self._network = None
        self._end_wait_for_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client: when no request is complete after them, they are the beginning of one."""
        super().data_received(data)
        if self._waiter is None or self._waiter.done():
            self._end_wait_for_headers()
            return
        self._headers_begun = True
        if self._headers_due is None:
            self._wait_for_headers()

    def _wait_for_headers(self) -> None:
        self._headers_due = self._loop.call_later(self._doors.limits.client_headers, self._headers_are_late)

    def _end_wait_for_headers(self) -> None:
        self._headers_begun = False
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _headers_are_late(self) -> None:
        self._headers_due = None
        if self._waiter is None or self._waiter.done():
            return
        if not self._headers_begun:
            self.force_close()
            return
        self._messages.append((_ErrInfo(status=408, exc=TimeoutError(), message=""), EMPTY_PAYLOAD))
        self._waiter.set_result(None)

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
        exchange.end()
        return answer

    def _problem(self, exc: BaseException | None, status: int) -> problems.Problem:
        if status >= 500:
            return problems.internal_error()
        if status == 408:
            return problems.headers_too_slow(self._doors.limits.client_headers)
        # Address and header have different limits, and only that tells which of them was too long.
        if isinstance(exc, LineTooLong) and exc.args[1] == self.max_line_size:
            return problems.target_too_long(self.max_line_size)
        if isinstance(exc, LineTooLong) or "Too many headers" in str(exc):
            return problems.headers_too_large(header_bytes=self.max_field_size, headers=self.max_headers)
        return problems.bad_request("The request could not be parsed.")


class Doors(web.Server):
    """Makes a `Door` of every connection that is accepted: a server cannot be told another class for connections."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        limits: Limits,
        trusted_proxies: Sequence[Network] = (),
        **options: Any,
    ) -> None:
        super().__init__(handler, **options)
        self.limits = limits
        self.trusted_proxies = trusted_proxies
        #: The connections that are open, by the client's network.
        self.open: Counter[str] = Counter()

    def __call__(self) -> Door:
        """A door for one connection."""
        return Door(self, loop=asyncio.get_running_loop(), **self._kwargs)

    def refusal(self, network: str, *, is_proxy: bool) -> problems.Problem | None:
        """Why one more connection from there is not served. A proxy may have as many as there are."""
        if self.open.total() >= self.limits.connections:
            return problems.service_busy(None, "Too many connections are open.")
        if not is_proxy and self.open[network] >= self.limits.connections_per_address:
            return problems.too_many_at_once("connections", self.limits.connections_per_address)
        return None


def _refuse(transport: asyncio.Transport, problem: problems.Problem) -> None:
    """Answer whatever is asked on this connection. Closed at once, it would be reset, and the answer lost with it."""
    answer = problem.answer()
    body = cast(bytes, answer.body)
    headers = {**answer.headers, **ON_EVERY_ANSWER, "Content-Length": str(len(body)), "Connection": "close"}
    head = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in headers.items())]
    transport.write("\r\n".join([*head, "", ""]).encode() + body)
    transport.write_eof()
    asyncio.get_running_loop().call_later(REFUSED_SECONDS, transport.abort)


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
