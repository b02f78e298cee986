"""The pages of the admin that show the work, in a real browser: nothing breaks the policy, and all can read them."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import watched_page
from country import POSTCODES
from playwright.sync_api import Browser, Page, expect
from postcodes_io import running_postcodes_io
from stack import Stack, running_stack

FILE = b"name,lat,lon\n" + b"".join(
    f"{place.postcode},{place.latitude},{place.longitude}\n".encode() for place in POSTCODES[:60]
) + b"Sea,56.0,2.5\nBad,95,0\n"  # fmt: skip
#: What axe finds on Django's own pages, whatever we put there.
OF_DJANGO = {"link-in-text-block", "target-size", "label", "aria-prohibited-attr", "label-title-only"}


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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        running_postcodes_io(POSTCODES) as upstream,
        running_stack(folder, PROVIDER="postcodes_io", POSTCODES_IO_URL=upstream.url) as running,
    ):
        running.wait_until_done(running.upload(FILE))
        a_day(folder)
        yield running


def walk(page: Page, stack: Stack, look: Callable[[str], None]) -> None:
    """Through all of these pages; `look` is called on each with its name."""
    ended = stack.wait_until_done(stack.upload(FILE))
    page.goto(f"{stack.url}/admin/")
    log_in(page, Path(stack.environment["DATA_DIR"]))
    expect(page.locator(".charts svg")).to_have_count(3)
    expect(page.locator(".operator")).to_contain_text("file_readerready")
    look("front")

    page.goto(f"{stack.url}/admin/uploads/upload/")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("✓ Done")
    look("uploads")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator(".field-links")).to_contain_text("Rows (62)")
    expect(page.locator("svg.bars")).to_have_count(2)
    look("upload")
    page.get_by_role("button", name="Delete…").click()
    expect(page.locator("h1").last).to_have_text("Delete 1 upload with 62 rows?")
    look("delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".messagelist")).to_contain_text("Deleted, and listed until workers have removed them")
    assert stack.call("GET", ended["links"]["self"]).status_code == 404
    page.goto(f"{stack.url}/admin/uploads/row/")
    look("rows")

    page.goto(f"{stack.url}/admin/")
    page.get_by_role("link", name="Pause 10 min…").click()
    look("pause")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".operator")).to_contain_text("s are left")


def test_no_page_breaks_the_policy_and_the_list_refreshes_itself(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        walk(page, stack, lambda name: None)
        page.goto(f"{stack.url}/admin/uploads/upload/")
        refreshes(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_but_what_is_djangos(browser: Browser, stack: Stack, scheme: str) -> None:
    found: dict[str, list[str]] = {}
    # axe itself breaks the policy, and says so in the console.
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1400, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()

    def look(name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{scheme}.png", full_page=True, caret="initial")
        violations = Axe().run(page).response["violations"]
        found[name] = sorted({one["id"] for one in violations} - OF_DJANGO)

    walk(page, stack, look)
    context.close()
    assert {name: ids for name, ids in found.items() if ids} == {}


def refreshes(page: Page) -> None:
    """The list is loaded again by itself, but not while something is ticked."""
    page.select_option("#refresh", "5")
    with page.expect_navigation(timeout=15_000):
        pass
    expect(page.locator("#refresh")).to_have_value("5")
    page.check("#result_list tbody input[type=checkbox] >> nth=0")
    marked = page.evaluate("window.here = true")
    page.wait_for_timeout(7_000)
    assert page.evaluate("window.here") == marked
    page.select_option("#refresh", "0")
