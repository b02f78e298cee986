"""Passing one request on to a service, when it is here and has a place there, and its answer back."""

import asyncio
import logging
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client.registry import Collector
from yarl import URL

from gateway import problems
from gateway.ahead import BREAKS, Ahead
from gateway.body import RequestBody
from gateway.cache import Cache, wants_news
from gateway.environment import Settings
from gateway.exchange import Exchange
from gateway.headers import UnsendableHeaderError, complete, forwarded_headers, own_headers, returned_headers
from gateway.limits import Limits
from gateway.logs import details
from gateway.metrics import Gauge
from gateway.pace import Pace
from gateway.places import Lane, Place, Places, lane_of, places_of
from gateway.recent import Answer, Question, Recent, question_of, response_of
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
        self._recent = Recent()
        self._places = {service: places_of(service, count, limits) for service, count in settings.processes.items()}
        self._room_of_bodies, self._room_of_answers = Room(limits.files_bytes), Room(limits.answer_files_bytes)

    def gauges(self) -> list[Collector]:
        """What is the case at a moment, for metrics."""

        def at(look: Callable[[Places], int]) -> Callable[[], dict[str, float]]:
            return lambda: {service.value: look(places) for service, places in self._places.items()}

        return [
            Gauge("gateway_places", "Requests that a service works on.", "service", at(lambda at: at.taken)),
            Gauge("gateway_places_limit", "Places that a service has.", "service", at(lambda at: at.count)),
            Gauge("gateway_waiting", "Requests that wait for a place.", "service", at(lambda at: at.waiting)),
        ]

    async def pass_on(
        self, request: web.BaseRequest, route: Route, exchange: Exchange, *, last: bool
    ) -> web.StreamResponse:
        """The service's answer, already sent. `last` says that the client's connection is closed after it.

        Raises `Problem`, `ClientGoneError` or `AnswerCutError`.
        """
        if public := self._cache.find(request):
            headers, content = public
            exchange.outcome = "cached"
            answer = web.Response(headers=complete(headers, exchange), body=content)
            return await self._send_whole(request, answer, exchange, last=last)
        question = question_of(route, exchange.target, exchange) if _may_be_shared(request, route, exchange) else None
        known = await self._known(request, route, exchange, question)
        if known is not None:
            return await self._send_whole(request, known, exchange, last=last)
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
                asked = self._recent.clock()
                given = await self._heard(self._ask(request, route.service, exchange, body, stall), held)
                held.callback(given.close)
                early = body is not None and not body.complete
                if body is not None:
                    body.halt()
                last = last or early
                if is_small(request, given):
                    whole = await self._whole(request, route.service, given, exchange, place, question, asked)
                    return await self._send_whole(request, whole, exchange, last=last)
                if given.status != 304:
                    self._recent.tell_news(route.service, exchange.user_id)
                return await self._return(request, route.service, given, exchange, place, last=last)
            finally:
                exchange.bytes_in = body.received if body is not None else 0

    async def look(self, question: Question, exchange: Exchange, lane: Lane) -> Answer | None:
        """What the service says now, asked once for all who ask at this moment; None when it is too large for that.

        Raises a problem.
        """

        async def send_question(etag: str | None) -> Answer | None:
            headers = own_headers(exchange, self._internal_headers)
            if etag is not None:
                headers["If-None-Match"] = etag
            url = _url(self._services[question.service], question.target)
            place = await self._places[question.service].take(exchange.caller, lane)
            try:
                async with self._session.get(
                    url, headers=headers, skip_auto_headers=NOT_ADDED, allow_redirects=False
                ) as upstream:
                    if upstream.status != 304 and not 0 < (upstream.content_length or 0) <= SMALL_ANSWER_BYTES:
                        return None
                    headers = returned_headers(upstream.headers)
                    return Answer(upstream.status, upstream.reason, headers, await upstream.read())
            except BREAKS as error:
                logger.warning("no answer %s", details(upstream=question.service.value, error=_cause(error)))
                raise self._problem(question.service, error) from error
            finally:
                place.free()

        return await self._recent.ask(question, send_question)

    async def _known(
        self, request: web.BaseRequest, route: Route, exchange: Exchange, question: Question | None
    ) -> web.Response | None:
        """The answer that is here, or that somebody else is asking for already."""
        if question is None or not self._recent.knows(question):
            return None
        answer = self._recent.find(question)
        if answer is not None:
            exchange.outcome = "cached"
        else:
            lane = lane_of(request.method, exchange.target, route, large_upload=False)
            answer = await self.look(question, exchange, lane)
        return None if answer is None else response_of(request, answer, exchange)

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
        finally:
            if request.method != "GET":
                self._recent.tell_news(service, exchange.user_id)

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
        headers = complete(returned_headers(upstream.headers), exchange)
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
            await send(request, answer.prepare(request), limits.client_stall)
            async for piece in ahead.pieces():
                pace = held if ahead.is_full and not reading.done() else usual
                began = time.monotonic()
                await send(request, answer.write(piece), pace.left)
                pace.moved(len(piece), time.monotonic() - began)
                exchange.bytes_out += len(piece)
            await send(request, answer.write_eof(), limits.client_stall)
        except ClientGoneError:
            raise
        except BREAKS as error:
            # Ended properly, the half answer would look like a whole one.
            cut(request)
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
        size = answer.content_length or 0
        await send(request, _whole_answer(request, answer), self._stall(request, size))
        exchange.bytes_out = size
        return answer

    def _stall(self, request: web.BaseRequest, size: int) -> float | None:
        """How long the client may take for so many bytes; None when it takes no time, so that no clock has to run."""
        transport = request.transport
        # The transport keeps as much without waiting.
        is_taken = size <= SMALL_ANSWER_BYTES // 2 and transport is not None and not transport.get_write_buffer_size()
        return None if is_taken else self._limits.client_stall

    async def _whole(
        self,
        request: web.BaseRequest,
        service: Service,
        upstream: aiohttp.ClientResponse,
        exchange: Exchange,
        place: Place,
        question: Question | None,
        asked: float,
    ) -> web.Response:
        """The whole answer, kept if it may be, and the place is free.

        Nothing is sent yet: a service that breaks off is a problem, and not half an answer.
        """
        try:
            body = await upstream.read()
        except BREAKS as error:
            logger.warning("answer broken off %s", details(upstream=service.value, error=_cause(error)))
            raise self._problem(service, error) from error
        place.free()
        answer = Answer(upstream.status, upstream.reason, returned_headers(upstream.headers), body)
        self._cache.keep(request, answer.status, answer.headers, body)
        if question is None:
            self._recent.tell_news(service, exchange.user_id)
        else:
            self._recent.keep(question, answer, asked)
        return response_of(request, answer, exchange)


def _may_be_shared(request: web.BaseRequest, route: Route, exchange: Exchange) -> bool:
    """Whether the answer may be that of others who ask the same, if the service, too, lets it be kept."""
    is_plain = request.method == "GET" and not request.body_exists and not wants_news(request)
    lane = lane_of(request.method, exchange.target, route, large_upload=False)
    return route.needs_key and is_plain and lane is not Lane.RESULT and exchange.host is not None


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


async def _whole_answer(request: web.BaseRequest, answer: web.Response) -> None:
    await answer.prepare(request)
    await answer.write_eof()


async def send(request: web.BaseRequest, sending: Awaitable[object], seconds: float | None) -> None:
    """Give the client something, within so many seconds. Raises `ClientGoneError`."""
    try:
        async with asyncio.timeout(seconds):
            await sending
    except (OSError, TimeoutError) as error:
        cut(request)
        raise ClientGoneError from error


def cut(request: web.BaseRequest) -> None:
    """Reset the client's connection: to HTTP/1.0, an ordinary end would be the end of a whole answer."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
