"""A real browser for the tests of pages. What goes wrong in it fails its test: console, pages, requests to others."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright
from stack import find_chromium

#: Languages, schemes and widths in pixels in which a screen is looked at. Each with each, but not all three.
LOOKS = [("en", "light", 360), ("en", "dark", 1280), ("cy", "dark", 360), ("cy", "light", 1280)]


@contextmanager
def real_browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Browser, url: str, *, expected: tuple[str, ...] = (), **context: Any) -> Iterator[Page]:
    """A page of a context of its own. At its end, nothing may have gone wrong but messages that contain `expected`."""
    wrong: list[str] = []

    def requested(request: Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            wrong.append(f"request to {request.url}")

    opened = browser.new_context(**context)
    page = opened.new_page()
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", requested)
    page.goto(url)
    yield page
    opened.close()
    unexpected = [said for said in wrong if not any(one in said for one in expected)]
    assert unexpected == [], unexpected


@contextmanager
def screens(browser: Browser, url: str, **context: Any) -> Iterator[Callable[..., Page]]:
    """A function that shows a path, does something there if it is told to, and looks at what is on the screen: by
    the rules of WCAG, and whether it is wider than the screen. At the end, nothing may have been wrong."""
    wrong: list[Any] = []
    opened = browser.new_context(**context)
    page = opened.new_page()

    def look(path: str, act: Callable[[Page], Any] | None = None) -> Page:
        page.goto(url + path)
        if act:
            act(page)
        page.wait_for_load_state("networkidle")
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > context["viewport"]["width"]:
            wrong.append((path, f"{wide} pixels wide"))
        violations = Axe().run(page).response["violations"]
        wrong.extend((path, one["id"], [node["target"] for node in one["nodes"]]) for one in violations)
        return page

    yield look
    opened.close()
    assert wrong == []


# --- what people do on the pages -----------------------------------------------------------------------------------
def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Chooses files by name and content."""
    chosen: Any = [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    page.set_input_files("#file", chosen)


def send(page: Page) -> None:
    """Has the file sent that is looked at."""
    page.get_by_role("button", name="Get postcodes").first.click()


def downloaded(page: Page, *, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of the result."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text()), delimiter=delimiter))
