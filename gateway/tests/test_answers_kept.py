"""What a service lets others give again is given again without asking it, and nothing else is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from servers import Client, gateway, service

from gateway import cache

LOOKUP = "/api/v1/reverse-geocode/?latitude=51.501&longitude=-0.1416"


class Counting:
    """A service that numbers its answers."""

    def __init__(self, status: int = 200, size: int = 0, **headers: str) -> None:
        self.calls = 0
        self._status, self._size = status, size
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls += 1
        text = f"answer {self.calls}".ljust(self._size)
        return web.Response(status=self._status, text=text, headers=self._headers)


@asynccontextmanager
async def asking(counting: Counting) -> AsyncIterator[Client]:
    async with service(counting) as backend, gateway(backend, backend) as client:
        yield client


async def told(client: Client, path: str = LOOKUP, method: str = "GET", **headers: str) -> str:
    async with client.call(method, path, headers=headers) as answer:
        return await answer.text()


async def test_a_public_answer_is_given_again_with_its_age_and_an_id_of_its_own() -> None:
    counting = Counting(Cache_Control="public, max-age=60", X_More="kept")
    async with asking(counting) as client:
        ids = set()
        for number in range(3):
            async with client.get(LOOKUP) as answer:
                assert (answer.status, await answer.text()) == (200, "answer 1")
                assert answer.headers["X-More"] == "kept"
                assert ("Age" in answer.headers) == bool(number)
                ids.add(answer.headers["X-Request-Id"])
        assert len(ids) == 3
    assert counting.calls == 1


async def test_another_location_is_another_question() -> None:
    async with asking(Counting(Cache_Control="public, max-age=60")) as client:
        assert await told(client) == "answer 1"
        assert await told(client, LOOKUP + "&max_distance=50") == "answer 2"
        assert await told(client) == "answer 1"


@pytest.mark.parametrize(
    "counting",
    [
        Counting(),
        Counting(Cache_Control="max-age=60"),
        Counting(Cache_Control="private, max-age=60"),
        Counting(Cache_Control="public, no-store, max-age=60"),
        Counting(Cache_Control="public, max-age=0"),
        Counting(Cache_Control="public"),
        Counting(Cache_Control="public, max-age=60", Vary="Accept"),
        Counting(Cache_Control="public, max-age=60", Set_Cookie="a=b"),
        Counting(Cache_Control="public, max-age=60", status=404),
        Counting(Cache_Control="public, max-age=60", status=503),
        Counting(Cache_Control="public, max-age=60", size=cache.MOST_BYTES + 1),
    ],
    ids=["silent", "not public", "private", "not to be stored", "over at once", "no end", "varies", "a cookie",
         "not found", "unavailable", "large"],
)  # fmt: skip
async def test_everything_else_is_asked_for_again(counting: Counting) -> None:
    counting.calls = 0
    async with asking(counting) as client:
        assert (await told(client)).strip() == "answer 1"
        assert (await told(client)).strip() == "answer 2"


@pytest.mark.parametrize("header", ["no-cache", "no-store", "max-age=0"])
async def test_who_wants_news_gets_it(header: str) -> None:
    async with asking(Counting(Cache_Control="public, max-age=60")) as client:
        assert await told(client) == "answer 1"
        assert await told(client, **{"Cache-Control": header}) == "answer 2"
        assert await told(client) == "answer 2"


async def test_other_methods_are_not_answered_from_what_a_get_left() -> None:
    counting = Counting(Cache_Control="public, max-age=60")
    async with asking(counting) as client:
        await told(client)
        assert await told(client, method="POST") == "answer 2"
        assert await told(client, method="HEAD") == ""
        assert counting.calls == 3
        assert await told(client) == "answer 1"


async def test_an_answer_is_over_when_the_service_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(cache.Cache.__init__, "__defaults__", (lambda: now,))
    async with asking(Counting(Cache_Control="public, max-age=60")) as client:
        assert await told(client) == "answer 1"
        now += 59.9
        assert await told(client) == "answer 1"
        now += 0.1
        assert await told(client) == "answer 2"


async def test_the_oldest_answers_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_ANSWERS", 2)
    counting = Counting(Cache_Control="public, max-age=60")
    async with asking(counting) as client:
        for number in (1, 2, 3):
            assert await told(client, f"{LOOKUP}{number}") == f"answer {number}"
        assert await told(client, f"{LOOKUP}3") == "answer 3"
        assert await told(client, f"{LOOKUP}1") == "answer 4"


async def test_a_key_is_asked_for_before_anything_kept_is_given() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            known = request.headers.get("Authorization") == "Bearer good"
            unknown = {"type": "/problems/unknown-key"}
            return web.json_response({"user_id": 1} if known else unknown, status=200 if known else 401)
        return web.Response(text="secret", headers={"Cache-Control": "public, max-age=60"})

    async with service(handler) as backend, gateway(backend, backend, keys_required=True) as client:
        assert await told(client, Authorization="Bearer good") == "secret"
        async with client.call("GET", LOOKUP, headers={"Authorization": "Bearer bad"}) as answer:
            assert answer.status == 401
