"""An upload from its beginning to its end for somebody who listens: what a screen reader says, word by word.

`read_aloud.txt` beside this has it all. A line with `>` is what somebody does, one with `*` is said by itself, and one
with `@` is where the focus goes.
"""

import difflib
import re
from pathlib import Path

from aloud import LISTENING, read_aloud, unchanging
from browser import choose, send, watched_page
from playwright.sync_api import Browser, Page, expect
from stack import running_stack, wait_for

WRITTEN = Path(__file__).with_name("read_aloud.txt")
FILE = b"name,lat,lon\nPalace,51.501009,-0.141588\nNull Island,0,0\nnowhere,,\n"
#: Whether somebody hears how far such a small file is depends on the moment.
ON_THE_WAY = re.compile(r"\* (Reading rows|.* % answered)")


def test_whoever_listens_is_told_all(browser: Browser, tmp_path: Path) -> None:
    told: list[str] = []

    def did(what: str) -> None:
        told.append(f"\n> {what}")

    def shown(page: Page) -> None:
        told.append(f"{unchanging(page.title())} (title)")
        told.extend(read_aloud(page))

    def wait_until_told(page: Page, beginning: str) -> None:
        # What the page tells comes in while Playwright is called.
        wait_for(lambda: page.title() and told[-1].startswith(beginning), f"{beginning} is said", seconds=120)

    def told_by_itself(sign: str, text: str) -> None:
        told.append(f"{sign} {unchanging(text)}")

    with running_stack(tmp_path, WORKERS="1") as stack, watched_page(browser, stack.url) as page:
        page.context.expose_binding("said", lambda _, text: told_by_itself("*", text))
        page.context.expose_binding("focused", lambda _, text: text and told_by_itself("@", text))
        page.add_init_script(LISTENING)
        did("opens the first page")
        page.goto(stack.url)
        shown(page)
        did("chooses an empty file")
        choose(page, ("empty.csv", b""))
        wait_until_told(page, "* The selected file")
        did("chooses a file")
        choose(page, ("stops.csv", FILE))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check stops.csv")
        expect(page.locator(".leaflet-control-zoom")).to_be_visible()
        shown(page)
        did("sends it, while no worker has time for it")
        for worker in stack.processes("manage.py worker"):
            worker.suspend()
        send(page)
        page.wait_for_url("**/uploads/*/")
        expect(page.locator(".leaflet-control-zoom")).to_be_visible()
        expect(page.locator("[data-live]")).to_contain_text("Updated every")
        shown(page)
        did("waits")
        for worker in stack.processes("manage.py worker"):
            worker.resume()
        wait_until_told(page, "* Done")
        expect(page.get_by_role("link", name="Outside the United Kingdom")).to_be_visible()
        expect(page.locator("[data-outside]")).to_be_visible()
        shown(page)
        did("asks for the rows without a match")
        page.get_by_role("link", name="No match").first.click()
        wait_until_told(page, "@ Rows")
        told.append(read_aloud(page)[-1])
    now = [line for line in "\n".join(told).strip().splitlines() if not ON_THE_WAY.match(line)]
    differences = list(difflib.unified_diff(WRITTEN.read_text().splitlines(), now, "written", "heard", lineterm=""))
    assert not differences, "\n".join(differences)
