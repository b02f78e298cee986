"""Bodies: passed on as streams, capped, and never made whole when they are not."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiohttp import web
from servers import eventually, gateway, raw_service, service

from gateway.limits import MIB, Limits

#: Every upload is a large one, which is given on while it arrives.
LARGE = Limits(begun_upload_bytes=1, linger=0.5)
SMALL = replace(LARGE, upload_bytes=100_000, multipart_overhead_bytes=1_000, other_body_bytes=10_000)


@dataclass
class Reading:
    """Reads bodies as a service does, and tells how it went."""

    received: int = 0
    ended: str = "not yet"

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            async for piece in request.content.iter_any():
                self.received += len(piece)
            self.ended = "complete"
        except BaseException:
            self.ended = "cut"
            raise
        return web.json_response(
            {"length": request.headers.get("Content-Length"), "coding": request.headers.get("Transfer-Encoding")}
        )


async def pieces(count: int, size: int = MIB) -> AsyncIterator[bytes]:
    """A body without a declared length."""
    for _ in range(count):
        yield bytes(size)


async def test_a_body_without_a_length_is_passed_on_without_one() -> None:
    reading = Reading()
    async with (
        service(reading) as backend,
        gateway(backend) as client,
        client.call("POST", "/api/v1/uploads/", data=pieces(8)) as answer,
    ):
        assert await answer.json() == {"length": None, "coding": "chunked"}
    assert (reading.received, reading.ended) == (8 * MIB, "complete")


async def test_a_body_is_passed_on_while_it_is_still_arriving() -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend, limits=LARGE) as client:
        _, writer = await client.connect()
        writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nfirst")
        await eventually(lambda: reading.received == 5)
        assert reading.ended == "not yet"
        writer.close()


@pytest.mark.parametrize(
    ("path", "length", "maximum"), [("/api/v1/uploads/", 101_001, 101_000), ("/api/v1/rows/", 10_001, 10_000)]
)
async def test_a_declared_length_above_the_maximum_is_refused_before_reading(
    path: str, length: int, maximum: int
) -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend, limits=SMALL) as client:
        reader, writer = await client.connect()
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"type": "/problems/body-too-large"' in answer
    assert f'"maximum_bytes": {maximum}'.encode() in answer
    assert reading.ended == "not yet"


async def test_an_upload_that_grows_above_the_maximum_is_refused_and_never_completed() -> None:
    reading = Reading()

    async def growing() -> AsyncIterator[bytes]:
        yield bytes(1000)
        await eventually(lambda: reading.received > 0)
        async for piece in pieces(101, 1000):
            yield piece

    async with service(reading) as backend, gateway(backend, limits=SMALL) as client:
        problem = await client.problem("POST", "/api/v1/uploads/", data=growing())
        assert (problem["status"], problem["type"]) == (413, "/problems/body-too-large")
        await eventually(lambda: reading.ended == "cut")
    assert reading.received <= 101_000


async def test_another_body_that_grows_above_the_maximum_is_refused_and_no_service_hears_of_it() -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend, limits=SMALL) as client:
        problem = await client.problem("POST", "/api/v1/rows/", data=pieces(11, 1000))
        assert (problem["status"], problem["type"]) == (413, "/problems/body-too-large")
    assert reading.ended == "not yet"


@pytest.mark.parametrize(("path", "maximum"), [("/api/v1/uploads/", 101_000), ("/api/v1/rows/", 10_000)])
async def test_a_body_of_just_the_maximum_is_let_through(path: str, maximum: int) -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend, limits=SMALL) as client:
        for body in (bytes(maximum), pieces(maximum // 1000, 1000)):
            async with client.call("POST", path, data=body) as answer:
                assert answer.status == 200
    assert (reading.received, reading.ended) == (2 * maximum, "complete")


HEADS = {
    "with a length": b"Content-Length: 1000\r\n\r\n" + b"x" * 500,
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\n1f4\r\n" + b"x" * 500 + b"\r\n",
    "within a chunk": b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 500,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
@pytest.mark.parametrize("end", ["closed", "half closed", "reset"])
async def test_a_body_cut_short_reaches_the_service_as_a_short_body(
    head: bytes, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reading = Reading()
    async with service(reading) as backend, gateway(backend, limits=LARGE) as client:
        reader, writer = await client.connect()
        writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\n" + head)
        await eventually(lambda: reading.received == 500)
        if end == "half closed":
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 5) == b""  # it is not kept waiting
        elif end == "reset":
            writer.transport.abort()
        else:
            writer.close()
        await eventually(lambda: reading.ended == "cut")
        writer.close()
    assert reading.received == 500
    assert "outcome=client_gone" in caplog.text
    assert "Unhandled" not in caplog.text


async def test_a_request_without_a_host_is_passed_on_with_the_gateways_own() -> None:
    async with service() as backend, gateway(backend) as client:
        reader, writer = await client.connect()
        own = "{}:{}".format(*writer.get_extra_info("peername"))
        writer.write(b"GET /api/v1/uploads/ HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert own.encode() in answer


async def test_the_bytes_of_a_cut_body_do_not_look_whole_to_the_service() -> None:
    received = bytearray()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            received.extend(piece)
        received.extend(b"<end>")

    async with raw_service(connection) as backend, gateway(backend, limits=LARGE) as client:
        _, writer = await client.connect()
        writer.write(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        await eventually(lambda: b"abc" in received)
        writer.close()
        await eventually(lambda: received.endswith(b"<end>"))
    assert received.endswith(b"3\r\nabc\r\n<end>")


async def test_chunks_that_are_not_valid_are_refused_and_never_completed() -> None:
    reading = Reading()
    limits = Limits(begun_upload_bytes=1, client_idle=0.5, linger=0.1)
    async with service(reading) as backend, gateway(backend, limits=limits) as client:
        head = b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        reader, writer = await client.connect()
        writer.write(head + b"3\r\nabc\r\n")
        await eventually(lambda: reading.received == 3)
        writer.write(b"not a size\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await eventually(lambda: reading.ended == "cut")
    # aiohttp's parser says nothing to who reads the body: it is as if nothing more came.
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 ")), answer


async def test_a_client_that_stops_sending_is_cut_off() -> None:
    reading = Reading()
    limits = Limits(begun_upload_bytes=1, client_idle=0.3, linger=0.1)
    async with service(reading) as backend, gateway(backend, limits=limits) as client:
        answer = await client.send(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nfirst"
        )
        await eventually(lambda: reading.ended == "cut")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"type": "/problems/client-too-slow"' in answer
    assert b"connection: close" in answer.lower()


async def test_a_client_that_sends_slowly_but_steadily_is_not_cut_off() -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(8):
            await asyncio.sleep(0.15)
            yield b"x"

    reading = Reading()
    async with (
        service(reading) as backend,
        gateway(backend, limits=Limits(client_idle=1, client_floor=5, large_upload_floor=5)) as client,
        client.call("POST", "/api/v1/uploads/", data=drip()) as answer,
    ):
        assert answer.status == 200
    assert reading.received == 8


async def refuse_early(request: web.BaseRequest) -> web.StreamResponse:
    """Answers when a little of the body has arrived, and does not read the rest."""
    await request.content.readany()
    return web.json_response({"type": "/problems/early"}, status=422, content_type="application/problem+json")


async def test_an_answer_before_the_end_of_the_body_is_passed_on_at_once() -> None:
    async with service(refuse_early) as backend, gateway(backend, limits=LARGE) as client:
        reader, writer = await client.connect()
        writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\nfirst")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 422 ")
    assert b"connection: close" in answer.lower()
    assert b"/problems/early" in answer


async def test_the_early_answer_is_never_lost_though_the_service_hangs_up_and_the_client_sends_on() -> None:
    async with service(refuse_early) as backend, gateway(backend, limits=Limits(linger=5)) as client:
        for _ in range(10):
            for body in (io.BytesIO(bytes(8 * MIB)), pieces(8)):
                async with client.call("POST", "/api/v1/uploads/", data=body) as answer:
                    assert (answer.status, await answer.json(content_type=None)) == (422, {"type": "/problems/early"})


async def test_a_short_body_is_not_completed_because_the_service_answered_early() -> None:
    received = bytearray()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readuntil(b"first"))
        writer.write(b"HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\nno")
        while piece := await reader.read(65_536):
            received.extend(piece)
        received.extend(b"<end>")

    async with raw_service(connection) as backend, gateway(backend, limits=LARGE) as client:
        answer = await client.send(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        assert answer.endswith(b"no")
        await eventually(lambda: received.endswith(b"<end>"))
    assert received.endswith(b"first\r\n<end>") or received.endswith(b"first<end>")


EXPECTING = b"Host: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n"


async def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend) as client:
        reader, writer = await client.connect()
        writer.write(b"POST /api/v1/uploads/ HTTP/1.1\r\n" + EXPECTING + b"Content-Length: 5\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"12345")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert reading.received == 5


async def test_a_refused_body_is_not_asked_for() -> None:
    reading = Reading()
    async with service(reading) as backend:
        async with gateway(backend, limits=SMALL) as client:
            answer = await client.send(
                b"POST /api/v1/uploads/ HTTP/1.1\r\n" + EXPECTING + b"Content-Length: 200000\r\n\r\n"
            )
            assert answer.startswith(b"HTTP/1.1 413 ")
        async with gateway(backend, keys_required=True) as client:
            answer = await client.send(
                b"POST /api/v1/uploads/ HTTP/1.1\r\n" + EXPECTING + b"Content-Length: 2000\r\n\r\n"
            )
            assert answer.startswith(b"HTTP/1.1 401 ")
    assert reading.ended == "not yet"


async def test_many_requests_with_bodies_share_one_connection() -> None:
    reading = Reading()
    async with service(reading) as backend, gateway(backend) as client:
        reader, writer = await client.connect()
        for count in range(1, 21):
            writer.write(b"POST /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readuntil(b"}")
            assert reading.received == 3 * count
        writer.close()
