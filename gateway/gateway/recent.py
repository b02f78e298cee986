"""Answers of the last moment, given again to whom they were given, and one question for all who ask it at once.

Only a small 200 to a GET with an ETag is kept, and for one owner. It is given again for `FRESH_SECONDS` after its
service was asked; then the service is asked whether it still holds. Whoever is told something new, by any call, sees
nothing older afterwards: each full answer to an owner ends the time of all that the owner was given before.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import web
from multidict import CIMultiDict

from gateway.exchange import Exchange
from gateway.headers import complete
from gateway.routes import Route, Service

#: For so long a change that somebody else made, or a worker, is not seen.
FRESH_SECONDS = 0.25
MOST_BYTES = 32 * 1024 * 1024
#: What an answer takes beside its body.
_ANSWER_BYTES = 2_048
MOST_OWNERS = 10_000


class Question(NamedTuple):
    """A GET as its service sees it: equal ones have one answer. Answers have links, so scheme and host belong to it."""

    service: Service
    user_id: int | None
    scheme: str
    host: str | None
    target: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a service, with the headers that are for the client."""

    status: int
    reason: str | None
    headers: CIMultiDict[str]
    body: bytes

    @property
    def etag(self) -> str | None:
        """What says whether it has changed; None when it does not say."""
        return self.headers.get("ETag")


@dataclass(slots=True)
class _Kept:
    answer: Answer
    #: It is as new as anything that was said until then (seconds of a clock that only goes forward).
    since: float
    until: float


class Recent:
    """The answers that were given last, by their question. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._bytes = 0
        self._asked: dict[Question, tuple[float, asyncio.Task[Answer | None]]] = {}
        #: When an owner was told something new for the last time; None is who has no name, and stands for all.
        self._news: OrderedDict[tuple[Service, int | None], float] = OrderedDict()
        self._oldest_news = 0.0

    def knows(self, question: Question) -> bool:
        """Whether there was such an answer, however long ago."""
        return question in self._kept

    def find(self, question: Question) -> Answer | None:
        """The answer, when it is good without asking."""
        kept = self._kept[question]
        if self.clock() >= kept.until or kept.since < self._last_news(question.service, question.user_id):
            return None
        self._kept.move_to_end(question)
        return kept.answer

    def tell_news(self, service: Service, user_id: int | None) -> None:
        """The owner is about to be told something: all that is kept is older."""
        self._news[service, user_id] = self.clock()
        self._news.move_to_end((service, user_id))
        if len(self._news) > MOST_OWNERS:
            _, self._oldest_news = self._news.popitem(last=False)

    def keep(self, question: Question, answer: Answer, asked: float) -> None:
        """Keep what the service said to a question that was asked then, if it may be kept. It is news."""
        is_behind = self._last_news(question.service, question.user_id) > asked
        self.tell_news(question.service, question.user_id)
        self._forget(question)
        if not _may_be_kept(answer):
            return
        self._kept[question] = _Kept(answer, asked if is_behind else self.clock(), asked + FRESH_SECONDS)
        self._bytes += _size(answer)
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._kept)))

    async def ask(self, question: Question, send: Callable[[str | None], Awaitable[Answer | None]]) -> Answer | None:
        """The service's answer of now, which `send` gets, given the ETag of the one that is known.

        None when it is too large to be shared. Of those who ask at once one asks, unless there was news since it began.
        """
        asked, task = self._asked.get(question, (0.0, None))
        if task is None or asked < self._last_news(question.service, question.user_id):
            asked = self.clock()
            task = asyncio.create_task(self._ask(question, send, asked))
            self._asked[question] = asked, task
            task.add_done_callback(lambda done: self._end(question, done))
        # Shielded: the client that asked first may leave, the others still wait for the answer.
        return await asyncio.shield(task)

    async def _ask(
        self, question: Question, send: Callable[[str | None], Awaitable[Answer | None]], asked: float
    ) -> Answer | None:
        kept = self._kept.get(question)
        answer = await send(kept.answer.etag if kept else None)
        if kept is not None and answer is not None and answer.status == 304:
            kept.since, kept.until = asked, asked + FRESH_SECONDS
            return kept.answer
        if answer is None:
            self._forget(question)
            self.tell_news(question.service, question.user_id)
        else:
            self.keep(question, answer, asked)
        return answer

    def _end(self, question: Question, task: asyncio.Task[Answer | None]) -> None:
        if self._asked[question][1] is task:
            del self._asked[question]
        if not task.cancelled():
            task.exception()  # looked at here: perhaps nobody waits any more

    def _last_news(self, service: Service, user_id: int | None) -> float:
        news = self._news
        return max(news.get((service, user_id), 0.0), news.get((service, None), 0.0), self._oldest_news)

    def _forget(self, question: Question) -> None:
        kept = self._kept.pop(question, None)
        if kept is not None:
            self._bytes -= _size(kept.answer)


def question_of(route: Route, target: str, exchange: Exchange) -> Question:
    """The question that a GET of that target is, from this caller."""
    return Question(route.service, exchange.user_id, exchange.scheme, exchange.host, target)


def response_of(request: web.BaseRequest, answer: Answer, exchange: Exchange) -> web.Response:
    """The answer for this client, who may have it already (`If-None-Match`)."""
    headers = complete(answer.headers.copy(), exchange)
    asked = request.headers.get("If-None-Match")
    if asked is not None and answer.status == 200 and answer.etag is not None and _has(asked, answer.etag):
        for name in ("Content-Length", "Content-Type"):
            headers.popall(name, None)
        return web.Response(status=304, headers=headers)
    return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=answer.body)


def _has(if_none_match: str, etag: str) -> bool:
    """Whether the tag is among those (RFC 9110, 13.1.2, where weak ones are as good as others)."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in tags


def _size(answer: Answer) -> int:
    return len(answer.body) + _ANSWER_BYTES


def _may_be_kept(answer: Answer) -> bool:
    headers = answer.headers
    control = ", ".join(headers.getall("Cache-Control", ())).lower()
    varies = "Vary" in headers or "Set-Cookie" in headers or "Content-Encoding" in headers
    return answer.status == 200 and "ETag" in headers and "no-store" not in control and not varies
