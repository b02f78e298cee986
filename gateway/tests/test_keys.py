"""API keys: asked for where AUTH=required, checked by file_reader, remembered for seconds only."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from servers import TOKEN, Client, gateway, service

from gateway.limits import Limits

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "authenticate"
CONTRACT = [json.loads(file.read_text()) for file in sorted(CONTRACTS.glob("*.json"))]
KNOWN = {"Authorization": "Bearer known-key"}


class FileReader:
    """Answers the key question exactly as the contract says, and everything else with whose call it was."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.revoked: set[str] = set()
        self.broken = False
        self.proceed = asyncio.Event()
        self.proceed.set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/internal/authenticate/":
            return web.json_response(
                {"user": request.headers.get("X-User-Id"), "authorization": request.headers.get("Authorization")}
            )
        assert request.headers["X-Internal-Token"] == TOKEN
        assert request.headers["X-Request-Id"]
        authorization = request.headers["Authorization"]
        self.asked[authorization] += 1
        await self.proceed.wait()
        if self.broken:
            return web.Response(status=500)
        return self.by_contract("Bearer unknown-key" if authorization in self.revoked else authorization)

    def by_contract(self, authorization: str) -> web.StreamResponse:
        """The answer of the contract's example with this header; unknown keys are all alike."""
        examples = {example["request"]["headers"]["Authorization"]: example["response"] for example in CONTRACT}
        answer = examples.get(authorization, examples["Bearer unknown-key"])
        headers = {"Content-Type": "application/json", **answer.get("headers", {})}
        return web.Response(body=json.dumps(answer["body"]), status=answer["status"], headers=headers)


@asynccontextmanager
async def guarded(limits: Limits | None = None) -> AsyncIterator[tuple[FileReader, Client]]:
    """A gateway with AUTH=required, and the file_reader behind it."""
    file_reader = FileReader()
    limits = limits or Limits(linger=0.1)
    async with service(file_reader) as url, gateway(url, url, keys_required=True, limits=limits) as client:
        yield file_reader, client


async def called_by(client: Client, target: str = "/api/v1/uploads/", **headers: str) -> Any:
    """What the service saw of a call, or the status when it was refused."""
    async with client.get(target, headers=headers) as answer:
        return await answer.json() if answer.status == 200 else answer.status


@pytest.mark.parametrize("example", CONTRACT, ids=lambda example: example["request"]["headers"]["Authorization"])
async def test_every_example_of_the_contract_is_understood(example: dict[str, Any]) -> None:
    scheme, credential = example["request"]["headers"]["Authorization"].split()
    headers = (
        {"Cookie": f"sessionid={credential}"} if scheme == "Session" else {"Authorization": f"Bearer {credential}"}
    )
    async with guarded() as (_, client), client.get("/api/v1/rows/", headers=headers) as answer:
        body = await answer.json(content_type=None)
        if example["response"]["status"] == 200:
            assert body["user"] == str(example["response"]["body"]["user_id"])
        else:
            assert answer.status == example["response"]["status"]
            expected = example["response"]["body"]
            assert {name: body[name] for name in ("type", "title", "status")} == {
                name: expected[name] for name in ("type", "title", "status")
            }
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "target", ["/api/v1/uploads/", "/api/v1/rows/", "/api/v1/postcodes/SW1A1AA/", "/api/v1/reverse-geocode/"]
)
async def test_a_call_with_a_good_key_carries_the_users_id_and_not_the_key(target: str) -> None:
    async with guarded() as (_, client):
        assert await called_by(client, target, **KNOWN) == {"user": "7", "authorization": None}
        assert await called_by(client, target, Authorization="bearer  known-key") == {
            "user": "7",
            "authorization": None,
        }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Token known-key"},
        {"Authorization": "Basic a25vd24ta2V5"},
        {"Authorization": "Bearer " + "x" * 1_001},
        {"Authorization": "Bearer ké"},
        {"X-User-Id": "7"},
        {"Cookie": "sessionid=abc"},
    ],
    ids=str,
)
async def test_without_a_key_nothing_of_the_api_is_open(headers: dict[str, str]) -> None:
    async with guarded() as (file_reader, client):
        for target in ("/api/v1/uploads/", "/api/v1/rows/", "/api/v1/reverse-geocode/?latitude=1"):
            problem = await client.problem("GET", target, headers=headers)
            assert (problem["status"], problem["type"]) == (401, "/problems/key-required")
        async with client.get("/api/v1/rows/", headers=headers) as answer:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert not file_reader.asked


async def test_two_keys_in_one_request_are_none() -> None:
    async with guarded() as (_, client):
        answer = await client.send(
            b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Authorization: Bearer known-key\r\nAuthorization: Bearer other\r\n\r\n"
        )
    assert answer.startswith((b"HTTP/1.1 401 ", b"HTTP/1.0 400 ")), answer


@pytest.mark.parametrize("target", ["/admin/", "/static/x.css"])
async def test_what_is_public_or_has_a_login_of_its_own_needs_no_key(target: str) -> None:
    async with guarded() as (file_reader, client):
        assert await called_by(client, target, **KNOWN) == {"user": None, "authorization": None}
        assert not file_reader.asked


