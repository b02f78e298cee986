"""What happens to a request: its route, its key, its service; and every error turned into an answer."""

import asyncio
import logging

import aiohttp
from aiohttp import web

from gateway import problems
from gateway.callers import client_address, network_of
from gateway.environment import Settings
from gateway.exchange import CLIENT_GONE, Exchange
from gateway.headers import with_own_headers
from gateway.health import Readiness, alive
from gateway.keys import FileReaderKeys, Keys, bearer_key
from gateway.limits import Limits
from gateway.proxy import AnswerCutError, ClientGoneError, Proxy
from gateway.routes import Route, find_route

logger = logging.getLogger("gateway.app")

#: They are about the connection to the one that answers, which is the gateway.
NEVER_PASSED_ON = frozenset({"CONNECT", "TRACE"})


class Gateway:
    """Answers requests, one call of `handle` each."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._proxy = Proxy(session, settings, limits)
        self._keys = Keys(FileReaderKeys(session, settings, limits), limits)
        self._readiness = Readiness(session, settings.services, limits)
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    async def drain(self) -> None:
        """Wait until no request is in flight. Connections are closed after their next answer from now on."""
        self._draining = True
        await self._idle.wait()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request. Raises `ConnectionError` only when there is nobody to answer."""
        exchange = Exchange(request)
        self._in_flight += 1
        self._idle.clear()
        try:
            return await self._answer_or_problem(request, exchange)
        except AnswerCutError:
            exchange.outcome = "cut"
            raise
        except (ClientGoneError, asyncio.CancelledError):
            exchange.status = exchange.status or CLIENT_GONE
            exchange.outcome = "client_gone"
            raise
        finally:
            exchange.log()
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _answer_or_problem(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        try:
            answer = await self._answer(request, exchange)
        except problems.Problem as problem:
            answer = problem.answer()
        except (ClientGoneError, AnswerCutError):
            raise
        except Exception:
            logger.exception("the gateway failed")
            if exchange.status:  # its answer has begun: a second one would be read as a part of it
                raise
            answer = problems.internal_error().answer()
        if not answer.prepared:
            self._make_own(request, answer, exchange)
        return answer

    async def _answer(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        if exchange.path in ("/healthz", "/readyz"):
            if request.method not in ("GET", "HEAD"):
                raise problems.method_not_allowed(request.method, "GET, HEAD")
            if exchange.path == "/healthz":
                return alive()
            return await self._readiness.answer()
        route = find_route(request.raw_path)
        if route is None:
            raise problems.not_found()
        if request.method in NEVER_PASSED_ON:
            raise problems.method_not_allowed(request.method)
        exchange.user_id = await self._user_id(request, route)
        return await self._proxy.pass_on(request, route, exchange, last=self._draining)

    async def _user_id(self, request: web.BaseRequest, route: Route) -> int | None:
        if not (route.needs_key and self._settings.keys_required):
            return None
        user_id = await self._keys.user_id(bearer_key(request), network_of(client_address(request)))
        if user_id is None:
            raise problems.unknown_key()
        return user_id

    def _make_own(self, request: web.BaseRequest, answer: web.StreamResponse, exchange: Exchange) -> None:
        """Complete an answer that the gateway gives itself."""
        with_own_headers(answer.headers, request_id=exchange.request_id)
        exchange.status = answer.status
        if isinstance(answer, web.Response) and isinstance(answer.body, bytes) and request.method != "HEAD":
            exchange.bytes_out = len(answer.body)
        if self._draining or request.content.exception() or not request.content.is_eof():
            answer.force_close()
