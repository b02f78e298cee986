"""Who signed in on the pages may use the API from there, and from nowhere else."""

import pytest
from servers import Client
from test_keys import called_by, guarded

SESSION = "sessionid=knownsessionknownsession"
PATH = "/api/v1/uploads/"


async def test_a_page_of_ones_own_is_known_by_its_session() -> None:
    async with guarded() as (file_reader, client):
        assert await called_by(client, Cookie=SESSION) == {"user": "7", "authorization": None}
        assert await called_by(client, Cookie=SESSION, Origin=own(client)) == {"user": "7", "authorization": None}
        assert file_reader.asked == {"Session knownsessionknownsession": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
async def test_a_page_of_somebody_else_has_no_part_in_it(headers: dict[str, str]) -> None:
    async with guarded() as (file_reader, client):
        for method in ("GET", "POST", "DELETE"):
            problem = await client.problem(method, PATH, headers={"Cookie": SESSION, **headers})
            assert (problem["status"], problem["type"]) == (403, "/problems/foreign-page")
        assert not file_reader.asked


async def test_a_session_that_is_over_opens_nothing() -> None:
    async with guarded() as (_, client):
        problem = await client.problem("GET", PATH, headers={"Cookie": "sessionid=oversessionoversessionover"})
        assert (problem["status"], problem["type"]) == (401, "/problems/key-required")


@pytest.mark.parametrize("cookie", ["sessionid=abc", "sessionid=", "other=knownsessionknownsession", "sessionid=A b"])
async def test_what_is_no_session_is_nobodys(cookie: str) -> None:
    async with guarded() as (file_reader, client):
        assert await called_by(client, Cookie=cookie) == 401
        assert not file_reader.asked


async def test_a_key_comes_before_a_session() -> None:
    async with guarded() as (file_reader, client):
        sent = {"Cookie": SESSION, "Authorization": "Bearer unknown-key", "Origin": "https://evil.example"}
        assert await called_by(client, **sent) == 401
        assert file_reader.asked == {"Bearer unknown-key": 1}


@pytest.mark.parametrize("target", ["/", "/uploads/", "/keys/", "/login/"])
async def test_the_pages_are_open_to_everybody_but_to_pages_of_others(target: str) -> None:
    async with guarded() as (_, client):
        async with client.get(target) as answer:
            assert answer.status == 200
            assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
        for method in ("GET", "POST"):
            problem = await client.problem(method, target, headers={"Origin": "https://evil.example"})
            assert (problem["status"], problem["type"]) == (403, "/problems/foreign-page")


def own(client: Client) -> str:
    return f"http://127.0.0.1:{client.url.port}"
