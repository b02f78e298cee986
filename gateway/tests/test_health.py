"""`/healthz` and `/readyz`."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from servers import NOBODY, Client, Handler, gateway, gateway_process, raw_service, service

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


async def test_the_gateway_becomes_ready_when_each_service_has_been_and_then_says_nothing_of_them() -> None:
    can_work = {"one": False, "other": True}

    def handler(name: str) -> Handler:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            assert request.raw_path == "/readyz"
            return web.json_response({"missing": {"index": "none"}}, status=200 if can_work[name] else 503)

        return answer

    async with (
        service(handler("one")) as one,
        service(handler("other")) as other,
        gateway(one, other, keys_required=True) as client,
    ):
        assert await asked(client) == (503, {"status": "not ready", "missing": {"file_reader": "index: none"}})
        # The other one has been ready, and is not asked any more.
        can_work.update(one=True, other=False)
        assert await asked(client) == (200, {"status": "ready"})
        can_work["one"] = False
        assert await asked(client) == (200, {"status": "ready"})


async def test_a_gateway_that_is_about_to_stop_says_so_and_goes_on_serving() -> None:
    async def serving(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({})

    async with service(serving) as backend, aiohttp.ClientSession() as session:
        with gateway_process(
            FILE_READER_URL=str(backend), POSTCODE_CONSUMER_URL=str(backend), STOP_READY_SECONDS="2"
        ) as process:
            url = f"http://127.0.0.1:{process.port}"

            async def status_of(path: str) -> int:
                async with session.get(url + path, headers={"Connection": "close"}) as answer:
                    return answer.status

            assert await status_of("/readyz") == 200
            process.process.terminate()
            said_at = time.monotonic()
            while await status_of("/readyz") == 200:
                assert time.monotonic() < said_at + 1
            async with session.get(f"{url}/readyz") as answer:
                assert await answer.json() == {"status": "not ready", "missing": {"gateway": "is about to stop"}}
            # Whoever spreads requests looks once a second or so.
            while time.monotonic() < said_at + 1.5:
                assert await status_of("/api/v1/rows/") == 200
            assert await asyncio.to_thread(process.process.wait, 10) == 0
            with pytest.raises(aiohttp.ClientConnectorError):
                await status_of("/healthz")


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
