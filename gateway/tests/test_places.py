"""Places at a service: nobody has all of them, who finds none waits, and who is answered holds none."""

import asyncio
import io
from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from servers import Client, eventually, gateway, raw_service, service, whole_body

from gateway.limits import MIB, Limits

ROWS = "/api/v1/rows/"
UPLOADS = "/api/v1/uploads/"
#: Two of these are one caller's.
LIMITS = Limits(places=4, large_upload_places=2, result_places=2, linger=0.1)


class Busy:
    """A service that works on every request until it may end. Counts those in work, by path, and the most at once."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.order: list[str] = []
        self.end = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.now[request.path] += 1
        self.most[request.path] = max(self.most[request.path], self.now[request.path])
        self.order.append(request.raw_path)
        try:
            await self.end.wait()
            await whole_body(request)
        finally:
            self.now[request.path] -= 1
        return web.Response(text="done")


async def told(client: Client, target: str = ROWS, method: str = "GET", **options: Any) -> str:
    async with client.call(method, target, **options) as answer:
        text = await answer.text()
        assert answer.status == 200, text
        return text


async def test_one_caller_has_at_most_half_of_the_places_and_waits_for_more() -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend, limits=LIMITS) as client, client.elsewhere() as other:
        calls = [asyncio.create_task(told(client)) for _ in range(64)]
        await eventually(lambda: busy.now[ROWS] == 2)
        others = [asyncio.create_task(told(other)) for _ in range(40)]
        await eventually(lambda: busy.now[ROWS] == 4)
        busy.end.set()
        assert set(await asyncio.gather(*calls, *others)) == {"done"}
    assert busy.most[ROWS] == 4


async def test_each_user_is_a_caller_wherever_they_are() -> None:
    busy = Busy()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            return web.json_response({"user_id": int(request.headers["Authorization"].removeprefix("Bearer "))})
        return await busy(request)

    async with service(handler) as url, gateway(url, keys_required=True, limits=LIMITS) as client:
        calls = [
            asyncio.create_task(told(client, headers={"Authorization": f"Bearer {user}"}))
            for user in (1, 2)
            for _ in range(3)
        ]
        await eventually(lambda: busy.now[ROWS] == 4)
        busy.end.set()
        await asyncio.gather(*calls)


async def test_callers_that_wait_get_places_in_turn() -> None:
    busy = Busy()
    limits = Limits(places=1, linger=0.1)
    async with service(busy) as backend, gateway(backend, limits=limits) as client, client.elsewhere() as other:
        calls = []
        for caller, name in ((client, "a"), (client, "b"), (client, "c"), (client, "d"), (other, "e"), (other, "f")):
            calls.append(asyncio.create_task(told(caller, f"{ROWS}?{name}")))
            await asyncio.sleep(0.02)
        busy.end.set()
        await asyncio.gather(*calls)
    assert [target[-1] for target in busy.order] == list("abecfd")


@pytest.mark.parametrize(
    ("limits", "status", "slug"),
    [
        (Limits(places=1, waiting_per_caller=1, linger=0.1), 429, "too-many-requests-at-once"),
        (Limits(places=1, waiting=1, linger=0.1), 503, "service-busy"),
        (Limits(places=1, place=0.2, linger=0.1), 503, "service-busy"),
    ],
    ids=["too many of one caller", "too many of all", "too long"],
)
async def test_who_cannot_wait_is_told_when_to_come_again(limits: Limits, status: int, slug: str) -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend, backend, limits=limits) as client:
        calls = [asyncio.create_task(told(client))]
        await eventually(lambda: busy.now[ROWS] == 1)
        if limits.place > 1:
            calls.append(asyncio.create_task(told(client)))
            await asyncio.sleep(0.1)
        async with client.get(ROWS) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["type"]) == (status, f"/problems/{slug}")
            assert int(answer.headers["Retry-After"]) > 0
        # The other service has its own places, and the gateway itself needs none.
        lookup = asyncio.create_task(told(client, "/api/v1/reverse-geocode/"))
        await eventually(lambda: busy.now["/api/v1/reverse-geocode/"] == 1)
        async with client.get("/healthz") as answer:
            assert answer.status == 200
        busy.end.set()
        await asyncio.gather(lookup, *calls)


async def test_passwords_are_hashed_one_at_a_time_however_the_address_is_written() -> None:
    busy = Busy()
    limits = Limits(logins_per_minute=100)
    async with service(busy) as backend, gateway(backend, backend, limits=limits) as client:
        targets = ["/admin/login/", "/admin/log%69n/", "/admin/login/?next=/admin/"] * 8
        calls = [asyncio.create_task(told(client, target, "POST", data=b"password=x")) for target in targets]
        await eventually(lambda: busy.now["/admin/login/"] == 1)
        page = asyncio.create_task(told(client, "/admin/"))
        await eventually(lambda: busy.now["/admin/"] == 1)
        busy.end.set()
        await asyncio.gather(page, *calls)
    assert busy.most["/admin/login/"] == 1


async def test_questions_about_postcodes_that_hang_leave_places_to_all_others() -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend) as client:
        calls = [asyncio.create_task(told(client, "/api/v1/postcodes/SW1A1AA/")) for _ in range(16)]
        await eventually(lambda: busy.now["/api/v1/postcodes/SW1A1AA/"] == 1)
        rows = asyncio.create_task(told(client))
        await eventually(lambda: busy.now[ROWS] == 1)
        busy.end.set()
        await asyncio.gather(rows, *calls)
    assert busy.most["/api/v1/postcodes/SW1A1AA/"] == 1


async def test_large_uploads_have_a_lane_of_their_own() -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend, limits=LIMITS) as client, client.elsewhere() as other:
        large = [
            asyncio.create_task(told(caller, UPLOADS, "POST", data=io.BytesIO(bytes(3 * MIB))))
            for caller in (client, other, client, other)
        ]
        await eventually(lambda: busy.now[UPLOADS] == 2)
        small = asyncio.create_task(told(client, UPLOADS + "preview/", "POST", data=b"a,b\n"))
        await eventually(lambda: busy.now[UPLOADS + "preview/"] == 1)
        busy.end.set()
        await asyncio.gather(small, *large)
    assert busy.most[UPLOADS] == 2


@pytest.mark.parametrize("name", ["result", "result/", "result.csv", "result.ndjson", "result.parquet", "summary.csv"])
async def test_results_of_every_format_have_a_lane_of_their_own(name: str) -> None:
    busy = Busy()
    path = f"{UPLOADS}1/{name}"
    async with service(busy) as backend, gateway(backend, limits=LIMITS) as client, client.elsewhere() as other:
        results = [asyncio.create_task(told(caller, path)) for caller in (client, other, client, other)]
        await eventually(lambda: busy.now[path] == 2)
        rows = [asyncio.create_task(told(caller)) for caller in (client, other)]
        await eventually(lambda: busy.now[ROWS] == 2)
        busy.end.set()
        await asyncio.gather(*rows, *results)
    assert busy.most[path] == 2


async def test_guessing_keys_does_not_keep_others_from_having_theirs_looked_up() -> None:
    guesses, release = [], asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/internal/authenticate/":
            return web.Response(text="done")
        if request.headers["Authorization"] == "Bearer right":
            return web.json_response({"user_id": 1})
        guesses.append(1)
        await release.wait()
        return web.json_response({"type": "/problems/unknown-key"}, status=401)

    async with (
        service(handler) as url,
        gateway(url, limits=Limits(refusals_per_minute=100), keys_required=True) as client,
        client.elsewhere() as attacker,
    ):
        tries = [
            asyncio.create_task(attacker.problem("GET", ROWS, headers={"Authorization": f"Bearer {number}"}))
            for number in range(50)
        ]
        await eventually(lambda: bool(guesses))
        assert await told(client, headers={"Authorization": "Bearer right"}) == "done"
        assert len(guesses) == 1
        release.set()
        assert {problem["status"] for problem in await asyncio.gather(*tries)} == {401}


async def test_a_client_that_leaves_does_not_give_others_the_thread_that_works_on_for_it() -> None:
    arrived, answer = asyncio.Event(), asyncio.Event()
    seen = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # As gunicorn's threads are: it notices nothing while it works.
        while head := await reader.readuntil(b"\r\n\r\n"):
            seen.append(head)
            arrived.set()
            await answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with raw_service(connection) as backend, gateway(backend, limits=Limits(places=1)) as client:
        _, leaver = await client.connect()
        leaver.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait_for(arrived.wait(), 5)
        leaver.transport.abort()
        call = asyncio.create_task(told(client))
        await asyncio.sleep(0.2)
        assert len(seen) == 1
        answer.set()
        assert await asyncio.wait_for(call, 5) == "ok"


async def test_a_client_that_leaves_while_it_waits_leaves_its_turn_to_the_next() -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend, limits=Limits(places=1)) as client:
        first = asyncio.create_task(told(client, ROWS + "?1"))
        await eventually(lambda: busy.now[ROWS] == 1)
        _, leaver = await client.connect()
        leaver.write(b"POST /api/v1/rows/?2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        await asyncio.sleep(0.1)
        last = asyncio.create_task(told(client, ROWS + "?3"))
        await asyncio.sleep(0.1)
        leaver.close()
        await asyncio.sleep(0.1)
        busy.end.set()
        await asyncio.gather(first, last)
    assert busy.order == [ROWS + "?1", ROWS + "?3"]


async def test_services_are_asked_once_whether_they_are_ready_however_many_want_to_know() -> None:
    busy = Busy()
    async with service(busy) as backend, gateway(backend, backend) as client:
        calls = [asyncio.create_task(told(client, "/readyz")) for _ in range(30)]
        await eventually(lambda: busy.now["/readyz"] == 2)
        await asyncio.sleep(0.1)
        busy.end.set()
        await asyncio.gather(*calls)
    assert busy.most["/readyz"] == 2
