"""An answer arrives at the client as the service gave it."""

import asyncio
import gzip

import pytest
from aiohttp import web
from servers import gateway, raw_service, service


async def test_a_compressed_answer_is_neither_unpacked_nor_packed_again() -> None:
    packed = gzip.compress(b"postcode\n" * 1000)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "text/csv"})

    async with service(handler) as backend, gateway(backend) as client, client.get("/api/v1/rows/") as answer:
        assert await answer.read() == packed
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Length"] == str(len(packed))
        assert answer.headers["Content-Type"] == "text/csv"


async def test_every_cookie_of_an_answer_is_kept_and_none_is_remembered() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(text=request.headers.get("Cookie", "none"))
        answer.headers.add("Set-Cookie", "sessionid=a; Path=/; HttpOnly")
        answer.headers.add("Set-Cookie", "csrftoken=b; Path=/")
        return answer

    async with service(handler) as backend, gateway(backend) as client:
        for _ in range(2):
            async with client.get("/admin/") as answer:
                assert await answer.text() == "none"
                assert answer.headers.getall("Set-Cookie") == ["sessionid=a; Path=/; HttpOnly", "csrftoken=b; Path=/"]


async def test_a_redirect_is_passed_on_and_not_followed() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/admin/login/?next=/admin/"})

    async with service(handler) as backend, gateway(backend) as client, client.get("/admin/") as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/admin/login/?next=/admin/")


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * 1234)

    async with service(handler) as backend, gateway(backend) as client:
        async with client.call("HEAD", "/api/v1/rows/") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "1234")
            assert await answer.read() == b""
        async with client.get("/api/v1/rows/") as answer:
            assert len(await answer.read()) == 1234


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body_leave_the_connection_usable(status: int) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"ETag": '"a"'})

    async with service(handler) as backend, gateway(backend) as client:
        reader, writer = await client.connect()
        for _ in range(2):
            writer.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(f"http/1.1 {status} ".encode())
            assert b'etag: "a"' in head
            assert b"transfer-encoding" not in head
        writer.close()


async def test_hop_by_hop_headers_of_an_answer_end_at_the_gateway() -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Fine\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n")
        writer.write(b"X-End: 1\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async with raw_service(connection) as backend, gateway(backend) as client, client.get("/api/v1/rows/") as answer:
        assert await answer.text() == "ok"
        assert answer.reason == "Fine"
        assert answer.headers["X-End"] == "1"
        assert not {"X-Hop", "Keep-Alive", "Connection"} & set(answer.headers)


async def test_an_answer_is_passed_on_piece_by_piece_as_it_comes() -> None:
    proceed = asyncio.Event()

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: 1\n\n")
        await proceed.wait()
        await answer.write(b"data: 2\n\n")
        return answer

    async with service(handler) as backend, gateway(backend) as client, client.get("/api/v1/rows/") as answer:
        assert await asyncio.wait_for(answer.content.readany(), 5) == b"data: 1\n\n"
        proceed.set()
        assert await answer.read() == b"data: 2\n\n"


async def test_errors_of_a_service_are_passed_on_as_they_are() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"type": "/problems/its-own"}, status=422, content_type="application/problem+json")

    async with service(handler) as backend, gateway(backend) as client, client.get("/api/v1/rows/") as answer:
        assert answer.status == 422
        assert await answer.json(content_type=None) == {"type": "/problems/its-own"}


async def test_a_part_of_a_file_is_asked_for_and_given_as_the_service_does() -> None:
    file = bytes(range(256)) * 1_000

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"file"':
            return web.Response(status=304, headers={"ETag": '"file"'})
        headers = {"ETag": '"file"', "Accept-Ranges": "bytes", "Vary": "Accept-Encoding"}
        if request.headers.get("If-Range", '"file"') != '"file"' or "Range" not in request.headers:
            return web.Response(body=file, headers=headers)
        first = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if first >= len(file):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(file)}"})
        headers["Content-Range"] = f"bytes {first}-{len(file) - 1}/{len(file)}"
        return web.Response(status=206, body=file[first:], headers=headers)

    path = "/api/v1/uploads/1/result.csv"
    async with service(handler) as backend, gateway(backend) as client:
        async with client.get(path, headers={"Range": "bytes=1000-", "If-Range": '"file"'}) as answer:
            assert (answer.status, await answer.read()) == (206, file[1000:])
            assert answer.headers["Content-Range"] == f"bytes 1000-{len(file) - 1}/{len(file)}"
            assert (answer.headers["ETag"], answer.headers["Accept-Ranges"]) == ('"file"', "bytes")
        async with client.get(path, headers={"Range": "bytes=1000-", "If-Range": '"another"'}) as answer:
            assert (answer.status, await answer.read()) == (200, file)
        async with client.get(path, headers={"Range": "bytes=256000-"}) as answer:
            assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{len(file)}")
        async with client.get(path, headers={"If-None-Match": '"file"'}) as answer:
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, '"file"', b"")
