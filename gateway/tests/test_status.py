"""`/status/`: how everything is, for people and for programs, whatever the services do."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from servers import NOBODY, TOKEN, Client, gateway, service

from gateway.limits import Limits
from gateway.status import written

FIGURES = {"workers_last_sign_seconds": [0.4, 250.0], "disk_free_bytes": 12_300_000_000}
USE = {"rows_waiting": 1_234_567}
SESSION = "a" * 32


class Telling:
    """A service that is ready, or lacks something, and says this of itself."""

    def __init__(self, *troubles: str, **said: Any) -> None:
        self.said = {"figures": FIGURES, "use": USE, "troubles": troubles, **said}
        self.missing: dict[str, str] = {}
        self.status = 200
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers both questions."""
        assert request.headers["X-Internal-Token"] == TOKEN
        self.asked.append(request.path)
        await self.may_answer.wait()
        if request.path == "/internal/authenticate/":
            known = request.headers["Authorization"] in ("Bearer good", f"Session {SESSION}")
            return web.json_response({"user_id": 1, "scopes": ["upload"]}, status=200 if known else 401)
        if request.path == "/readyz":
            return web.json_response({"missing": self.missing}, status=503 if self.missing else 200)
        assert request.path == "/internal/status/"
        return web.json_response(self.said, status=self.status)


@asynccontextmanager
async def telling(telling: Telling, **options: Any) -> AsyncIterator[Client]:
    """A gateway before a file_reader that tells this, and a postcode_consumer that tells little."""
    async with service(telling) as one, service(Telling()) as other, gateway(one, other, **options) as client:
        yield client


