"""What pages of other people may have a browser do here."""

from typing import Any

import pytest
from servers import Client, gateway, service

LOOKUP = "/api/v1/reverse-geocode/?latitude=51.5&longitude=0"
MAPS = "https://maps.example.org"
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


async def status(client: Client, method: str, target: str, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.call(method, target, headers=sent) as answer:
        return answer.status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", ""])
async def test_without_keys_only_names_of_loopback_are_served(host: str) -> None:
    async with service() as backend, gateway(backend, backend) as client:
        for target in (LOOKUP, "/api/v1/uploads/", "/admin/", "/healthz", "/nowhere"):
            problem = await client.problem("GET", target, headers={"Host": host})
            assert (problem["status"], problem["type"]) == (421, "/problems/host-not-loopback")
        assert await status(client, "GET", LOOKUP, Host="localhost:1234") == 200
    async with service() as backend, gateway(backend, backend, keys_required=True) as client:
        assert await status(client, "GET", "/admin/", Host=host) == 200


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"Origin": "https://evil.example", "Content-Type": "text/plain"}),
        ("POST", {"Origin": "http://localhost:3000"}),
        ("POST", {"Origin": "null"}),
        ("POST", LINK),
        ("GET", {"Origin": "https://evil.example"}),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}),
        ("GET", LINK | {"Sec-Fetch-Dest": "iframe"}),
        ("OPTIONS", {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}),
    ],
    ids=str,
)
async def test_without_keys_a_foreign_page_may_do_nothing(method: str, headers: dict[str, str]) -> None:
    async with service() as backend, gateway(backend, backend) as client:
        for target in ("/api/v1/uploads/", LOOKUP, "/admin/"):
            problem = await client.problem(method, target, headers=headers)
            assert (problem["status"], problem["type"]) == (403, "/problems/foreign-page")


async def test_without_keys_programs_own_pages_and_links_go_on() -> None:
    async with service() as backend, gateway(backend, backend) as client:
        own = {"Origin": f"http://127.0.0.1:{client.url.port}", "Sec_Fetch_Site": "same-origin"}
        assert await status(client, "POST", "/api/v1/uploads/") == 200
        assert await status(client, "POST", "/admin/login/", **own) == 200
        assert await status(client, "GET", "/admin/", **LINK) == 200
        assert await status(client, "GET", "/admin/", Sec_Fetch_Site="none") == 200


PREFLIGHT = {"Origin": MAPS, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def shared(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("Access-Control-")}


async def test_pages_of_allowed_origins_may_read_the_api() -> None:
    async with service() as backend, gateway(backend, backend, cors_allowed_origins=frozenset({MAPS})) as client:
        async with client.call("OPTIONS", LOOKUP, headers=PREFLIGHT) as answer:
            assert answer.status == 204
            said = shared(answer.headers)
        assert said["Access-Control-Allow-Origin"] == MAPS
        assert said["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
        assert "Authorization" in said["Access-Control-Allow-Headers"].split(", ")
        assert "Access-Control-Allow-Credentials" not in said
        cross_site = {"Origin": MAPS, "Sec-Fetch-Site": "cross-site"}
        async with client.get(LOOKUP, headers=cross_site) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, MAPS)
            assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
            assert answer.headers["Vary"] == "Origin"
        async with client.get(LOOKUP) as answer:
            assert (shared(answer.headers), answer.headers["Vary"]) == ({}, "Origin")
        for origin, target in (("https://evil.example", LOOKUP), (MAPS, "/admin/")):
            async with client.call("OPTIONS", target, headers=PREFLIGHT | {"Origin": origin}) as answer:
                assert (answer.status, shared(answer.headers)) == (403, {})


async def test_a_preflight_has_no_key_and_a_refusal_can_be_read() -> None:
    async with gateway(keys_required=True, cors_allowed_origins=frozenset({MAPS})) as client:
        assert await status(client, "OPTIONS", LOOKUP, **PREFLIGHT) == 204
        async with client.get(LOOKUP, headers={"Origin": MAPS}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, MAPS)
    async with gateway(keys_required=True) as client, client.call("OPTIONS", LOOKUP, headers=PREFLIGHT) as answer:
        assert (answer.status, shared(answer.headers)) == (401, {})


async def test_what_is_kept_for_one_origin_is_not_given_to_another() -> None:
    from test_answers_kept import Counting

    counting = Counting(Cache_Control="public, max-age=60")
    async with (
        service(counting) as backend,
        gateway(backend, backend, cors_allowed_origins=frozenset({MAPS})) as client,
    ):
        for headers in ({"Origin": MAPS}, {}, {"Origin": MAPS}):
            async with client.get(LOOKUP, headers=headers) as answer:
                assert answer.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
    assert counting.calls == 1
