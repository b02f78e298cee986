"""The pages in a real browser while something goes wrong, and while several things go on at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import choose, downloaded, send, watched_page
from playwright.sync_api import Browser, expect
from proxy import Proxy
from stack import Stack, running_stack

PALACE = b"name,lat,lon\nPalace,51.501009,-0.141588\nNull Island,0,0\nnowhere,,\n"
#: The quote in line 4 is never closed.
BROKEN = b'name;lat;lon\nPalace;51,501009;-0,141588\nTower;51,508036;-0,075853\nvan;51,5;"-0,1\nx;51,5;-0,1\n'
MENDED = BROKEN.replace(b'"', b"")
MANY = b"lat,lon\n" + b"51.501009,-0.141588\n51.508036,-0.075853\n" * 100_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack"), WORKERS="1") as running:
        yield running


def test_several_files_come_one_after_another(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("first.csv", PALACE), ("skipped.csv", PALACE), ("last.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check first.csv")
        expect(page.get_by_text("Afterwards: skipped.csv, last.csv")).to_be_visible()
        send(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Check skipped.csv")
        page.get_by_role("button", name="Skip this file").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check last.csv")
        send(page)
        uploads = page.get_by_role("region", name="Table of your uploads")
        expect(uploads).to_contain_text("first.csv")
        expect(uploads).to_contain_text("last.csv")
        expect(uploads).not_to_contain_text("skipped.csv")


def test_two_uploads_at_once_are_each_followed_to_their_end(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as one, watched_page(browser, stack.url) as other:
        for page, name, rows in ((one, "one.csv", MANY), (other, "other.csv", MANY[: len(MANY) // 2])):
            choose(page, (name, rows))
            send(page)
            expect(page.get_by_role("heading", level=1)).to_have_text(name)
        for page, rows in ((one, "200,000"), (other, "100,000")):
            expect(page.get_by_role("heading", name=f"100.0 % of {rows} rows")).to_be_visible(timeout=60_000)
            expect(page.locator("#map-title")).to_be_visible()


def test_reasons_come_by_themselves_and_lead_to_their_rows(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        # Reasons are counted after the end, which takes a moment of so many rows.
        choose(page, ("reasons.csv", MANY + b"0,0\n"))
        send(page)
        page.get_by_role("link", name="Outside the United Kingdom").click(timeout=60_000)
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        expect(page.locator("#rows tbody")).to_contain_text("0.000000, 0.000000")
        expect(page.locator(".chip[aria-current]")).to_have_text("Outside the United Kingdom")


@pytest.mark.parametrize("answer", ["none", "503", "500 as a page"])
def test_a_file_is_sent_although_nobody_looks_at_it_before(browser: Browser, stack: Stack, answer: str) -> None:
    def instead(route: Any) -> None:
        if answer == "none":
            route.abort()
        else:
            kind = "text/html" if "page" in answer else "application/problem+json"
            route.fulfill(status=int(answer[:3]), content_type=kind, body="<h1>500</h1>")

    with watched_page(browser, stack.url, expected=("ERR_FAILED", "status of 50")) as page:
        page.route("**/preview/**", instead)
        choose(page, ("unseen.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_have_text("unseen.csv")
        expect(page.get_by_role("alert")).to_contain_text("The file could not be looked at")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_contain_text("The file could not be looked at")
        send(page)
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)


def test_what_cannot_be_read_is_shown_and_sent_again_with_its_settings(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        page.get_by_text("Settings").click()
        page.get_by_label("Farthest postcode").fill("500")
        choose(page, ("broken.csv", BROKEN))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check broken.csv")
        page.select_option("select[name=delimiter]", "semicolon")
        send(page)
        expect(page.locator(".notice.bad")).to_contain_text("2 rows before it were read", timeout=30_000)
        expect(page.locator(".lines .fault")).to_contain_text('van;51,5;"-0,1')
        expect(page.get_by_text("Reported as")).to_contain_text("request")
        page.get_by_role("link", name="Upload it again with these settings").click()
        expect(page.get_by_label("Farthest postcode")).to_have_value("500")
        expect(page.get_by_label("Separator")).to_have_value("semicolon")
        choose(page, ("mended.csv", MENDED))
        expect(page.get_by_label("Farthest postcode")).to_have_value("500")
        send(page)
        expect(page.get_by_text("up to 500 m")).to_be_visible()
        expect(page.get_by_role("heading", name="of 4 rows have a postcode")).to_be_visible(timeout=30_000)
        assert [row["result_postcode"] for row in downloaded(page, delimiter=";")][:1] == ["SW1A 1AA"]


def test_a_network_that_is_cut_while_watching_is_said_and_the_page_goes_on_by_itself(
    browser: Browser, stack: Stack
) -> None:
    upload = stack.upload(MANY)
    # It must not end while nobody looks.
    assert stack.call("POST", upload["links"]["pause"]).status_code == 200
    with Proxy(int(stack.environment["GATEWAY_PORT"])) as network:
        address = f"{network.url}/uploads/{upload['id']}/"
        with watched_page(browser, network.url, expected=("net::ERR_",)) as page:
            page.goto(address)
            live = page.locator("[data-live]")
            expect(live).to_contain_text("Updated every")
            network.go_away()
            expect(live).to_contain_text("The connection is broken. This page tries again by itself.")
            assert stack.call("POST", upload["links"]["resume"]).status_code == 200
            stack.wait_until_done(upload)
            expect(page.get_by_role("heading", name="Paused at")).to_be_visible()
            network.is_away = False
            expect(page.get_by_role("heading", name="100.0 % of 200,000 rows")).to_be_visible(timeout=60_000)


def test_a_network_that_is_cut_while_sending_gives_one_upload(browser: Browser, stack: Stack) -> None:
    with (
        Proxy(int(stack.environment["GATEWAY_PORT"])) as network,
        watched_page(browser, network.url, expected=("net::ERR_",)) as page,
    ):
        choose(page, ("cut.csv", MANY))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check cut.csv")
        network.to_server.cut_after = network.to_server.bytes + len(MANY) // 2
        send(page)
        expect(page.get_by_role("heading", name="100.0 % of 200,000 rows")).to_be_visible(timeout=60_000)
        assert network.to_server.cut_after is None
    names = [upload["filename"] for upload in stack.call("GET", "/api/v1/uploads/").json()["results"]]
    assert names.count("cut.csv") == 1


def test_what_the_gateway_says_of_a_file_that_is_sent_is_shown_and_it_can_be_sent_again(
    browser: Browser, stack: Stack
) -> None:
    problem = '{"title": "There is too much to do", "detail": "Come back in a moment."}'
    said: list[str] = []

    def once(route: Any) -> None:
        if route.request.method == "POST" and not said:
            said.append(problem)
            route.fulfill(status=503, content_type="application/problem+json", body=problem)
        else:
            route.continue_()

    with watched_page(browser, stack.url, expected=("status of 503",)) as page:
        page.route(f"{stack.url}/", once)
        choose(page, ("busy.csv", PALACE))
        send(page)
        expect(page.get_by_role("heading", name="There is too much to do")).to_be_visible()
        expect(page.locator("#state")).to_contain_text("Come back in a moment.")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=60_000)


#: The last two are what the policy refuses.
TILES_AND_REFUSED = ("request to https://tiles.example/", "Content Security Policy", "request to http://localhost")


def test_tiles_lie_under_the_rows_and_come_from_the_server_of_the_settings_alone(
    browser: Browser, tmp_path: Path
) -> None:
    tiles = "https://tiles.example/{z}/{x}/{y}.png"
    asked: list[str] = []

    def tile(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="image/svg+xml", body='<svg xmlns="http://www.w3.org/2000/svg"/>')

    with (
        running_stack(tmp_path, WORKERS="1", MAP_TILES_URL=tiles, MAP_TILES_ATTRIBUTION="© <Somebody>") as stack,
        watched_page(browser, stack.url, expected=TILES_AND_REFUSED) as page,
    ):
        page.route("https://tiles.example/**", tile)
        page.goto(f"{stack.url}/uploads/{stack.wait_until_done(stack.upload(PALACE))['id']}/")
        expect(page.locator(".map img.leaflet-tile-loaded").first).to_be_attached()
        expect(page.locator(".map")).to_contain_text("© <Somebody>")
        # A picture from elsewhere is not let in: the policy names the one server.
        refused = page.evaluate(
            "new Promise((told) => {"
            " document.addEventListener('securitypolicyviolation', (event) => told(event.blockedURI));"
            " new Image().src = location.origin.replace('127.0.0.1', 'localhost') + '/a.png'; })"
        )
    assert "localhost" in refused
    assert asked