async def summed(client: Client, **headers: str) -> dict[str, Any]:
    """What programs are told."""
    async with client.get("/status/", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Vary"] == "Accept"
        return dict(await answer.json())


async def page(client: Client) -> str:
    """What people are shown."""
    async with client.get("/status", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
        return str(await answer.text())


async def test_everybody_is_told_how_each_part_is() -> None:
    async with telling(Telling()) as client:
        told = await summed(client)
        assert (told["status"], told["missing"], told["troubles"]) == ("ready", {}, {})
        assert list(told["services"]) == ["gateway", "file_reader", "postcode_consumer"]
        assert told["services"]["file_reader"] == FIGURES | USE
        assert {*told["services"]["gateway"]} == {"up_seconds", "disk_free_bytes", "requests_in_flight", "listeners"}
        shown = await page(client)
        assert "All parts work" in shown
        assert "1,234,567" in shown


async def test_where_keys_are_needed_the_use_that_others_make_is_for_who_has_one() -> None:
    teller = Telling("No worker lives.")
    good = ({"Authorization": "Bearer good"}, {"Cookie": f"sessionid={SESSION}"})
    async with telling(teller, keys_required=True) as client:
        for headers in ({}, {"Authorization": "Bearer bad"}, {"Cookie": "sessionid=" + "b" * 32}, *good):
            told = await summed(client, **headers)
            with_use = headers in good
            assert told["services"]["file_reader"] == FIGURES | (USE if with_use else {})
            assert ("requests_in_flight" in told["services"]["gateway"]) == with_use
            assert told["troubles"] == {"file_reader": ["No worker lives."]}
        # While nobody can say whose key it is, the rest is told in time.
        teller.may_answer.clear()
        began = time.monotonic()
        assert (await summed(client, Authorization="Bearer other"))["services"]["file_reader"] == FIGURES
        assert time.monotonic() - began < 1


async def test_who_looks_without_a_key_is_not_taken_for_somebody_who_guesses_keys() -> None:
    async with telling(Telling(), keys_required=True, limits=Limits(refusals_per_minute=2)) as client:
        for _ in range(5):
            await summed(client)
        assert (await client.problem("GET", "/api/v1/rows/"))["status"] == 401


async def test_what_is_missing_and_what_goes_wrong_stands_first_and_the_rest_is_told_all_the_same() -> None:
    teller = Telling("No worker <lives>.")
    teller.missing = {"database": "does not answer"}
    async with telling(teller) as client:
        told = await summed(client)
        assert told["status"] == "not ready"
        assert told["missing"] == {"file_reader": "database: does not answer"}
        assert told["troubles"] == {"file_reader": ["No worker <lives>."]}
        shown = await page(client)
        assert "file_reader is not ready" in shown
        assert "No worker &lt;lives&gt;." in shown
        assert "12.3 GB" in shown
        assert shown.index("is not ready") < shown.index("12.3 GB")


async def test_the_page_answers_when_every_service_is_away() -> None:
    async with gateway(NOBODY, NOBODY) as client:
        assert (await summed(client))["missing"] == dict.fromkeys(
            ("file_reader", "postcode_consumer"), "cannot be reached"
        )
        shown = await page(client)
        assert "postcode_consumer is not ready" in shown
        # Styles that nobody gives would keep the browser waiting.
        assert "stylesheet" not in shown


async def test_the_page_has_the_look_that_a_service_names() -> None:
    async with telling(Telling(stylesheet='/static/pages/page.1"2.css', icon="/static/mark.svg")) as client:
        shown = await page(client)
    assert '<link rel="stylesheet" href="/static/pages/page.1&quot;2.css">' in shown
    assert '<link rel="icon" href="/static/mark.svg">' in shown


async def test_the_page_runs_no_script_and_loads_nothing_of_others() -> None:
    async with telling(Telling("Trouble.", stylesheet="/static/a.css")) as client:
        shown = await page(client)
    assert "<script" not in shown
    assert re.findall(r"""(?:src|href)=["']?([^"'>]+)""", shown) == ["/static/a.css", "/"]
    assert "style=" not in shown


async def test_it_answers_within_a_second_and_asks_a_service_that_hangs_no_second_time() -> None:
    hanging = Telling()
    hanging.may_answer.clear()
    async with telling(hanging) as client:
        for show in (summed, page):
            began = time.monotonic()
            said = str(await show(client))
            assert time.monotonic() - began < 1.0
            assert "no answer within 0.8 s" in said
        await asyncio.gather(*(summed(client) for _ in range(20)))
        assert hanging.asked == ["/readyz"]
        hanging.may_answer.set()
        assert (await summed(client))["services"]["file_reader"] == FIGURES | USE


async def test_what_was_said_a_moment_ago_is_said_again() -> None:
    teller = Telling()
    async with telling(teller, limits=Limits(status_kept=60)) as client:
        for _ in range(3):
            await summed(client)
        assert teller.asked == ["/readyz", "/internal/status/"]
    teller.asked.clear()
    async with telling(teller, limits=Limits(status_kept=0)) as client:
        for _ in range(3):
            await summed(client)
    assert teller.asked == ["/readyz", "/internal/status/"] * 3


@pytest.mark.parametrize(
    "said", [[], {}, {"figures": 1, "use": {}, "troubles": []}, {"figures": {}, "use": {}, "troubles": 5}]
)
async def test_a_service_that_talks_nonsense_is_not_ready(said: Any) -> None:
    teller = Telling()
    teller.said = said
    async with telling(teller) as client:
        assert (await summed(client))["missing"] == {"file_reader": "/internal/status/ answers 200"}


async def test_a_service_that_refuses_is_not_ready() -> None:
    teller = Telling()
    teller.status = 500
    async with telling(teller) as client:
        assert (await summed(client))["missing"] == {"file_reader": "/internal/status/ answers 500"}


async def test_status_is_read_only() -> None:
    async with gateway() as client:
        assert (await client.problem("POST", "/status/"))["status"] == 405
        async with client.call("HEAD", "/status/") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("a_seconds", 0.4, "0.4 s"),
        ("a_seconds", 119, "119 s"),
        ("a_seconds", 3_600, "60 min"),
        ("a_seconds", 10_800, "3 h"),
        ("a_seconds", 500_000, "6 days"),
        ("a_seconds", [0.4, 250.0], "0.4 s, 4 min"),
        ("a_seconds", [], "none"),
        ("a_bytes", 999, "999 bytes"),
        ("a_bytes", 2_500_000, "2.5 MB"),
        ("a_bytes", 12_300_000_000, "12.3 GB"),
        ("rows", 1_234_567, "1,234,567"),
        ("provider", "sandbox", "sandbox"),
    ],
)
def test_figures_are_written_for_people(name: str, value: object, text: str) -> None:
    assert written(name, value) == text
