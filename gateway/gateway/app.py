"""What happens to a request: its route, its key, its service; and every error turned into an answer."""

import asyncio
import logging
from functools import partial

import aiohttp
from aiohttp import web
from prometheus_client.registry import Collector

from gateway import browsers, health, page, problems, schema, status
from gateway.admission import Admission
from gateway.environment import Settings
from gateway.events import Events
from gateway.exchange import CLIENT_GONE, Exchange
from gateway.headers import complete
from gateway.keys import FileReaderKeys, Keys, credential
from gateway.limits import Limits
from gateway.metrics import Gauge
from gateway.proxy import AnswerCutError, ClientGoneError, Proxy
from gateway.recent import question_of
from gateway.routes import STATUS, Route, find_route

logger = logging.getLogger("gateway.app")

#: They are about the connection to the one that answers, which is the gateway.
NEVER_PASSED_ON = frozenset({"CONNECT", "TRACE"})
#: Paths that the gateway answers itself, by their routes. People leave the last slash of a page out.
_OWN = {path: path for path in ("/healthz", "/readyz", schema.PATH, STATUS.path)} | {"/status": STATUS.path}


class Gateway:
    """Answers requests, one call of `handle` each."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._proxy = Proxy(session, settings, limits)
        self._events = Events(self._proxy, limits)
        neighbours = health.Neighbours(session, settings)
        self._readiness = health.Readiness(neighbours, settings, limits)
        self._status = status.Status(neighbours, self._readiness, settings, limits, self._use)
        self._schema = schema.Schema(session, settings)
        self._admission = Admission(Keys(FileReaderKeys(session, settings, limits), limits), settings, limits)
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    def gauges(self) -> list[Collector]:
        """What is the case at a moment, for metrics."""
        return [
            Gauge(
                "gateway_requests_in_flight", "Requests that are being answered.", None, lambda: {"": self._in_flight}
            ),
            Gauge("gateway_listeners", "Streams of events.", None, lambda: {"": self._events.listeners}),
            *self._proxy.gauges(),
        ]

    def _use(self) -> dict[str, float]:
        return {"requests_in_flight": self._in_flight, "listeners": self._events.listeners}

    def announce_stop(self) -> None:
        """`/readyz` says from now on that the gateway is about to stop. Everything is served as before."""
        self._readiness.is_stopping = True

    async def drain(self) -> None:
        """Wait until no request is in flight. Connections are closed after their next answer from now on."""
        self._draining = True
        self._events.close()
        await self._idle.wait()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request. Raises `ConnectionError` only when there is nobody to answer."""
        exchange = Exchange(request, self._settings.trusted_proxies, tiles_origin=self._settings.tiles_origin)
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
            exchange.end()
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _answer_or_problem(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        try:
            answer = await self._answer(request, exchange)
        except problems.Problem as problem:
            answer = await self._told(problem, request, exchange)
        except (ClientGoneError, AnswerCutError):
            raise
        except Exception:
            logger.exception("the gateway failed")
            if exchange.status:  # its answer has begun: a second one would be read as a part of it
                raise
            answer = await self._told(problems.internal_error(), request, exchange)
        if not answer.prepared:
            self._make_own(request, answer, exchange)
        return answer

    async def _told(self, problem: problems.Problem, request: web.BaseRequest, exchange: Exchange) -> web.Response:
        """As a page where a browser shows it to somebody, for a program as the problem."""
        if not page.is_wanted(request):
            return problem.answer()
        exchange.is_page = True
        return page.page_of(problem, request, exchange.request_id, await self._status.look())

    async def _answer(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        if not self._settings.keys_required:
            browsers.check_host(exchange)
        if exchange.path in _OWN:
            return await self._answer_about_itself(request, exchange)
        route = find_route(exchange.target)
        if route is None:
            raise problems.not_found()
        exchange.route = route.path
        if request.method in NEVER_PASSED_ON:
            raise problems.method_not_allowed(request.method, route.methods)
        shared_with = self._settings.cors_allowed_origins if route.needs_key else frozenset()
        preflight = browsers.share(request, exchange, route, shared_with)
        if preflight is not None:
            return preflight
        if not self._settings.keys_required:
            browsers.check_origin(request, exchange, shared_with)
        await self._admission.admit(request, route, exchange)
        target = route.target_of_events(exchange.target)
        if target is not None:
            exchange.route = f"{route.path}events/"
            return await self._stream(request, route, exchange, target)
        return await self._proxy.pass_on(request, route, exchange, last=self._draining)

    async def _answer_about_itself(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        exchange.route = _OWN[exchange.path]
        if request.method not in ("GET", "HEAD"):
            raise problems.method_not_allowed(request.method, "GET, HEAD")
        if exchange.route == "/healthz":
            return health.alive()
        if exchange.route == "/readyz":
            return await self._readiness.answer()
        if exchange.route == STATUS.path:
            return await self._status.answer(request, self._may_see_use(request, exchange))
        return await self._schema.answer(request)

    async def _may_see_use(self, request: web.BaseRequest, exchange: Exchange) -> bool:
        """Whether somebody may know how much others use the service: where keys are needed, who has one.

        Nobody else is refused, nor anybody while file_reader cannot say whose key it is.
        """
        if not self._settings.keys_required:
            return True
        if credential(request) is None:
            return False
        try:
            async with asyncio.timeout(self._limits.status):
                await self._admission.admit(request, STATUS, exchange)
        except (problems.Problem, TimeoutError):
            return False
        return True

    async def _stream(
        self, request: web.BaseRequest, route: Route, exchange: Exchange, target: str
    ) -> web.StreamResponse:
        """The events of what is at the target."""
        if request.method not in ("GET", "HEAD"):
            raise problems.method_not_allowed(request.method, "GET, HEAD")
        if exchange.host is None:  # the links of the events would show where the service itself listens
            raise problems.bad_request("The request must have a Host.")
        key = credential(request) if self._settings.keys_required else None
        # It must be good until the poll after the next, so that a key is not remembered for longer than it may be.
        check_key = partial(self._admission.check_again, key, route, exchange, 2 * self._limits.event_poll)
        return await self._events.stream(request, exchange, (key, question_of(route, target, exchange)), check_key)

    def _make_own(self, request: web.BaseRequest, answer: web.StreamResponse, exchange: Exchange) -> None:
        """Complete an answer that the gateway gives itself."""
        complete(answer.headers, exchange)
        exchange.status = answer.status
        if isinstance(answer, web.Response) and isinstance(answer.body, bytes) and request.method != "HEAD":
            exchange.bytes_out = len(answer.body)
        if self._draining or request.content.exception() or not request.content.is_eof():
            answer.force_close()
