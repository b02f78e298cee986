"""Every answer tells browsers what they may make of it."""

import ipaddress

import pytest
from aiohttp import web
from servers import gateway, service

PROXY = (ipaddress.ip_network("127.0.0.1"),)
HTTPS = {"X-Forwarded-Proto": "https"}


async def answering(request: web.BaseRequest) -> web.StreamResponse:
    """A small answer, or one that is passed on piece by piece."""
    if request.path == "/internal/authenticate/":
        return web.json_response({"user_id": 1})
    answer = web.StreamResponse(headers={"Cache-Control": "public, max-age=60", "X-Frame-Options": "SAMEORIGIN"})
    answer.headers.add("Set-Cookie", "sessionid=a; Path=/; HttpOnly")
    answer.headers.add("Set-Cookie", "csrftoken=b; Path=/; secure")
    if request.path.endswith("small/"):
        answer.content_length = 2
    await answer.prepare(request)
    await answer.write(b"ok")
    return answer


@pytest.mark.parametrize(
    "target", ["/healthz", "/readyz", "/nowhere", "/api/v1/rows/", "/api/v1/rows/small/", "/api/v1/rows/?key=none"]
)
async def test_no_answer_is_guessed_at_framed_or_run(target: str) -> None:
    async with service(answering) as backend, gateway(backend, backend, keys_required="none" in target) as client:
        for _ in range(2):
            async with client.get(target) as answer:
                headers = answer.headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Referrer-Policy"] == "same-origin"
                assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
                assert headers.getall("X-Frame-Options") == ["DENY"]
                assert "Strict-Transport-Security" not in headers


async def test_what_is_not_even_http_has_them_too() -> None:
    async with gateway() as client:
        answer = await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert b"X-Content-Type-Options: nosniff\r\n" in answer


async def test_pages_load_only_what_is_their_own() -> None:
    async with service(answering) as backend, gateway(backend, backend) as client, client.get("/admin/") as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not [rule for rule in policy if "unsafe" in rule or "*" in rule]


@pytest.mark.parametrize("target", ["/", "/uploads/1/", "/keys/"])
async def test_pages_of_people_have_pictures_of_their_own_and_tiles_from_where_the_settings_say(target: str) -> None:
    for tiles, images in (("", "img-src 'self'"), ("https://t.example:8", "img-src 'self' https://t.example:8")):
        async with (
            service(answering) as backend,
            gateway(backend, backend, tiles_origin=tiles) as client,
            client.get(target) as answer,
        ):
            policy = answer.headers["Content-Security-Policy"].split("; ")
        assert [rule for rule in policy if rule.startswith("img-src")] == [images]
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"} < {*policy}


@pytest.mark.parametrize("target", ["/admin/", "/admin/small/", "/healthz", "/nowhere"])
async def test_what_came_by_https_stays_there(target: str) -> None:
    async with service(answering) as backend, gateway(backend, backend, trusted_proxies=PROXY) as client:
        async with client.get(target, headers=HTTPS) as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            if target.startswith("/admin/"):
                cookies = ["sessionid=a; Path=/; HttpOnly; Secure", "csrftoken=b; Path=/; secure"]
                assert answer.headers.getall("Set-Cookie") == cookies
        async with client.get(target) as answer:
            assert "Strict-Transport-Security" not in answer.headers
    async with (
        service(answering) as backend,
        gateway(backend, backend) as client,
        client.get(target, headers=HTTPS) as answer,
    ):
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(("keys_required", "control"), [(True, "private, max-age=60"), (False, "public, max-age=60")])
async def test_what_needs_a_key_is_kept_by_nobody_in_between(keys_required: bool, control: str) -> None:
    headers = {"Authorization": "Bearer good"}
    async with service(answering) as backend, gateway(backend, backend, keys_required=keys_required) as client:
        for target in ("/api/v1/reverse-geocode/", "/api/v1/rows/small/", "/api/v1/rows/small/"):
            async with client.get(target, headers=headers) as answer:
                assert answer.headers.getall("Cache-Control") == [control]