async def test_without_auth_nobody_is_asked_and_nobody_is_named() -> None:
    file_reader = FileReader()
    async with service(file_reader) as url, gateway(url) as client:
        assert await called_by(client, **KNOWN, **{"X-User-Id": "7"}) == {"user": None, "authorization": None}
    assert not file_reader.asked


async def test_a_known_key_is_asked_about_once_in_a_while() -> None:
    async with guarded() as (file_reader, client):
        for _ in range(10):
            await called_by(client, **KNOWN)
        assert file_reader.asked == {"Bearer known-key": 1}


async def test_a_revoked_key_opens_no_longer_than_it_is_remembered() -> None:
    assert Limits().known_key <= 5
    async with guarded(Limits(known_key=1, unknown_key=0.1, linger=0.1)) as (file_reader, client):
        assert (await called_by(client, **KNOWN))["user"] == "7"
        file_reader.revoked.add("Bearer known-key")
        assert (await called_by(client, **KNOWN))["user"] == "7"
        await asyncio.sleep(1.05)
        assert await called_by(client, **KNOWN) == 401
        file_reader.revoked.clear()
        await asyncio.sleep(0.15)
        assert (await called_by(client, **KNOWN))["user"] == "7"


async def test_the_time_a_key_is_remembered_counts_from_before_the_question() -> None:
    async with guarded(Limits(known_key=0.2, linger=0.1)) as (file_reader, client):
        file_reader.proceed.clear()
        call = asyncio.create_task(called_by(client, **KNOWN))
        await asyncio.sleep(0.3)
        file_reader.proceed.set()
        assert (await call)["user"] == "7"
        await called_by(client, **KNOWN)
        assert file_reader.asked["Bearer known-key"] == 2


async def test_an_unknown_key_is_refused_without_asking_every_time() -> None:
    async with guarded() as (file_reader, client):
        for _ in range(5):
            assert await called_by(client, Authorization="Bearer nobody") == 401
        assert file_reader.asked == {"Bearer nobody": 1}


async def test_calls_that_come_together_ask_once() -> None:
    async with guarded() as (file_reader, client):
        file_reader.proceed.clear()
        calls = [asyncio.create_task(called_by(client, **KNOWN)) for _ in range(20)]
        await asyncio.sleep(0.2)
        file_reader.proceed.set()
        assert all(answer["user"] == "7" for answer in await asyncio.gather(*calls))
        assert file_reader.asked == {"Bearer known-key": 1}


async def test_a_client_that_leaves_while_its_key_is_checked_spoils_nobody_elses_call() -> None:
    async with guarded() as (file_reader, client):
        file_reader.proceed.clear()
        _, leaver = await client.connect()
        leaver.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer known-key\r\n\r\n")
        await asyncio.sleep(0.1)
        call = asyncio.create_task(called_by(client, **KNOWN))
        await asyncio.sleep(0.1)
        leaver.close()
        await asyncio.sleep(0.1)
        file_reader.proceed.set()
        assert (await call)["user"] == "7"
        assert file_reader.asked == {"Bearer known-key": 1}


async def test_only_so_many_keys_are_remembered() -> None:
    async with guarded(Limits(remembered_keys=2, linger=0.1)) as (file_reader, client):
        for name in ("known-key", "a", "known-key", "b", "c", "known-key", "a"):
            await called_by(client, Authorization=f"Bearer {name}")
        assert file_reader.asked == {"Bearer known-key": 1, "Bearer a": 2, "Bearer b": 1, "Bearer c": 1}


async def test_when_keys_cannot_be_checked_the_api_is_unavailable_and_not_open() -> None:
    async with guarded() as (file_reader, client):
        file_reader.broken = True
        problem = await client.problem("GET", "/api/v1/reverse-geocode/", headers=KNOWN)
        assert (problem["status"], problem["type"]) == (503, "/problems/service-unavailable")
        assert problem["service"] == "file_reader"
        file_reader.broken = False
        assert (await called_by(client, **KNOWN))["user"] == "7"
    async with gateway(keys_required=True) as client:
        problem = await client.problem("GET", "/api/v1/uploads/", headers=KNOWN)
        assert (problem["status"], problem["service"]) == (503, "file_reader")


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response,
        lambda _: web.Response(text="<html>"),
        lambda _: web.json_response([7]),
        lambda _: web.json_response({"user_id": "7"}),
        lambda _: web.json_response({"user_id": True}),
        lambda _: web.json_response({"user_id": 0}),
        lambda _: web.json_response({"type": "/problems/internal-token-required"}, status=401),
        lambda _: web.Response(status=302, headers={"Location": "/"}),
        lambda _: web.Response(text='{"user_id": 7, "x": "' + "x" * 20_000 + '"}'),
    ],
)
async def test_an_answer_that_is_not_of_the_contract_opens_nothing(answer: Any) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        made: web.StreamResponse = answer({})
        return made

    async with service(handler) as url, gateway(url, keys_required=True) as client:
        problem = await client.problem("GET", "/api/v1/uploads/", headers=KNOWN)
    assert (problem["status"], problem["service"]) == (503, "file_reader")
