"""How many requests a minute are answered, and to whom."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from servers import Client, gateway, service

from gateway import rates
from gateway.limits import Limits
from gateway.rates import Rate

USERS = {"ann-1": 1, "ann-2": 1, "ben": 2}
UNKNOWN = {"type": "/problems/unknown-key"}


class FileReader:
    """Knows the keys of USERS and counts the questions about each key."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/internal/authenticate/":
            return web.Response(headers={"Cache-Control": "public, max-age=60"})
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked[key] += 1
        await asyncio.sleep(0.01)
        return web.json_response({"user_id": USERS[key]}) if key in USERS else web.json_response(UNKNOWN, status=401)


@asynccontextmanager
async def guarded(**settings: Any) -> AsyncIterator[tuple[FileReader, Client]]:
    file_reader = FileReader()
    async with service(file_reader) as url, gateway(url, url, **{"keys_required": True, **settings}) as client:
        yield file_reader, client


def key(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def status(client: Client, target: str = "/api/v1/rows/", method: str = "GET", **options: Any) -> int:
    async with client.call(method, target, **options) as answer:
        return answer.status


async def test_a_user_has_so_many_requests_a_minute_with_all_keys_together() -> None:
    async with guarded(requests_per_minute=6) as (_, client):
        left = []
        for name in ("ann-1", "ann-2") * 3:
            async with client.get("/api/v1/reverse-geocode/", headers=key(name)) as answer:
                assert answer.status == 200
                assert answer.headers["RateLimit-Policy"] == '"key";q=6;w=60'
                left.append(answer.headers["RateLimit"])
        assert left[0] == '"key";r=5;t=10'
        assert left[-1].startswith('"key";r=0;t=')
        async with client.get("/api/v1/rows/", headers=key("ann-1")) as answer:
            assert answer.status == 429
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["RateLimit"].startswith('"key";r=0;t=')
            assert 1 <= int(answer.headers["Retry-After"]) <= 10
            problem = await answer.json(content_type=None)
        assert (problem["type"], problem["limit"]) == ("/problems/too-many-requests", 6)
        assert "At most 6 requests" in problem["detail"]
        assert f"in {answer.headers['Retry-After']} s" in problem["detail"]
        assert await status(client, headers=key("ben")) == 200


async def test_pictures_and_questions_about_health_are_not_counted() -> None:
    async with guarded(requests_per_minute=1) as (_, client):
        for target in ("/static/x.css", "/admin/lookups/static/x.css", "/healthz", "/nowhere") * 3:
            async with client.get(target) as answer:
                assert answer.status in (200, 404)
                assert "RateLimit" not in answer.headers
        assert await status(client, "/admin/") == 200
        async with client.get("/admin/") as answer:
            assert answer.status == 429
            assert answer.headers["RateLimit-Policy"] == '"address";q=1;w=60'


async def test_without_keys_there_is_a_limit_only_where_one_is_set() -> None:
    async with guarded(keys_required=False) as (_, client), client.get("/api/v1/rows/") as answer:
        assert (answer.status, answer.headers.get("RateLimit")) == (200, None)
    async with guarded(keys_required=False, requests_per_minute=1) as (_, client):
        assert [await status(client), await status(client)] == [200, 429]


async def test_guessed_keys_are_refused_unseen_after_a_while_and_good_ones_go_on() -> None:
    limits = Limits(known_key=0.05, refusals_per_minute=5, linger=0.1)
    async with guarded(limits=limits) as (file_reader, client):
        assert await status(client, headers=key("ann-1")) == 200
        seen = await asyncio.gather(*(status(client, headers=key(f"guess-{n}")) for n in range(40)))
        assert Counter(seen) == {401: 5, 429: 35}
        assert sum(count for name, count in file_reader.asked.items() if name.startswith("guess")) == 5
        assert await status(client) == 429
        problem = await client.problem("GET", "/api/v1/rows/", headers=key("another"))
        assert (problem["type"], problem["limit"]) == ("/problems/too-many-requests", 5)
        await asyncio.sleep(0.1)  # the answer about her key is too old by now, and file_reader is asked again
        assert await status(client, headers=key("ann-1")) == 200
        assert file_reader.asked["ann-1"] == 2


async def test_good_keys_are_no_guesses_however_many_come_at_once() -> None:
    limits = Limits(refusals_per_minute=1, linger=0.1)
    async with guarded(limits=limits) as (_, client):
        seen = await asyncio.gather(*(status(client, headers=key("ann-1")) for _ in range(20)))
        assert set(seen) == {200}
        assert await status(client, headers=key("ben")) == 200
        assert [await status(client, headers=key("no")) for _ in range(2)] == [401, 429]


async def test_an_outage_of_file_reader_is_nobodys_wrong_guess() -> None:
    limits = Limits(refusals_per_minute=1, linger=0.1)
    async with gateway(keys_required=True, limits=limits) as client:
        assert {await status(client, headers=key("ann-1")) for _ in range(3)} == {503}


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/lookups/login/", "/admin/log%69n/?next=/admin/"])
async def test_logins_may_be_tried_a_few_times_a_minute(path: str) -> None:
    async with guarded(limits=Limits(logins_per_minute=3, linger=0.1)) as (_, client):
        seen = [await status(client, path, "POST", data=b"password=x") for _ in range(5)]
        assert seen == [200, 200, 200, 429, 429]
        assert await status(client, path) == 200
        assert await status(client, "/admin/uploads/upload/", "POST", data=b"x=1") == 200


def test_what_was_used_comes_back_evenly() -> None:
    now = 1_000.0
    rate = Rate(60, clock=lambda: now)
    assert [rate.take("a").remaining for _ in range(60)] == list(reversed(range(60)))
    refused = rate.take("a")
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 1, 60)
    assert rate.take("b").allowed
    now += 1.0
    assert rate.take("a").allowed
    assert not rate.take("a").allowed
    now += 30.0
    assert sum(rate.take("a").allowed for _ in range(100)) == 30
    rate.give_back("a")
    assert rate.take("a").allowed
    now += 3_600.0
    assert sum(rate.take("a").allowed for _ in range(100)) == 60


