"""The pages of the admin that show the work, in a real browser: nothing breaks the policy, and all can be read by all."""

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import real_browser, watched_page
from country import POSTCODES
from playwright.sync_api import Browser, Page, expect
from postcodes_io import RunningPostcodesIo
from stack import Stack, running_stack

FILE = b"name,lat,lon\n" + b"".join(
    f"{place.postcode},{place.latitude},{place.longitude}\n".encode() for place in POSTCODES[:60]
) + b"Sea,56.0,2.5\nBad,95,0\n"  # fmt: skip
#: What axe finds on Django's own pages, whatever we put there.
OF_DJANGO = {"link-in-text-block", "target-size", "label", "aria-prohibited-attr"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with real_browser() as opened:
        yield opened


def log_in(page: Page, folder: Path) -> None:
    page.fill("#id_username", "admin")
    page.fill("#id_password", (folder / "admin_password").read_text())
    page.click("input[type=submit]")


def a_day(folder: Path) -> None:
    """Minutes of a day, so that the charts have something to show."""
    now = int(time.time()) // 60
    ages = range(3, 24 * 60, 7)
    with sqlite3.connect(folder / "file_reader.sqlite3") as database:
        database.executemany(
            "INSERT INTO uploads_workminute (minute, worker, matched, no_match, failed, rejected) VALUES (?,?,?,?,?,?)",
            [(now - age, "elsewhere:1", 9_000 + age % 400 * 20, 700, age % 50, 120) for age in ages],
        )
    with sqlite3.connect(folder / "postcode_consumer.sqlite3") as database:
        database.executemany(
            "INSERT INTO lookups_callminute (minute, answered, refused, timed_out, failed, seconds, longest)"
            " VALUES (?,?,?,?,?,?,?)",
            [(now - age, 400 + age % 90, age % 11, age % 5, age % 3, 70.0 + age % 60, 0.6) for age in ages],
        )


def check(page: Page, name: str, found: dict[str, list[str]]) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True, caret="initial")
    violations = Axe().run(page).response["violations"]
    found[name] = sorted({one["id"] for one in violations} - OF_DJANGO)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_that_show_the_work(
    browser: Browser, tmp_path: Path, upstream: RunningPostcodesIo, scheme: str
) -> None:
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url}
    found: dict[str, list[str]] = {}
    with running_stack(tmp_path, **settings) as stack:
        ended = stack.wait_until_done(stack.upload(FILE))
        a_day(tmp_path)
        with watched_page(browser, stack.url, color_scheme=scheme) as page:
            page.goto(f"{stack.url}/admin/")
            page.set_viewport_size({"width": 1400, "height": 900})
            log_in(page, tmp_path)
            expect(page.locator(".charts svg")).to_have_count(3)
            expect(page.locator(".operator")).to_contain_text("file_readerready")
            check(page, f"front-{scheme}", found)

            page.goto(f"{stack.url}/admin/uploads/upload/")
            expect(page.locator("#result_list tbody tr")).to_contain_text("✓ Done")
            check(page, f"uploads-{scheme}", found)
            refreshes(page, stack)

            page.locator("#result_list tbody th a").click()
            expect(page.locator(".field-links")).to_contain_text("Rows (62)")
            expect(page.locator("svg.bars")).to_have_count(2)
            check(page, f"upload-{scheme}", found)
            page.get_by_role("button", name="Delete…").click()
            expect(page.locator("h1").last).to_have_text("Delete 1 upload with 62 rows?")
            check(page, f"delete-{scheme}", found)
            page.get_by_role("button", name="Delete").click()
            expect(page.locator(".messagelist")).to_contain_text("Deleted, and listed until workers have removed them")
            page.goto(f"{stack.url}/admin/uploads/row/")
            check(page, f"rows-{scheme}", found)

            page.goto(f"{stack.url}/admin/")
            page.get_by_role("link", name="Pause 10 min…").click()
            check(page, f"pause-{scheme}", found)
            page.get_by_role("button", name="Yes").click()
            expect(page.locator(".operator")).to_contain_text("s are left")
        assert stack.call("GET", ended["links"]["self"]).status_code == 404
        before = len(upstream.calls)
        place = {"latitude": POSTCODES[70].latitude, "longitude": POSTCODES[70].longitude}
        assert stack.call("GET", "/api/v1/reverse-geocode/", params=place).status_code == 503
        assert len(upstream.calls) == before
    assert {name: ids for name, ids in found.items() if ids} == {}


def refreshes(page: Page, stack: Stack) -> None:
    """The list is loaded again by itself, but not while something is ticked."""
    page.select_option("#refresh", "5")
    with page.expect_navigation(timeout=15_000):
        pass
    expect(page.locator("#refresh")).to_have_value("5")
    page.check("#result_list tbody input[type=checkbox]")
    marked = page.evaluate("window.here = true")
    page.wait_for_timeout(7_000)
    assert page.evaluate("window.here") == marked
    page.select_option("#refresh", "0")
    page.uncheck("#result_list tbody input[type=checkbox]")
