"""`/healthz` and `/readyz`."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from servers import NOBODY, Client, gateway, raw_service, service

from gateway.limits import Limits


async def ready(request: web.BaseRequest) -> web.StreamResponse:
    """A service that can work."""
    assert request.raw_path == "/readyz"
    return web.json_response({"status": "ready"})


async def asked(client: Client, path: str = "/readyz") -> tuple[int, Any]:
    """Status and body."""
    async with client.get(path) as answer:
        return answer.status, await answer.json()


async def test_the_gateway_is_alive_whatever_its_services_are() -> None:
    async with gateway() as client:
        assert await asked(client, "/healthz") == (200, {"status": "ok"})
    async with gateway(keys_required=True) as client:
        assert await asked(client, "/healthz") == (200, {"status": "ok"})


async def test_the_gateway_is_ready_when_both_services_are() -> None:
    async with service(ready) as one, service(ready) as other, gateway(one, other, keys_required=True) as client:
        assert await asked(client) == (200, {"status": "ready"})


@pytest.mark.parametrize(("keys_required", "auth"), [(True, "required"), (False, "off")])
async def test_services_are_told_which_auth_the_gateway_has(
    keys_required: bool, auth: str, caplog: pytest.LogCaptureFixture
) -> None:
    why = f"the gateway has AUTH={auth}"

    async def disagreeing(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers.getall("X-Internal-Auth") == [auth]
        if request.path == "/internal/authenticate/":
            return web.json_response({"user_id": 1})
        return web.json_response({"missing": {"auth": why}}, status=503)

    headers = {"X-Internal-Auth": "off", "Authorization": "Bearer key"}
    async with service(disagreeing) as backend, gateway(backend, backend, keys_required=keys_required) as client:
        for target in ("/api/v1/uploads/", "/api/v1/reverse-geocode/"):
            async with client.get(target, headers=headers) as answer:
                assert answer.status == 503
        for _ in range(2):
            assert (await asked(client))[1]["missing"] == dict.fromkeys(
                ("file_reader", "postcode_consumer"), f"auth: {why}"
            )
    lines = [record.getMessage() for record in caplog.records if record.name == "gateway.health"]
    assert lines == [f"not ready service={name} why='auth: {why}'" for name in ("file_reader", "postcode_consumer")]


async def test_a_service_that_is_away_is_named_as_missing() -> None:
    async with service(ready) as backend:
        async with gateway(backend, NOBODY) as client:
            missing = {"postcode_consumer": "cannot be reached"}
            assert await asked(client) == (503, {"status": "not ready", "missing": missing})
        async with gateway(NOBODY, backend) as client:
            assert await asked(client) == (
                503,
                {"status": "not ready", "missing": {"file_reader": "cannot be reached"}},
            )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            '{"status": "not ready", "missing": {"database": "no answer", "disk": "full"}}',
            "database: no answer; disk: full",
        ),
        ("<html>", "answers 503"),
        ('{"missing": []}', "answers 503"),
        ("[]", "answers 503"),
        ('{"missing": {"x": "' + "y" * 1000 + '"}}', "x: " + "y" * 297),
    ],
)
async def test_what_a_service_misses_is_told(body: str, why: str) -> None:
    async def not_ready(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503, text=body)

    async with service(not_ready) as one, service(ready) as other, gateway(one, other) as client:
        assert await asked(client) == (503, {"status": "not ready", "missing": {"file_reader": why}})


async def test_silent_services_are_asked_together_and_not_waited_for() -> None:
    async def silent(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with service(silent) as backend, gateway(backend, backend, limits=Limits(readiness=1)) as client:
        status, body = await asyncio.wait_for(asked(client), 1.9)
    why = "no answer within 1 s"
    assert (status, body["missing"]) == (503, {"file_reader": why, "postcode_consumer": why})


async def test_a_service_that_breaks_off_is_not_ready() -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with raw_service(connection) as one, service(ready) as other, gateway(one, other) as client:
        assert (await asked(client))[1]["missing"] == {"file_reader": "broke off without an answer"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_read_only(path: str) -> None:
    async with gateway() as client:
        problem = await client.problem("POST", path)
        assert (problem["status"], problem["type"]) == (405, "/problems/method-not-allowed")
        async with client.call("POST", path) as answer:
            assert answer.headers["Allow"] == "GET, HEAD"
        async with client.call("HEAD", path) as answer:
            assert answer.status in (200, 503)
            assert await answer.read() == b""