def test_only_so_many_callers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_CALLERS", 2)
    rate = Rate(1, clock=lambda: 0.0)
    assert [rate.take(caller).allowed for caller in "aababca"] == [True, False, True, False, False, True, True]


# --- Scopes ----------------------------------------------------------------------------------------------------------
CALLS = {
    "lookup": [("GET", "/api/v1/reverse-geocode/"), ("POST", "/api/v1/reverse-geocode/")],
    "read": [("GET", "/api/v1/uploads/"), ("HEAD", "/api/v1/uploads/7f/result.csv"), ("GET", "/api/v1/rows/"),
             ("GET", "/api/v1/uploads/7f/summary/?by=status"), ("GET", "/api/v1/uploads/7f/cells/"),
             ("GET", "/api/v1/stats/")],
    "upload": [("POST", "/api/v1/uploads/"), ("POST", "/api/v1/uploads/7f/retry/"), ("DELETE", "/api/v1/uploads/7f/"),
               ("POST", "/api/v1/uploads/7f/pause/"), ("POST", "/api/v1/uploads/7f/resume/"),
               ("GET", "/api/v1/webhook-secret/"), ("POST", "/api/v1/webhook-secret/")],
    "read or lookup": [("GET", "/api/v1/postcodes/SW1A1AA/")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "opened"),
    [
        (None, {*CALLS}),
        (["admin"], {*CALLS}),
        (["lookup"], {"lookup", "read or lookup"}),
        (["read"], {"read", "read or lookup"}),
        (["upload"], {"upload"}),
        (["upload", "read"], {"upload", "read", "read or lookup"}),
        ([], set()),
        (["something-new"], set()),
    ],
    ids=str,
)
async def test_a_key_opens_what_its_scopes_are_for(scopes: list[str] | None, opened: set[str]) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            return web.json_response({"user_id": 1} | ({} if scopes is None else {"scopes": scopes}))
        return web.Response()

    async with service(handler) as url, gateway(url, url, keys_required=True) as client:
        for needed, calls in CALLS.items():
            for method, target in calls:
                async with client.call(method, target, headers=key("any")) as answer:
                    assert answer.status == (200 if needed in opened else 403), (method, target)
                    if answer.status == 200:
                        continue
                    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_scope"')
                    if method != "HEAD":
                        problem = await answer.json(content_type=None)
                        assert problem["type"] == "/problems/scope-missing"
                        assert set(problem["scopes"]) == set(needed.split(" or "))
                        assert all(scope in problem["detail"] for scope in problem["scopes"])


@pytest.mark.parametrize("scopes", ["read", {"read": True}, [1], 7])
async def test_scopes_that_cannot_be_understood_open_nothing(scopes: object) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"user_id": 1, "scopes": scopes})

    async with service(handler) as url, gateway(url, url, keys_required=True) as client:
        assert await status(client, headers=key("any")) == 503


@pytest.mark.parametrize(
    ("credentials", "expected"), [("ben:", 200), ("ben:anything", 200), ("ben", 401), (":ben", 401), ("no:", 401)]
)
async def test_a_key_may_be_the_user_name_of_basic_authentication(credentials: str, expected: int) -> None:
    headers = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    async with guarded() as (_, client), client.get("/api/v1/rows/", headers=headers) as answer:
        assert answer.status == expected
        # A browser that is asked for Basic would send it for every page from then on.
        assert "Basic" not in answer.headers.get("WWW-Authenticate", "")
