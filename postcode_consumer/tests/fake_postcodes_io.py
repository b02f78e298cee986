"""A stand-in for postcodes.io: a real HTTP server in a thread, with a tiny data set and faults on demand."""

import asyncio
import json
import math
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Item = dict[str, Any]
Fault = Callable[[web.Request, list[Item]], Awaitable[web.StreamResponse]]

PALACE = (51.501009, -0.141588)
DOWNING_STREET = (51.503541, -0.12767)
CASTLE = (55.9486, -3.1999)
FAIR_ISLE = (59.521, -1.6395)
NORTH_SEA = (56.0, 2.5)


def _postcode(postcode: str, place: tuple[float, float], **more: Any) -> Item:
    outcode, incode = postcode.split()
    blank = dict.fromkeys(("region", "admin_district", "admin_ward", "admin_county", "parish", "nuts", "ccg"))
    return {
        **blank,
        "postcode": postcode,
        "quality": 1,
        "latitude": place[0],
        "longitude": place[1],
        "outcode": outcode,
        "incode": incode,
        "codes": {"admin_district": None},
        **more,
    }


POSTCODES = [
    _postcode(
        "SW1A 1AA", PALACE, country="England", region="London", admin_district="Westminster", admin_ward="St James's"
    ),
    _postcode("SW1A 2AA", DOWNING_STREET, country="England", region="London", admin_district="Westminster"),
    _postcode("EH1 2NG", CASTLE, country="Scotland"),
    _postcode("ZE2 9JU", FAIR_ISLE, country="Scotland"),
    # Nine neighbours of the castle: a wide search answers only where ten postcodes are in range.
    *(_postcode(f"EH1 {n}AA", (CASTLE[0] - 0.01 * n, CASTLE[1]), country="Scotland") for n in range(1, 10)),
]


@dataclass
class Call:
    """What one call asked for."""

    geolocations: list[Item]
    headers: dict[str, str]
    at: float
    #: Of the caller: one a connection.
    port: int

    @property
    def search(self) -> Any:
        """The radius, or "wide"."""
        first = self.geolocations[0]
        return "wide" if first.get("widesearch") else first["radius"]

    @property
    def places(self) -> list[tuple[float, float]]:
        return [(item["latitude"], item["longitude"]) for item in self.geolocations]


@dataclass
class FakePostcodesIo:
    """`faults` are used up one per call, `always` answers all others; without either, the data set answers.

    `poison` maps locations to the status that a call with one of them gets.
    """

    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    poison: dict[tuple[float, float], int] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    most_at_once: int = 0
    url: str = ""
    at_once: int = 0

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._open())

    def stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post("/postcodes", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, keepalive_timeout=5, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked: list[Item] = body["geolocations"]
        assert request.transport
        port = request.transport.get_extra_info("peername")[1]
        self.calls.append(Call(asked, dict(request.headers), self._loop.time(), port))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.faults:
                return await self.faults.pop(0)(request, asked)
            if self.always:
                return await self.always(request, asked)
            if len(asked) > 100:
                return _error(400)
            for item in asked:
                if (item["latitude"], item["longitude"]) in self.poison:
                    return _error(self.poison[item["latitude"], item["longitude"]])
            return web.json_response({"status": 200, "result": answers(asked)})
        finally:
            self.at_once -= 1


def answers(asked: list[Item]) -> list[Item]:
    """What the data set answers, in the shape of the real service."""
    echoed = ("longitude", "latitude", "limit", "radius", "widesearch")
    return [{"query": {k: item[k] for k in echoed if k in item}, "result": _nearest(item)} for item in asked]


def _nearest(item: Item) -> list[Item] | None:
    radius = 20_000 if item.get("widesearch") else min(item.get("radius", 100), 2_000)
    near = [
        {**postcode, "distance": distance}
        for postcode in POSTCODES
        if (distance := metres(item["latitude"], item["longitude"], postcode)) <= radius
    ]
    if item.get("widesearch") and len(near) < 10:
        return None
    return sorted(near, key=lambda postcode: (postcode["distance"], postcode["postcode"]))[: item["limit"]] or None


def metres(latitude: float, longitude: float, postcode: Item) -> float:
    """Good enough for short distances."""
    north = (postcode["latitude"] - latitude) * 111_195
    east = (postcode["longitude"] - longitude) * 111_195 * math.cos(math.radians(latitude))
    return math.hypot(north, east)


def _error(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"status": status, "error": "out of order"}, status=status, headers=headers)


# --- Faults ----------------------------------------------------------------------------------------------------------
def status(code: int, *, retry_after: str | None = None) -> Fault:
    async def fault(request: web.Request, asked: list[Item]) -> web.StreamResponse:
        return _error(code, {"Retry-After": retry_after} if retry_after else None)

    return fault


def latency(seconds: float) -> Fault:
    async def fault(request: web.Request, asked: list[Item]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response({"status": 200, "result": answers(asked)})

    return fault


def result(change: Callable[[list[Item]], Any]) -> Fault:
    """The right answers, changed."""

    async def fault(request: web.Request, asked: list[Item]) -> web.StreamResponse:
        return web.json_response({"status": 200, "result": change(answers(asked))})

    return fault


def share(part: float, fault: Fault, *, seed: int) -> Fault:
    """The fault befalls that share of the calls, drawn at random."""
    drawn = random.Random(seed)

    async def sometimes(request: web.Request, asked: list[Item]) -> web.StreamResponse:
        if drawn.random() < part:
            return await fault(request, asked)
        return web.json_response({"status": 200, "result": answers(asked)})

    return sometimes


def text(body: str, content_type: str = "application/json") -> Fault:
    async def fault(request: web.Request, asked: list[Item]) -> web.StreamResponse:
        return web.Response(text=body, content_type=content_type)

    return fault


async def endless(request: web.Request, asked: list[Item]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 1_000_000)


async def drip(request: web.Request, asked: list[Item]) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in json.dumps({"status": 200, "result": answers(asked)}).encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(0.05)
    return response


async def half_closed(request: web.Request, asked: list[Item]) -> web.StreamResponse:
    body = json.dumps({"status": 200, "result": answers(asked)}).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    assert request.transport
    request.transport.close()
    return response


async def reset(request: web.Request, asked: list[Item]) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()
