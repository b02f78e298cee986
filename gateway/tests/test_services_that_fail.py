"""Services that are away, silent, or break off: the client is told, and never gets half an answer that looks whole."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from servers import Client, gateway, raw_service, service
from yarl import URL

from gateway.limits import Limits

ONCE = b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("target", "name"), [("/api/v1/rows/", "file_reader"), ("/api/v1/reverse-geocode/", "postcode_consumer")]
)
async def test_a_service_that_is_away_is_named_and_the_client_may_try_again(target: str, name: str) -> None:
    async with gateway() as client:
        problem = await client.problem("GET", target)
        assert (problem["status"], problem["type"]) == (503, "/problems/service-unavailable")
        assert problem["service"] == name
        async with client.get(target) as answer:
            assert answer.headers["Retry-After"] == "2"


async def test_a_service_whose_connections_are_all_taken_is_unavailable() -> None:
    arrived = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        return await never(request)

    limits = Limits(connections_per_service=1, connect=0.3, linger=0.1)
    async with service(handler) as backend, gateway(backend, limits=limits) as client:
        first = asyncio.create_task(client.send(ONCE))
        await asyncio.wait_for(arrived.wait(), 5)
        problem = await client.problem("GET", "/api/v1/rows/")
        assert (problem["status"], problem["type"]) == (503, "/problems/service-unavailable")
        first.cancel()


async def never(request: web.BaseRequest) -> web.StreamResponse:
    """Says nothing at all."""
    await request.read()
    await asyncio.sleep(30)
    return web.Response()


async def test_a_service_that_stays_silent_is_a_timeout() -> None:
    async with service(never) as backend, gateway(backend, limits=Limits(answer_idle=0.3)) as client:
        for method, body in (("GET", None), ("POST", b"x")):
            problem = await client.problem(method, "/api/v1/rows/", data=body)
            assert (problem["status"], problem["type"]) == (504, "/problems/service-timeout")
            assert problem["service"] == "file_reader"


async def test_a_service_that_does_not_take_the_body_is_a_timeout() -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(1_000_000)

    async with raw_service(connection) as backend:
        limits = Limits(service_stall=0.4, linger=0.5)
        async with gateway(backend, limits=limits) as client:
            reader, writer = await client.connect()
            writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n\r\n")
            sending = asyncio.create_task(send_all(writer, endless()))
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            sending.cancel()
            writer.close()
    assert answer.startswith(b"HTTP/1.1 504 ")


async def send_all(writer: asyncio.StreamWriter, body: AsyncIterator[bytes]) -> None:
    """Send the body as fast as it is taken."""
    async for piece in body:
        writer.write(piece)
        await writer.drain()


async def test_an_answer_that_takes_long_but_never_pauses_long_is_passed_on() -> None:
    async def steady(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(8):
            await asyncio.sleep(0.15)
            await answer.write(b"x")
        return answer

    async with service(steady) as backend, gateway(backend, limits=Limits(answer_idle=1)) as client:
        assert (await read_all(client, "/api/v1/rows/"))[0] == b"x" * 8


async def read_all(client: Client, target: str) -> tuple[bytes, bool]:
    """The body as far as it came, and whether it was whole."""
    body = b""
    try:
        async with client.get(target) as answer:
            if answer.status != 200:
                return body, False
            async for piece in answer.content.iter_any():
                body += piece
    except aiohttp.ClientError:
        return body, False
    return body, True


HALVES = {
    "with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500,
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" + b"x" * 500 + b"\r\n",
    "within a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 500,
    "with a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" + b"x" * 500 + b"\r\nzz\r\n",
}


def half_an_answer(half: bytes, *, silent: bool = False, reset: bool = False) -> object:
    """A service that answers with this and then closes, resets or stays silent."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(half)
        await writer.drain()
        await asyncio.sleep(2 if silent else 0.05)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return connection


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
@pytest.mark.parametrize("end", ["closes", "resets", "stays silent"])
async def test_half_an_answer_never_looks_whole_to_the_client(
    half: bytes, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = half_an_answer(half, silent=end == "stays silent", reset=end == "resets")
    limits = Limits(answer_idle=0.3, linger=0.1)
    async with raw_service(connection) as backend, gateway(backend, limits=limits) as client:  # type: ignore[arg-type]
        body, whole = await read_all(client, "/api/v1/rows/")
    assert not whole
    assert body in (b"", b"x" * 500)
    assert "Traceback" not in caplog.text


async def test_half_an_answer_ends_in_a_reset_where_only_the_end_would_tell() -> None:
    connection = half_an_answer(HALVES["in chunks"])
    async with raw_service(connection) as backend, gateway(backend) as client:  # type: ignore[arg-type]
        reader, writer = await client.connect()
        writer.write(b"GET /api/v1/rows/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"]
)
async def test_no_valid_answer_is_a_bad_gateway(answer: bytes) -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with raw_service(connection) as backend, gateway(backend) as client:
        problem = await client.problem("POST", "/api/v1/rows/")
    assert (problem["status"], problem["type"], problem["service"]) == (502, "/problems/service-failed", "file_reader")


def closes_the_second(seen: list[bytes]) -> object:
    """A service that closes every connection without a word when a second request comes on it."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        seen.append(await reader.readuntil(b"\r\n\r\n"))

    return connection


async def test_a_get_on_a_connection_that_was_just_closed_is_sent_again() -> None:
    seen: list[bytes] = []
    async with raw_service(closes_the_second(seen)) as backend, gateway(backend) as client:  # type: ignore[arg-type]
        for _ in range(2):
            async with client.get("/api/v1/rows/") as answer:
                assert answer.status == 200
    assert len(seen) == 3


async def test_a_post_is_never_sent_twice() -> None:
    seen: list[bytes] = []
    async with raw_service(closes_the_second(seen)) as backend, gateway(backend) as client:  # type: ignore[arg-type]
        async with client.get("/api/v1/rows/") as answer:
            assert answer.status == 200
        problem = await client.problem("POST", "/api/v1/uploads/1/retry/")
        assert problem["status"] == 502
    assert len(seen) == 2


async def test_an_idle_connection_is_dropped_before_the_service_drops_it() -> None:
    closed = asyncio.Event()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert await reader.read() == b""
        closed.set()

    limits = Limits(service_keepalive=0.2)
    async with raw_service(connection) as backend, gateway(backend, limits=limits) as client:
        async with client.get("/api/v1/rows/") as answer:
            assert answer.status == 200
        await asyncio.wait_for(closed.wait(), 5)
    assert Limits().service_keepalive < 5


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    ended = asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(bytes(1_000_000))
        finally:
            ended.set()

    async with service(endless) as backend, gateway(backend, limits=Limits(client_stall=0.3)) as client:
        _, writer = await client.connect()
        writer.write(ONCE)
        await asyncio.wait_for(ended.wait(), 10)
        writer.close()


async def test_a_services_name_that_does_not_exist_is_a_service_that_is_away() -> None:
    async with gateway(URL("http://no-such-host.invalid:8000")) as client:
        problem = await client.problem("GET", "/api/v1/rows/")
        assert (problem["status"], problem["service"]) == (503, "file_reader")
