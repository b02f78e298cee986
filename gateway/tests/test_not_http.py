"""Requests that never become one: still answered with a problem, with the right status, and a request id."""

import asyncio
from contextlib import suppress

import pytest
from servers import gateway, service

from gateway.limits import Limits

LIMITS = Limits()
CASES = {
    "a header too long": (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * (LIMITS.header_bytes + 1),
        431,
        "headers-too-large",
    ),
    "a header's name too long": (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"x" * LIMITS.header_bytes + b": long",
        431,
        "headers-too-large",
    ),
    "too many headers": (
        b"GET / HTTP/1.1\r\nHost: localhost" + b"\r\nX-Many: 1" * LIMITS.headers,
        431,
        "headers-too-large",
    ),
    "an address too long": (b"GET /?" + b"x" * LIMITS.target_bytes + b" HTTP/1.1", 414, "target-too-long"),
    "something else": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad-request"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
        400,
        "bad-request",
    ),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        400,
        "bad-request",
    ),
    "a length that is none": (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1", 400, "bad-request"),
    "a header folded over two lines": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n 2", 400, "bad-request"),
}


@pytest.mark.parametrize(("data", "status", "slug"), CASES.values(), ids=CASES.keys())
async def test_what_is_no_request_is_a_problem_with_the_right_status(data: bytes, status: int, slug: str) -> None:
    async with gateway() as client:
        answer = await client.send(data + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f" {status} ".encode() in head.splitlines()[0], answer
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Request-Id: " in head
    assert f'"type": "/problems/{slug}"'.encode() in body


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
async def test_a_client_that_does_not_end_its_headers_is_cut_off(begun: bytes) -> None:
    async with gateway(limits=Limits(client_keepalive=0.3)) as client:
        reader, writer = await client.connect()
        ended = asyncio.ensure_future(reader.read())
        writer.write(begun)
        for _ in range(100):
            if ended.done():
                break
            if begun.endswith(b" "):  # a byte now and then buys no time
                writer.write(b"x")
            await asyncio.sleep(0.05)
        cut_off = ended.done()
        writer.close()
        assert cut_off
        with suppress(ConnectionResetError):  # the client wrote into what was closed already
            assert await ended == b""


async def test_headers_and_addresses_up_to_the_limits_are_let_through() -> None:
    async with service() as backend, gateway(backend) as client:
        target = "/api/v1/rows/?".ljust(LIMITS.target_bytes, "x")
        headers = {"X-Long": "x" * (LIMITS.header_bytes - len("X-Long"))}
        async with client.get(target, headers=headers) as answer:
            echoed = await answer.json()
    assert echoed["target"] == target
    assert ["X-Long", headers["X-Long"]] in echoed["headers"]


async def test_requests_in_a_row_on_one_connection_are_all_answered_in_order() -> None:
    async with service() as backend, gateway(backend) as client:
        first = b"GET /api/v1/rows/?1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /api/v1/rows/?3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await client.send(first + b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + last)
    found = [answer.index(text) for text in (b'rows/?1"', b"/problems/not-found", b'rows/?3"')]
    assert found == sorted(found)
