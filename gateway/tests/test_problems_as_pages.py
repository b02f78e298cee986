"""Errors of the gateway as pages: for browsers, which show them to somebody; programs get their problem."""

import re
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from servers import Client, gateway, service

from gateway.limits import Limits

#: What Chromium and Firefox send for a page.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
STYLES = "/static/pages/page.abc.css"


async def shown(client: Client, target: str, status: int, **options: Any) -> str:
    """The page that a browser shows: whole, with its styles allowed, and with a way on."""
    async with client.call(options.pop("method", "GET"), target, headers=BROWSER, **options) as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type, answer.charset) == (status, "text/html", "utf-8"), text
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Vary"] == "Accept"
        assert (answer.headers["X-Request-Id"] in text) == (status >= 500)
        assert re.search('<main.*<a class="button[^>]* href="/"', text, re.DOTALL)
        return text


async def file_reader(request: web.BaseRequest) -> web.StreamResponse:
    """Knows the styles, is asked for keys, and breaks off anything else."""
    if request.path == "/readyz":
        return web.json_response({"missing": {}})
    if request.path == "/internal/status/":
        return web.json_response({"figures": {}, "use": {}, "troubles": [], "stylesheet": STYLES})
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_what_is_not_there_is_a_page_for_a_browser_and_a_problem_for_a_program() -> None:
    async with service(file_reader) as reader, gateway(reader) as client:
        page = await shown(client, "/nothing", 404)
        assert "There is nothing here" in page
        # There is no reason to try again, and the styles are there: nothing is shown without them.
        assert "Try again" not in page
        assert page.index(STYLES) < page.index("<body>")
        for accepted in ("*/*", "application/json", "text/html, application/json", "text/event-stream"):
            assert (await client.problem("GET", "/nothing", headers={"Accept": accepted}))["status"] == 404
        async with client.call("HEAD", "/nothing", headers=BROWSER) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (404, "text/html", b"")


async def test_what_is_not_allowed_is_said_without_an_invitation_to_repeat_it() -> None:
    async with service(file_reader) as reader, gateway(reader) as client:
        assert "Try again" not in await shown(client, "/status/", 405, method="POST")


async def test_a_service_that_breaks_off_or_is_away_is_a_page_that_does_not_wait_for_its_styles() -> None:
    async with service(file_reader) as reader, gateway(reader) as client:
        page = await shown(client, "/", 502)
        assert 'href="/status/"' in page
        assert '<a class="button primary" href="">Try again</a>' in page
        assert page.index(STYLES) > page.index("</main>")
    async with gateway() as client:
        page = await shown(client, "/uploads/", 503)
        assert "stylesheet" not in page
        assert "Try again" not in await shown(client, "/", 503, method="POST", data=b"a file")


async def test_styles_that_were_told_once_are_named_when_the_service_is_away() -> None:
    async with AsyncExitStack() as there:
        reader = await there.enter_async_context(service(file_reader))
        async with gateway(reader) as client:
            await shown(client, "/nothing", 404)
            await there.aclose()
            assert STYLES in await shown(client, "/uploads/", 503)


async def test_too_many_requests_say_when_to_come_back() -> None:
    limits = Limits(refusals_per_minute=1)
    async with service(file_reader) as reader, gateway(reader, keys_required=True, limits=limits) as client:
        pages = [await shown(client, "/api/v1/rows/", status) for status in (401, 429)]
        assert re.search(r"Come back in \d+ s\.", pages[1])
        assert "Try again" in pages[1]


async def test_what_somebody_has_written_into_the_address_is_not_part_of_the_page() -> None:
    async with gateway() as client:
        assert "<script" not in await shown(client, "/<script>alert(1)</script>", 404)
