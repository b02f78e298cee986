"""No request hides in another one: what a service hears is what the gateway has checked."""

import asyncio

import pytest
from aiohttp import web
from servers import gateway, service

HIDDEN = b"GET /admin/hidden HTTP/1.1\r\nHost: localhost\r\nX-User-Id: 1\r\n\r\n"
POST = b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN

#: The head of a request, and its body, in which somebody on the way might see the hidden one.
FRAMINGS = {
    "a length that covers it": (POST + b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    "a GET with a body": (
        b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(HIDDEN),
        HIDDEN,
    ),
    "a chunk that covers it": (
        POST + b"Transfer-Encoding: chunked\r\n",
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    ),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n", b"0\r\nX-User-Id: 1\r\nContent-Length: 9\r\n\r\n"),
    "chunks and a length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED),
    "a length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "two lengths": (POST + b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    "a list of lengths": (POST + b"Content-Length: 0, %d\r\n" % len(HIDDEN), HIDDEN),
    "a length with a sign": (POST + b"Content-Length: +0\r\n", HIDDEN),
    "a length in hexadecimal": (POST + b"Content-Length: 0x0\r\n", HIDDEN),
    "a space before the colon": (POST + b"Transfer-Encoding : chunked\r\n", CHUNKED),
    "a vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n", CHUNKED),
    "a folded line": (POST + b"Transfer-Encoding:\r\n chunked\r\n", CHUNKED),
    "another coding": (POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", CHUNKED),
    "not chunked at the end": (POST + b"Transfer-Encoding: chunked, identity\r\n", CHUNKED),
    "chunked twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "a bare line feed": (POST + b"X: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED),
    "a chunk's size that overflows": (POST + b"Transfer-Encoding: chunked\r\n", b"f" * 17 + b"\r\n" + HIDDEN),
    "a chunk's size that is none": (POST + b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n" + HIDDEN),
    "a line break in a chunk's extension": (POST + b"Transfer-Encoding: chunked\r\n", b"0;a\nb\r\n\r\n"),
    "an upgrade": (POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    "a length that Connection names": (
        POST + b"Connection: Content-Length\r\nContent-Length: %d\r\n" % len(HIDDEN),
        HIDDEN,
    ),
}


@pytest.mark.parametrize(("head", "body"), FRAMINGS.values(), ids=FRAMINGS.keys())
async def test_no_request_hides_in_another_one(head: bytes, body: bytes) -> None:
    heard: list[tuple[str, bytes]] = []

    async def hear(request: web.BaseRequest) -> web.StreamResponse:
        assert "X-User-Id" not in request.headers
        heard.append((request.raw_path, await request.read()))
        return web.Response()

    async with service(hear) as backend, gateway(backend, backend) as client:
        reader, writer = await client.connect()
        writer.write(head + b"\r\n" + body)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.write_eof()
        answer += await asyncio.wait_for(reader.read(), 5)
        writer.close()
        # What comes next on the connection to the service is the next request.
        async with client.get("/admin/next") as following:
            assert following.status == 200
    assert [target for target, _ in heard if "hidden" in target] == []
    assert heard[-1] == ("/admin/next", b"")
    if answer.split(b" ")[1] == b"200":
        (target, arrived), *_ = heard
        assert target in ("/api/v1/uploads/", "/api/v1/rows/")
        assert arrived in (HIDDEN, b"")
    else:
        assert answer.split(b" ")[1] in (b"400", b"413", b"502"), answer
