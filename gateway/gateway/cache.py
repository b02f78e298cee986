"""Answers that are given again without asking the service, for as long as it allows (RFC 9111).

Only a small 200 to a GET is kept, with `Cache-Control: public, max-age=…` and the same for everybody: known locations.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

#: An answer has about 500 bytes: at most some 20 MB.
MOST_ANSWERS = 10_000
MOST_BYTES = 4_096
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, with the moments (seconds of a clock that only goes forward) when it came and when it is over."""

    headers: CIMultiDict[str]
    body: bytes
    since: float
    until: float


class Cache:
    """The answers that were given last, by the target of their request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def find(self, request: web.BaseRequest) -> tuple[CIMultiDict[str], bytes] | None:
        """The headers, their `Age` among them, and the body; None when the service has to be asked."""
        kept = self._kept.get(request.raw_path)
        if kept is None or request.method != "GET" or request.body_exists or wants_news(request):
            return None
        now = self._clock()
        if now >= kept.until:
            del self._kept[request.raw_path]
            return None
        headers = kept.headers.copy()
        headers["Age"] = str(int(now - kept.since))
        return headers, kept.body

    def keep(self, request: web.BaseRequest, status: int, headers: CIMultiDict[str], body: bytes) -> None:
        """Keeps an answer if the service allows it."""
        seconds = _seconds(headers)
        if request.method != "GET" or status != 200 or not seconds or len(body) > MOST_BYTES:
            return
        now = self._clock()
        self._kept[request.raw_path] = Kept(headers.copy(), body, now, now + seconds)
        self._kept.move_to_end(request.raw_path)
        if len(self._kept) > MOST_ANSWERS:
            self._kept.popitem(last=False)


def _seconds(headers: CIMultiDict[str]) -> int:
    control = ", ".join(headers.getall("Cache-Control", ())).lower()
    found = _MAX_AGE.search(control)
    if found is None or "public" not in control or "no-" in control or "Vary" in headers or "Set-Cookie" in headers:
        return 0
    return int(found[1])


def wants_news(request: web.BaseRequest) -> bool:
    """Whether the client wants an answer that its service gives now."""
    control = ", ".join(request.headers.getall("Cache-Control", ())).lower()
    # A deadline is the service's to judge, and what is none is refused.
    asks = "Range" in request.headers or "X-Request-Deadline" in request.headers
    return "no-" in control or "max-age=0" in control or asks
