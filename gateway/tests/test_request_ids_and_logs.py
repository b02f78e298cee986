"""Every answer has its request id, every request its one line in the log, and no line has a secret."""

import asyncio
import logging
import re
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web
from servers import TOKEN, eventually, gateway, raw_service, service

from gateway.limits import Limits


def access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The access log so far."""
    return [record.getMessage() for record in caplog.records if record.name == "gateway.access"]


@pytest.mark.parametrize("sent", ["a", "Trace-1_2.3", "x" * 128])
async def test_a_fit_request_id_is_taken_over_and_passed_on(sent: str) -> None:
    async with (
        service() as backend,
        gateway(backend) as client,
        client.get("/api/v1/rows/", headers={"X-Request-Id": sent}) as answer,
    ):
        assert answer.headers.getall("X-Request-Id") == [sent]
        assert ["X-Request-Id", sent] in (await answer.json())["headers"]


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 129, "a;b", "é"])
async def test_else_a_request_id_is_made_and_passed_on(sent: str | None) -> None:
    headers = {} if sent is None else {"X-Request-Id": sent}
    async with service() as backend, gateway(backend) as client, client.get("/api/v1/rows/", headers=headers) as answer:
        made = answer.headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", made)
        assert ["X-Request-Id", made] in (await answer.json())["headers"]


async def test_a_services_own_request_id_is_replaced() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(headers={"X-Request-Id": "another"})

    headers = {"X-Request-Id": "mine"}
    async with (
        service(handler) as backend,
        gateway(backend) as client,
        client.get("/api/v1/rows/", headers=headers) as answer,
    ):
        assert answer.headers.getall("X-Request-Id") == ["mine"]


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/nowhere", "/api/v1/rows/"])
async def test_the_gateways_own_answers_carry_the_request_id_too(target: str) -> None:
    headers = {"X-Request-Id": "mine"}
    async with gateway(keys_required=True) as client, client.get(target, headers=headers) as answer:
        assert answer.headers["X-Request-Id"] == "mine"


async def test_a_request_is_one_line_with_what_operators_ask_for(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            return web.json_response({"user_id": 7, "key": "pck_12345678"})
        await request.read()
        return web.Response(status=202, body=b"12345")

    caplog.set_level(logging.INFO)
    headers = {"Authorization": "Bearer the-secret-key"}
    async with service(handler) as backend, gateway(backend, keys_required=True) as client:
        async with client.call("POST", "/api/v1/uploads/?latitude=51.5", data=b"123", headers=headers) as answer:
            assert answer.status == 202
        async with client.get("/nowhere") as answer:
            assert answer.status == 404
    first, second = access_lines(caplog)
    assert re.fullmatch(
        r"request method=POST path=/api/v1/uploads/ address=127\.0\.0\.1 status=202 bytes_in=3 bytes_out=5 "
        r"duration_ms=[\d.]+ user=7 key=pck_12345678 outcome=answered",
        first,
    )
    assert "path=/nowhere address=127.0.0.1 status=404 bytes_in=0" in second
    assert "user=- key=- " in second


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"]
)
async def test_no_secret_is_ever_logged(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    caplog.set_level(logging.DEBUG)
    headers = {"Authorization": "Bearer the-secret-key"}
    async with raw_service(connection) as backend:
        for keys_required in (False, True):
            async with gateway(backend, keys_required=keys_required) as client:
                with suppress(aiohttp.ClientError):
                    await client.problem("POST", "/api/v1/rows/", headers=headers)
    assert len(access_lines(caplog)) == 2
    assert TOKEN not in caplog.text
    assert "secret" not in caplog.text


async def test_a_client_that_leaves_is_logged_as_gone_and_the_call_to_the_service_ends_in_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    asked, left = asyncio.Event(), asyncio.Event()

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        try:
            await asyncio.sleep(30)
        finally:
            left.set()
        return web.Response()

    async with service(never) as backend, gateway(backend, limits=Limits(answer_idle=0.5)) as client:
        _, writer = await client.connect()
        writer.write(b"GET /api/v1/uploads/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asked.wait()
        writer.close()
        await eventually(lambda: len(access_lines(caplog)) == 1)
        assert not left.is_set()
        await asyncio.wait_for(left.wait(), 5)
    (line,) = access_lines(caplog)
    assert "status=499" in line
    assert "outcome=client_gone" in line


async def test_a_path_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with gateway() as client, client.get("/x'status=200%0a") as answer:
        assert answer.status == 404
    (line,) = access_lines(caplog)
    assert """path="/x'status=200%0a" address=127.0.0.1 status=404""" in line
