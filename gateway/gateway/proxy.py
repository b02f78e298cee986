"""Passing one request on to a service, when it is here and has a place there, and its answer back."""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import Awaitable, Coroutine
from contextlib import ExitStack
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from gateway import problems
from gateway.ahead import BREAKS, Ahead
from gateway.body import RequestBody
from gateway.cache import Cache
from gateway.environment import Settings
from gateway.exchange import Exchange
from gateway.headers import UnsendableHeaderError, complete, forwarded_headers, returned_headers
from gateway.limits import Limits
from gateway.logs import details
from gateway.pace import Pace
from gateway.places import Place, lane_of, places_of
from gateway.routes import Route, Service
from gateway.spool import Room, Spool

logger = logging.getLogger("gateway.proxy")

#: aiohttp would add its own where the client sent none.
NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
SMALL_ANSWER_BYTES = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientGoneError(ConnectionError):
    """The client does not take its answer any more."""


class AnswerCutError(ConnectionError):
    """The service broke off in the middle of its answer; the client's connection is cut too."""


class Proxy:
    """Passes requests on to the services."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._session = session
        self._services = settings.services
        self._internal_headers = settings.internal_headers
        self._limits = limits
        self._cache = Cache()
        self._places = {service: places_of(service, count, limits) for service, count in settings.processes.items()}
        self._room_of_bodies, self._room_of_answers = Room(limits.files_bytes), Room(limits.answer_files_bytes)

    async def pass_on(
        self, request: web.BaseRequest, route: Route, exchange: Exchange, *, last: bool
    ) -> web.StreamResponse:
        """The service's answer, already sent. `last` says that the client's connection is closed after it.

        Raises `Problem`, `ClientGoneError` or `AnswerCutError`.
        """
        if known := self._cache.find(request):
            headers, content = known
            exchange.outcome = "cached"
            answer = web.Response(headers=complete(headers, exchange), body=content)
            return await self._send_whole(request, answer, exchange, last=last)
        maximum = self._limits.body_bytes(upload=route.upload)
        if (request.content_length or 0) > maximum:
            raise problems.body_too_large(maximum)
        stall = asyncio.timeout(None)
        body = None
        with ExitStack() as held:
            if request.body_exists:
                room = self._room_of_bodies
                body = RequestBody(request, maximum=maximum, limits=self._limits, room=room, stall=stall)
                held.callback(body.close)
            try:
                if body is not None:
                    await body.take(self._limits.begun_upload_bytes if route.upload else maximum)
                large_upload = body is not None and not body.complete
                lane = lane_of(request.method, exchange.target, route, large_upload=large_upload)
                place = await self._places[route.service].take(exchange.caller, lane)
                held.callback(place.free)
                given = await self._heard(self._ask(request, route.service, exchange, body, stall), held)
                held.callback(given.close)
                early = body is not None and not body.complete
                if body is not None:
                    body.halt()
                return await self._return(request, route.service, given, exchange, place, last=last or early)
            finally:
                exchange.bytes_in = body.received if body is not None else 0

    async def _heard(self, ask: Coroutine[Any, Any, aiohttp.ClientResponse], held: ExitStack) -> aiohttp.ClientResponse:
        """What the service answers. When the client leaves before, what is held stays so until then.

        For the service does not notice that: its thread works on, and nobody else can have its place.
        """
        asking = asyncio.create_task(ask)
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            unheard = held.pop_all()

            def end(_: object) -> None:
                if not asking.cancelled() and asking.exception() is None:
                    asking.result().close()
                unheard.close()

            asking.add_done_callback(end)
            raise

    async def _ask(
        self,
        request: web.BaseRequest,
        service: Service,
        exchange: Exchange,
        body: RequestBody | None,
        stall: asyncio.Timeout,
    ) -> aiohttp.ClientResponse:
        """The beginning of the service's answer: its status and headers."""
        try:
            headers = forwarded_headers(request, exchange, self._internal_headers)
            if body is not None and body.complete:
                headers["Content-Length"] = str(body.received)
            url = _url(self._services[service], exchange.target)
            async with stall:
                return await self._session.request(
                    request.method,
                    url,
                    headers=headers,
                    data=body.pieces() if body is not None else None,
                    skip_auto_headers=NOT_ADDED,
                    allow_redirects=False,
                )
        except UnsendableHeaderError:
            raise problems.bad_request("The headers must be UTF-8.") from None
        except BREAKS as error:
            if body is not None and body.problem is not None:
                raise body.problem from error
            logger.warning("no answer %s", details(upstream=service.value, error=_cause(error)))
            raise self._problem(service, error) from error

    def _problem(self, service: Service, error: Exception) -> problems.Problem:
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return problems.service_unavailable(service, f"{service.value} cannot be reached.")
        if isinstance(error, TimeoutError):
            return problems.service_timeout(service, self._limits.answer_idle)
        return problems.service_failed(service)

    async def _return(
        self,
        request: web.BaseRequest,
        service: Service,
        upstream: aiohttp.ClientResponse,
        exchange: Exchange,
        place: Place,
        *,
        last: bool,
    ) -> web.StreamResponse:
        """The answer, sent. The place is free as soon as the service has given all of it."""
        headers = returned_headers(upstream.headers)
        if is_small(request, upstream):
            body = await self._whole(service, upstream)
            place.free()
            self._cache.keep(request, upstream.status, headers, body)
            complete(headers, exchange)
            whole = web.Response(status=upstream.status, reason=upstream.reason, headers=headers, body=body)
            return await self._send_whole(request, whole, exchange, last=last)
        complete(headers, exchange)
        answer = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
        if last:
            answer.force_close()
        exchange.status = upstream.status
        limits = self._limits
        spool = Spool(memory=limits.memory_bytes, most=limits.ahead_bytes, room=self._room_of_answers)
        ahead = Ahead(upstream.content, spool)
        reading = asyncio.create_task(ahead.read())
        reading.add_done_callback(lambda _: place.free())
        usual, held = (
            Pace(floor=floor, grace=limits.client_stall) for floor in (limits.client_floor, limits.held_answer_floor)
        )
        try:
            await self._to_client(request, answer.prepare(request))
            async for piece in ahead.pieces():
                pace = held if ahead.is_full and not reading.done() else usual
                began = time.monotonic()
                await self._to_client(request, answer.write(piece), pace.left)
                pace.moved(len(piece), time.monotonic() - began)
                exchange.bytes_out += len(piece)
            await self._to_client(request, answer.write_eof())
        except ClientGoneError:
            raise
        except BREAKS as error:
            # Ended properly, the half answer would look like a whole one.
            _cut(request)
            logger.warning("answer broken off %s", details(upstream=service.value, error=_cause(error)))
            raise AnswerCutError from error
        finally:
            reading.cancel()
            spool.close()
        return answer

    async def _send_whole(
        self, request: web.BaseRequest, answer: web.Response, exchange: Exchange, *, last: bool
    ) -> web.Response:
        if last:
            answer.force_close()
        exchange.status = answer.status
        await self._to_client(request, answer.prepare(request))
        await self._to_client(request, answer.write_eof())
        exchange.bytes_out = answer.content_length or 0
        return answer

    async def _whole(self, service: Service, upstream: aiohttp.ClientResponse) -> bytes:
        """The whole body. Nothing is sent yet: a service that breaks off is a problem, and not half an answer."""
        try:
            return await upstream.read()
        except BREAKS as error:
            logger.warning("answer broken off %s", details(upstream=service.value, error=_cause(error)))
            raise self._problem(service, error) from error

    async def _to_client(
        self, request: web.BaseRequest, sending: Awaitable[object], seconds: float | None = None
    ) -> None:
        try:
            async with asyncio.timeout(self._limits.client_stall if seconds is None else seconds):
                await sending
        except (OSError, TimeoutError) as error:
            _cut(request)
            raise ClientGoneError from error


def is_small(request: web.BaseRequest, upstream: aiohttp.ClientResponse) -> bool:
    """Whether the answer is sent when it is complete: one piece costs half as much as two."""
    return request.method != "HEAD" and 0 < (upstream.content_length or 0) <= SMALL_ANSWER_BYTES


def _url(service: URL, target: str) -> URL:
    """`target` at the service, byte for byte: in a "path" that is encoded already, yarl leaves even a lone `?`."""
    return URL.build(scheme=service.scheme, host=service.host or "", port=service.port, path=target, encoded=True)


def _cause(error: Exception) -> str:
    """What the log may show: aiohttp's own text of some errors holds the whole request, its secrets included."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return f"{type(error).__name__}: {text}"


def _cut(request: web.BaseRequest) -> None:
    """Reset the client's connection: to HTTP/1.0, an ordinary end would be the end of a whole answer."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
