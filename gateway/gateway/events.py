"""Server-sent events of a resource: it is asked for once a second, however many listen, and all hear of changes.

Nothing is known of the resource but its ETag, which says that it has changed, and its Retry-After: an answer without
one will not change any more, and is the last.
"""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web
from multidict import CIMultiDict

from gateway import problems
from gateway.exchange import Exchange
from gateway.headers import complete
from gateway.limits import Limits
from gateway.places import Lane
from gateway.proxy import ClientGoneError, Proxy, cut, send
from gateway.recent import Answer, Question

logger = logging.getLogger("gateway.events")

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx in front of the gateway would wait for more
}
#: Milliseconds after which a browser comes back.
RETRY = b"retry: 2000\n\n"

CheckKey = Callable[[], Awaitable[None]]
#: A key, where there are keys, and what is asked with it: what one may see, another may not.
Name = tuple[str | None, Question]


class Watch:
    """What is known of one resource while somebody listens: the newest event only."""

    def __init__(self) -> None:
        self.listeners = 0
        #: The first answer, whatever it is.
        self.first: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        #: The newest event, and how many there were.
        self.event, self.number = b"", 0
        #: What is said to those who have the newest event.
        self.comment = b""
        #: Set when there is something to say; then there is another one for the next time.
        self.changed = asyncio.Event()
        self.is_over = False
        self.etag: str | None = None
        self._is_away = False
        self._spoke = time.monotonic()

    def hear(self, answer: Answer) -> None:
        """Make of the service's answer what there is to say."""
        if not self.first.done():
            self.first.set_result(answer)
            if answer.status != 200 or answer.etag is None:
                self.is_over = True
                return
        if answer.status == 429 or answer.status >= 500:
            self.stay()
        elif answer.status != 200:
            self._end(answer.body)
        elif answer.etag and answer.etag != self.etag:
            self.etag, self._is_away = answer.etag, False
            self.is_over = "Retry-After" not in answer.headers
            self._say(_event(b"id: " + answer.etag.encode(), answer.body))
        elif self._is_away:
            self._is_away = False
            self.remark(b": the service answers again\n\n")

    def hear_problem(self, problem: problems.Problem) -> None:
        """There is no answer: this is why."""
        if not self.first.done():
            self.first.set_exception(problem)
            self.first.exception()  # looked at here: perhaps nobody waits any more
            self.is_over = True
        elif problem.status == 429 or problem.status >= 500:
            self.stay()
        else:
            self._end(json.dumps(problem.body).encode())

    def stay(self) -> None:
        """The service does not answer just now."""
        if not self._is_away:
            self._is_away = True
            self.remark(b": the service does not answer\n\n")

    def give_up(self) -> None:
        """Nobody asks any more, for whatever reason: nobody waits in vain."""
        if not self.first.done():
            self.hear_problem(problems.internal_error())
        self.is_over = True
        self.remark(b"")

    def remark(self, comment: bytes) -> None:
        """Say something that is no event."""
        self.comment = comment
        self._wake()

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing was said for so long."""
        return time.monotonic() - self._spoke >= seconds

    def _end(self, problem: bytes) -> None:
        self.is_over = True
        self._say(_event(b"event: problem", problem))

    def _say(self, event: bytes) -> None:
        self.event, self.number, self.comment = event, self.number + 1, b""
        self._wake()

    def _wake(self) -> None:
        self._spoke = time.monotonic()
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Events:
    """All who listen, and what they listen to."""

    def __init__(self, proxy: Proxy, limits: Limits) -> None:
        self._proxy = proxy
        self._limits = limits
        self._watches: dict[Name, Watch] = {}
        self._listeners: Counter[str] = Counter()
        self._is_closed = False

    @property
    def listeners(self) -> int:
        """How many streams there are."""
        return self._listeners.total()

    def close(self) -> None:
        """End all streams. Browsers come back to whoever serves them next."""
        self._is_closed = True
        for watch in self._watches.values():
            watch.remark(b"")

    async def stream(
        self, request: web.BaseRequest, exchange: Exchange, name: Name, check_key: CheckKey
    ) -> web.StreamResponse:
        """The events, already sent, or what the service answers instead. Raises a problem.

        `check_key` raises one when the key is good no longer.
        """
        if self._is_closed:
            raise problems.service_busy(None, "The gateway is about to stop.")
        self._check_limits(exchange.caller)
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = Watch()
            task = asyncio.create_task(self._look_after(watch, name, exchange, check_key))
            task.add_done_callback(_log_failure)
        self._listeners[exchange.caller] += 1
        watch.listeners += 1
        try:
            return await self._listen(request, exchange, watch)
        finally:
            watch.listeners -= 1
            self._listeners[exchange.caller] -= 1
            if not self._listeners[exchange.caller]:
                del self._listeners[exchange.caller]

    def _check_limits(self, caller: str) -> None:
        if self._listeners[caller] >= self._limits.listeners_per_caller:
            raise problems.too_many_at_once("streams of events", self._limits.listeners_per_caller)
        if self._listeners.total() >= self._limits.listeners:
            raise problems.service_busy(None, "Too many listen to events.")

    async def _listen(self, request: web.BaseRequest, exchange: Exchange, watch: Watch) -> web.StreamResponse:
        first = await asyncio.shield(watch.first)
        if first.status != 200:
            return web.Response(status=first.status, reason=first.reason, headers=first.headers.copy(), body=first.body)
        if first.etag is None:
            raise problems.not_found()
        if watch.is_over and request.headers.get("Last-Event-ID") == watch.etag:
            return web.Response(status=204)  # tells a browser not to come back
        answer = web.StreamResponse(headers=complete(CIMultiDict(HEADERS), exchange))
        exchange.status = answer.status
        stall = self._limits.client_stall
        await send(request, answer.prepare(request), stall)
        if request.method != "HEAD":
            await self._tell(request, exchange, answer, watch)
        await send(request, answer.write_eof(), stall)
        return answer

    async def _tell(
        self, request: web.BaseRequest, exchange: Exchange, answer: web.StreamResponse, watch: Watch
    ) -> None:
        """All there is to say. Whoever has not taken the last piece yet misses some states, but never the newest."""
        text, told, taken = RETRY, 0, time.monotonic()
        while request.transport is not None:
            changed, now = watch.changed, time.monotonic()
            if watch.is_over or not request.transport.get_write_buffer_size():
                text += watch.comment if told == watch.number else watch.event
                told, taken = watch.number, now
                await send(request, answer.write(text), self._limits.client_stall)
                exchange.bytes_out += len(text)
                text = b""
            elif now - taken > self._limits.client_stall:
                cut(request)
                raise ClientGoneError
            if watch.is_over or self._is_closed:
                return
            await changed.wait()

    async def _look_after(self, watch: Watch, name: Name, exchange: Exchange, check_key: CheckKey) -> None:
        """Ask while somebody listens. It is not stopped in the middle: the service would work on for nobody."""
        try:
            while watch.listeners and not self._is_closed:
                try:
                    await check_key()
                    answer = await self._proxy.look(name[1], exchange, Lane.EVENTS)
                    if answer is None:  # it is too large to be one event
                        raise problems.not_found()
                    watch.hear(answer)
                except problems.Problem as problem:
                    watch.hear_problem(problem)
                if watch.is_over:
                    return
                if watch.is_silent(self._limits.event_silence):
                    watch.remark(b":\n\n")
                await asyncio.sleep(self._limits.event_poll)
        finally:
            del self._watches[name]
            watch.give_up()


def _event(head: bytes, data: bytes) -> bytes:
    """An event with this data, which may have several lines."""
    return b"\n".join([head, *(b"data: " + line for line in data.splitlines()), b"", b""])


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        logger.error("listening failed", exc_info=task.exception())
