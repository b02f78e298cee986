"""What goes wrong with the fake postcodes.io on demand, and the count of what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Literal

import msgspec
from aiohttp import web
from postcodes_io_protocol import ANSWERED_LOCATIONS, UpstreamError, json_response
from postcodes_io_search import Question

CONTROL = "/_control/"
Kind = Literal["status", "short", "reordered", "garbage", "endless", "half_closed", "reset", "drip", "hang", "mixed"]
#: Of "mixed", drawn for each call; "status" three times, for that many of them.
MIXED: tuple[Kind, ...] = (
    "status", "status", "status", "short", "reordered", "garbage", "endless", "half_closed", "reset", "drip", "hang",
)  # fmt: skip
MIXED_STATUSES = (429, 502, 503)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_KEPT_CALLS = 10_000


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shall go wrong from now on.

    `latency_ms` delays every call; `poison` (latitude, longitude) fails every call that holds such a location with 500.
    All other faults hit a `share` of the calls (drawn with `seed`): the next `times` of them, or all if that is null.
    `status` answers with `status` (503 if none is given) and `retry_after`; `short` leaves the last answer out;
    `reordered` moves the first to the end; `garbage` is HTML with 200; `endless` is JSON without an end; `half_closed`
    half an answer; `reset` none at all; `drip` a byte every `interval_ms`; `hang` keeps the caller waiting; `mixed` is
    any of them, and 429, 502 and 503. Calls above `calls_per_second` in any second are refused with 429.
    """

    status: int | None = None
    retry_after: int | str | None = None
    latency_ms: float = 0
    share: float = 1
    kind: Kind | None = None
    calls_per_second: int | None = None
    times: int | None = None
    interval_ms: float = 1000
    poison: tuple[tuple[float, float], ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Call:
    """One call as it came in; `at` in seconds since the epoch; headers and body only if the server keeps them."""

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Trouble:
    """Counts the calls and lets the present faults befall them. Swap the faults from any thread."""

    def __init__(self, faults: Faults, *, keep_bodies: bool) -> None:
        self._initial = faults
        self._keep_bodies = keep_bodies
        self.reset()

    def reset(self) -> None:
        """Forget all calls, and go back to the faults of the start."""
        self.calls: deque[Call] = deque(maxlen=_KEPT_CALLS)
        self._counts = {"calls": 0, "locations": 0, "repeats": 0, "faulted": 0, "refused": 0, "in_flight_peak": 0}
        self._in_flight = 0
        self._taken: deque[float] = deque()
        self._answered: set[int] = set()
        self.apply(self._initial)

    def apply(self, faults: Faults) -> None:
        """Let these faults follow the present ones."""
        if faults.status is not None and faults.kind is None:
            faults = msgspec.structs.replace(faults, kind="status")
        self._left = faults.times
        self._random = random.Random(faults.seed)
        self._faults = faults

    def stats(self) -> dict[str, int]:
        """`repeats` counts the locations that were asked again with a radius they had already been answered for."""
        return dict(self._counts)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await handler(request)
        await self._record(request)
        self._in_flight += 1
        self._counts["in_flight_peak"] = max(self._counts["in_flight_peak"], self._in_flight)
        try:
            return await self._befall(request, handler)
        finally:
            self._in_flight -= 1

    async def _record(self, request: web.Request) -> None:
        self._counts["calls"] += 1
        kept: dict[str, Any] = {}
        if self._keep_bodies:
            kept = {"headers": request.headers.copy(), "body": await request.read()}
        self.calls.append(Call(time.time(), request.method, request.path, dict(request.query), **kept))

    async def _befall(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        faults = self._faults
        if faults.calls_per_second and not self._takes_one_more(faults.calls_per_second):
            self._counts["refused"] += 1
            return _status(429, faults.retry_after)
        kind = self._draw(faults)
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        try:
            response = await handler(request)
        except UpstreamError as error:
            response = error.response()
        asked = response.get(ANSWERED_LOCATIONS, [])
        self._counts["locations"] += len(asked)
        if faults.poison and any((one.latitude, one.longitude) in faults.poison for one in asked):
            self._counts["faulted"] += 1
            return UpstreamError().response()
        if kind is None or not isinstance(response, web.Response):
            self._count_repeats(asked)
            return response
        self._counts["faulted"] += 1
        status = faults.status or (self._random.choice(MIXED_STATUSES) if faults.kind == "mixed" else 503)
        return await _faulty(request, response, kind, faults, status)

    def _takes_one_more(self, calls_per_second: int) -> bool:
        """Whether fewer were taken in the second before."""
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= calls_per_second:
            return False
        self._taken.append(now)
        return True

    def _draw(self, faults: Faults) -> Kind | None:
        if faults.kind is None or self._left == 0 or self._random.random() >= faults.share:
            return None
        if self._left is not None:
            self._left -= 1
        return self._random.choice(MIXED) if faults.kind == "mixed" else faults.kind

    def _count_repeats(self, asked: list[Question]) -> None:
        for one in asked:
            # A hash alone: the tuples of some million locations would take a gigabyte
            key = hash((one.latitude, one.longitude, "wide" if one.wide else one.radius))
            if key in self._answered:
                self._counts["repeats"] += 1
            else:
                self._answered.add(key)


async def _faulty(
    request: web.Request, response: web.Response, kind: Kind, faults: Faults, status: int
) -> web.StreamResponse:
    match kind:
        case "status":
            return _status(status, faults.retry_after)
        case "short" | "reordered":
            return _tampered(response, kind)
        case "garbage":
            return web.Response(text="<html><body><h1>Welcome</h1></body></html>", content_type="text/html")
        case "reset":
            if request.transport is not None:
                request.transport.abort()
            return response
        case "hang":
            await asyncio.Event().wait()
        case "half_closed" | "endless" | "drip":
            return await _streamed(request, response, kind, faults)
    return response


def _status(status: int, retry_after: int | str | None) -> web.Response:
    body = {"status": status, "error": "Told to fail"}
    response = json_response(msgspec.json.encode(body), status=status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _tampered(response: web.Response, kind: Kind) -> web.Response:
    body = msgspec.json.decode(response.body if isinstance(response.body, bytes) else b"{}")
    result = body.get("result")
    if not isinstance(result, list):
        return response
    body["result"] = result[:-1] if kind == "short" else [*result[1:], *result[:1]]
    return json_response(msgspec.json.encode(body))


async def _streamed(request: web.Request, whole: web.Response, kind: Kind, faults: Faults) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    if kind != "endless":
        response.content_length = len(body)
    with contextlib.suppress(ConnectionError):  # the caller had enough
        await response.prepare(request)
        if kind == "endless":
            await response.write(b'{"status":200,"result":[')
            for piece in cycle([b'{"query":{},"result":null},' * 1000]):
                await response.write(piece)
        elif kind == "half_closed":
            await response.write(body[: len(body) // 2])
            if request.transport is not None:
                request.transport.close()
        else:
            for position in range(len(body)):
                await response.write(body[position : position + 1])
                await asyncio.sleep(faults.interval_ms / 1000)
    return response


def add_control_routes(app: web.Application, trouble: Trouble) -> None:
    """The same controls over HTTP, for a server in a process of its own."""

    async def stats(_: web.Request) -> web.Response:
        return json_response(msgspec.json.encode(trouble.stats()))

    async def calls(_: web.Request) -> web.Response:
        rows = [{"at": call.at, "method": call.method, "path": call.path} for call in trouble.calls]
        return json_response(msgspec.json.encode(rows))

    async def faults(request: web.Request) -> web.Response:
        try:
            trouble.apply(msgspec.json.decode(await request.read(), type=Faults))
        except msgspec.DecodeError as error:
            return json_response(msgspec.json.encode({"error": str(error)}), status=400)
        return json_response(b"{}")

    async def reset(_: web.Request) -> web.Response:
        trouble.reset()
        return json_response(b"{}")

    app.router.add_get(f"{CONTROL}stats", stats)
    app.router.add_get(f"{CONTROL}calls", calls)
    app.router.add_post(f"{CONTROL}faults", faults)
    app.router.add_post(f"{CONTROL}reset", reset)
