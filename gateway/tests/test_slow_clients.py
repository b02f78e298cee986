"""Clients that send or read slowly: a service does not notice, and those under the floor are cut off."""

import asyncio
import io
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web
from servers import Client, eventually, gateway, raw_service, service, whole_body

from gateway.limits import MIB, Limits

BIG = os.urandom(MIB) * 12


class Asked:
    """A service that answers with the lengths of the bodies, and counts what it is asked."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.times += 1
        body = await whole_body(request)
        return web.json_response({"header": request.headers.get("Content-Length"), "length": len(body)})


SLOW = [
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nu",
    b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nu",
    b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nu\r\n",
]


async def test_a_service_hears_nothing_of_bodies_that_arrive_slowly() -> None:
    asked = Asked()
    async with service(asked) as backend, gateway(backend, limits=Limits(client_idle=60)) as client:
        writers = [(await client.connect())[1] for _ in range(30)]
        for number, writer in enumerate(writers):
            writer.write(SLOW[number % 3])
        await asyncio.sleep(0.2)
        async with client.get("/api/v1/rows/") as answer:
            assert answer.status == 200
        for writer in writers:
            writer.close()
    assert asked.times == 1


async def pieces(body: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [0, 1, 300_000, 2 * MIB])
async def test_a_body_without_a_length_that_is_taken_whole_has_one(size: int) -> None:
    async with service(Asked()) as backend, gateway(backend) as client:
        for path in ("/api/v1/uploads/", "/api/v1/rows/"):
            async with client.call("POST", path, data=pieces(BIG[:size])) as answer:
                assert await answer.json() == {"header": str(size), "length": size}


async def test_a_body_arrives_as_it_was_sent_through_memory_and_file() -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=await whole_body(request))

    async with service(echo) as backend, gateway(backend) as client:
        for size in (10, 300_000, 2 * MIB, 2 * MIB + 1, len(BIG)):
            for body in (io.BytesIO(BIG[:size]), pieces(BIG[:size])):
                async with client.call("POST", "/api/v1/uploads/", data=body) as answer:
                    assert await answer.read() == BIG[:size]


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then."""
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("begun", [2 * MIB, 1], ids=["taken whole", "given on"])
async def test_a_body_that_falls_behind_the_floor_is_cut_off(begun: int) -> None:
    asked = Asked()
    # Whoever is taken whole may be slower.
    floors = {"client_floor": 1_000} if begun > 1 else {"client_floor": 1, "large_upload_floor": 1_000}
    limits = Limits(begun_upload_bytes=begun, client_idle=0.4, linger=0.1, **floors)
    async with service(asked) as backend, gateway(backend, limits=limits) as client:
        reader, writer = await client.connect()
        writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\nfirst")
        dripping = asyncio.create_task(drip(writer))  # it is never idle
        answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
        dripping.cancel()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"type": "/problems/client-too-slow"' in answer
    assert asked.times == (begun == 1)


async def test_having_been_quick_does_not_buy_the_right_to_be_slow() -> None:
    limits = Limits(client_idle=0.3, large_upload_floor=1_000, linger=0.1)
    async with service(Asked()) as backend, gateway(backend, limits=limits) as client:
        answer = await client.send(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" + bytes(2_900_000)
        )
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_headers_that_do_not_end_are_a_problem_after_their_time() -> None:
    async with service(Asked()) as backend, gateway(backend, limits=Limits(client_headers=0.3)) as client:
        for before in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            reader, writer = await client.connect()
            writer.write(before)
            if before:
                await reader.readuntil(b"}")
                await asyncio.sleep(0.5)  # between two requests there is time
            writer.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: ")
            dripping = asyncio.create_task(drip(writer))
            answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
            dripping.cancel()
            writer.close()
            assert answer.startswith((b"HTTP/1.0 408 ", b"HTTP/1.1 408 ")), answer
            assert b'"type": "/problems/client-too-slow"' in answer


async def test_a_connection_on_which_nothing_comes_is_closed() -> None:
    async with gateway(limits=Limits(client_headers=0.2)) as client:
        assert await client.send(b"") == b""


async def give_big(request: web.BaseRequest) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for start in range(0, len(BIG), 65_536):
        await answer.write(BIG[start : start + 65_536])
    return answer


class Giving:
    """A service with a large answer, which says when it has given all of it."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/api/v1/uploads/1/result.csv":
            return web.Response(text="ok")
        answer = await give_big(request)
        await answer.write_eof()
        self.done.set()
        return answer


async def sipping(client: Client) -> socket.socket:
    """A connection that has asked for the large answer, and takes little at a time."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(line, ("127.0.0.1", client.url.port))
    head = b"GET /api/v1/uploads/1/result.csv HTTP/1.0\r\nHost: localhost\r\n\r\n"
    await loop.sock_sendall(line, head)
    return line


