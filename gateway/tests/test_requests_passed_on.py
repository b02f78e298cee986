"""A request arrives at the service as the client sent it, but for the headers that only the gateway may set."""

import gzip
from typing import Any

import pytest
from aiohttp import web
from servers import TOKEN, gateway, service


def headers_of(echoed: dict[str, Any]) -> dict[str, str]:
    """The echoed headers by lower-case name; a name that came twice fails the test."""
    names = [name.lower() for name, _ in echoed["headers"]]
    assert len(names) == len(set(names)), names
    return {name.lower(): value for name, value in echoed["headers"]}


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/uploads/",
        "/api/v1/uploads/?",
        "/api/v1/uploads/?a=1&a=2&b=&c",
        "/api/v1/uploads/?filename=caf%C3%A9%20%2B%2f.csv",
        "/api/v1/uploads/?filename=a+b%20c",
        "/api/v1/uploads/%41%2F%3F%23/",
        "/api/v1/uploads//double//slash",
        "/api/v1/uploads/?bad=%zz&lone=%",
        "/api/v1/uploads/?bbox=-0.2,51.4,-0.1,51.6;x='y'(z)!*:@[]|{}\"<>^`",
        "/api/v1/uploads/?what?is=this?",
    ],
)
async def test_path_and_query_string_are_passed_on_byte_for_byte(target: str) -> None:
    async with service() as backend, gateway(backend) as client:
        request = b"GET " + target.encode() + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await client.send(request)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        async with client.get(target) as echoed:
            assert (await echoed.json())["target"] == target


@pytest.mark.parametrize("target", [b"/api/v1/rows/?q=\xff", b"/api/v1/rows/?q=\xc3\xa9", b"/a b", b"/a\x00b"])
async def test_an_address_that_is_not_encoded_is_a_bad_request(target: bytes) -> None:
    async with service() as backend, gateway(backend) as client:
        answer = await client.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 400 Bad Request\r\n" in answer, answer
        assert b"application/problem+json" in answer


async def test_a_header_that_is_not_utf8_is_a_bad_request() -> None:
    async with service() as backend, gateway(backend) as client:
        answer = await client.send(
            b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nX-Name: \xff\r\nConnection: close\r\n\r\n"
        )
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert b'"type": "/problems/bad-request"' in answer


async def test_no_header_is_added_but_the_gateways_own() -> None:
    async with service() as backend, gateway(backend) as client:
        reader, writer = await client.connect()
        writer.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost:1234\r\nX-Mine: \xc3\xa9\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        async with client.get(
            "/api/v1/rows/", headers={"Host": "localhost:1234"}, skip_auto_headers=["Accept"]
        ) as answer:
            headers = headers_of(await answer.json())
        writer.close()
    assert headers.pop("x-request-id")
    assert headers.pop("user-agent").startswith("Python")
    assert headers == {
        "host": "localhost:1234",
        "accept-encoding": headers["accept-encoding"],
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-internal-auth": "off",
        "x-internal-token": TOKEN,
    }


async def test_internal_headers_of_a_client_are_thrown_away() -> None:
    spoofed = {
        "X-Internal-Token": "guess",
        "X-User-Id": "1",
        "X_User_Id": "1",
        "X_Internal_Token": "guess",
        "X-Internal-Auth": "required",
        "X-Internal-Anything": "1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Ssl": "on",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "Authorization": "Bearer something",
        "Connection": "X-Internal-Token, X-User-Id, Host",
    }
    async with service() as backend, gateway(backend) as client:
        for path in ("/admin/", "/api/v1/uploads/"):
            async with client.get(path, headers=spoofed) as answer:
                echoed = await answer.json()
                headers = headers_of(echoed)
            assert headers["x-internal-token"] == TOKEN
            assert headers["x-internal-auth"] == "off"
            assert headers["host"] == f"127.0.0.1:{client.url.port}"
            assert headers["x-forwarded-for"] == "127.0.0.1"
            assert not set(headers) & {"x-user-id", "x-forwarded-host", "x-forwarded-ssl", "x-real-ip", "forwarded"}
            assert not set(headers) & {"x_user_id", "x_internal_token", "x-internal-anything", "authorization"}


async def test_what_a_service_reads_from_headers_is_passed_on() -> None:
    sent = {"Content-Digest": "sha-256=:AAAA:", "Idempotency-Key": "one", "X-Request-Deadline": "2.5"}
    async with (
        service() as backend,
        gateway(backend) as client,
        client.call("POST", "/api/v1/uploads/", data=b"a,b\n", headers=sent) as answer,
    ):
        headers = headers_of(await answer.json())
    assert {name: headers.get(name.lower()) for name in sent} == sent


async def test_hop_by_hop_headers_end_at_the_gateway() -> None:
    sent = {
        "Connection": "keep-alive, X-Only-Here",
        "X-Only-Here": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Proxy-Authorization": "Basic x",
        "Upgrade": "h2c",
        "X-End-To-End": "1",
    }
    async with service() as backend, gateway(backend) as client, client.get("/api/v1/rows/", headers=sent) as answer:
        headers = headers_of(await answer.json())
    assert headers["x-end-to-end"] == "1"
    assert not set(headers) & {"x-only-here", "keep-alive", "te", "proxy-authorization", "upgrade", "connection"}


async def test_cookies_of_the_admin_are_passed_on_and_its_authorization_is_not() -> None:
    headers = {"Cookie": "sessionid=abc; csrftoken=def", "Authorization": "Basic x"}
    async with service() as backend, gateway(backend) as client, client.get("/admin/", headers=headers) as answer:
        seen = headers_of(await answer.json())
    assert seen["cookie"] == "sessionid=abc; csrftoken=def"
    assert "authorization" not in seen


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"])
async def test_every_method_is_passed_on_with_its_body_and_its_length(method: str) -> None:
    async with (
        service() as backend,
        gateway(backend) as client,
        client.call(method, "/api/v1/rows/", data=b"a,b\n1,2\n") as answer,
    ):
        echoed = await answer.json()
    assert (echoed["method"], echoed["body"]) == (method, "a,b\n1,2\n")
    assert headers_of(echoed)["content-length"] == "8"
    assert "transfer-encoding" not in headers_of(echoed)


async def test_an_empty_body_stays_an_empty_body() -> None:
    async with service() as backend, gateway(backend) as client:
        answer = await client.send(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'["Content-Length", "0"]' in answer


async def test_a_compressed_body_is_not_unpacked() -> None:
    packed = gzip.compress(b"latitude,longitude\n" * 1000)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert await request.read() == packed
        return web.Response(text=request.headers["Content-Encoding"])

    headers = {"Content-Encoding": "gzip"}
    async with (
        service(handler) as backend,
        gateway(backend) as client,
        client.call("POST", "/api/v1/uploads/", data=packed, headers=headers) as answer,
    ):
        assert await answer.text() == "gzip"