async def rest(line: socket.socket) -> bytes:
    """What still comes on it until it is closed: the body of the answer."""
    received = bytearray()
    while piece := await asyncio.get_running_loop().sock_recv(line, MIB):
        received += piece
    return bytes(received).partition(b"\r\n\r\n")[2]


async def test_a_service_has_given_its_answer_long_before_a_slow_client_has_taken_it() -> None:
    giving = Giving()
    async with service(giving) as backend, gateway(backend, limits=Limits(places=1)) as client:
        with await sipping(client) as line:
            await asyncio.wait_for(giving.done.wait(), 5)
            async with client.get("/api/v1/rows/") as answer:  # its place is free
                assert await answer.text() == "ok"
            assert await rest(line) == BIG


@pytest.mark.parametrize(
    "limits",
    [Limits(ahead_bytes=1_000_000, memory_bytes=100_000), Limits(answer_files_bytes=500_000)],
    ids=["one", "all"],
)
async def test_no_more_than_the_limit_is_read_ahead_and_no_byte_is_lost(limits: Limits) -> None:
    giving = Giving()
    async with service(giving) as backend, gateway(backend, limits=limits) as client:
        for _ in range(2):  # the room of the first is there again for the second
            with await sipping(client) as line:
                await asyncio.sleep(0.3)
                assert not giving.done.is_set()
                assert await rest(line) == BIG
                giving.done.clear()


async def test_who_keeps_a_place_because_the_answer_is_longer_must_be_quicker() -> None:
    limits = Limits(ahead_bytes=1_000_000, memory_bytes=100_000, client_stall=0.5, held_answer_floor=2_000_000)
    async with service(Giving()) as backend, gateway(backend, limits=limits) as client:
        with await sipping(client) as line, pytest.raises(ConnectionResetError):
            await nibbled(line)


async def test_without_room_on_the_disk_answers_arrive_and_bodies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    giving = Giving()
    async with service(giving) as backend, gateway(backend) as client:
        with await sipping(client) as line:
            await asyncio.sleep(0.2)
            assert await rest(line) == BIG
        problem = await client.problem("POST", "/api/v1/rows/", data=pieces(BIG[:MIB]))
        assert (problem["status"], problem["type"]) == (507, "/problems/storage-full")
        async with client.call("POST", "/api/v1/rows/", data=BIG[:100_000]) as answer:
            assert answer.status == 200


async def nibbled(line: socket.socket) -> None:
    """Takes a little now and then, and at last all that is there."""
    for _ in range(30):
        await asyncio.get_running_loop().sock_recv(line, 10_000)
        await asyncio.sleep(0.05)
    await rest(line)


async def test_a_client_that_takes_less_than_the_floor_is_cut_off_and_one_above_it_is_not() -> None:
    loop = asyncio.get_running_loop()
    limits = Limits(client_stall=0.5, client_floor=2_000_000)
    async with service(Giving()) as backend, gateway(backend, limits=limits) as client:
        with await sipping(client) as line, pytest.raises(ConnectionResetError):
            await nibbled(line)
        with await sipping(client) as line:
            received = 0
            while piece := await loop.sock_recv(line, MIB):
                received += len(piece)
                await asyncio.sleep(len(piece) / 10_000_000)
            assert received > len(BIG)


async def test_a_service_that_refuses_a_body_without_reading_it_is_always_heard() -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()

    async with raw_service(connection) as backend, gateway(postcode_consumer=backend) as client:
        for number in range(60):
            body = BIG[: 1_050_000 + number * 1_000]
            sent = io.BytesIO(body) if number % 2 else pieces(body)
            async with client.call("POST", "/api/v1/reverse-geocode/", data=sent) as answer:
                assert (answer.status, await answer.text()) == (413, "no")


async def test_one_address_has_only_so_many_connections_and_is_told() -> None:
    limits = Limits(connections_per_address=3, connections=5)
    async with service(Asked()) as backend, gateway(backend, limits=limits) as client:
        lines = [await client.connect() for _ in range(3)]
        await asyncio.sleep(0.05)
        answer = await client.send(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        assert b'"type": "/problems/too-many-requests-at-once"' in answer
        async with client.elsewhere() as other, other.get("/api/v1/rows/") as given:
            assert given.status == 200
            lines += [await asyncio.open_connection("127.0.0.1", client.url.port, local_addr=("127.0.0.3", 0))]
            await asyncio.sleep(0.05)
            reader, writer = await asyncio.open_connection("127.0.0.1", client.url.port, local_addr=("127.0.0.4", 0))
            assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
            writer.close()
        for _, writer in lines:
            writer.close()
        await eventually_answered(client)


async def eventually_answered(client: Client) -> None:
    """The connections that were closed count no longer."""
    seen: list[int] = []

    async def look() -> None:
        while 200 not in seen:
            with suppress(OSError):
                async with client.get("/api/v1/rows/") as answer:
                    seen.append(answer.status)

    looking = asyncio.create_task(look())
    await eventually(looking.done)
