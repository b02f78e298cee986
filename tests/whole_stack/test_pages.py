"""The admins in a real browser, through the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from country import POSTCODES
from playwright.sync_api import Page, expect, sync_playwright
from postcodes_io import RunningPostcodesIo
from stack import find_chromium, running_stack

FILE = b"name,lat,lon\nPalace,51.501009,-0.141588\nSea,56.0,2.5\nBad,95,0\n"


@contextmanager
def browser_page(problems: list[str]) -> Iterator[Page]:
    """A page of a real browser; what goes wrong in it is noted."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        yield page
        browser.close()


def log_in(page: Page, password: str) -> None:
    page.fill("#id_username", "admin")
    page.fill("#id_password", password)
    page.click("input[type=submit]")


def test_an_operator_finds_an_upload_its_rows_and_a_postcode_in_the_admin(tmp_path: Path) -> None:
    problems: list[str] = []
    with running_stack(tmp_path) as stack, browser_page(problems) as page:
        stack.wait_until_done(stack.upload(FILE))
        page.goto(f"{stack.url}/admin/")
        log_in(page, (tmp_path / "admin_password").read_text())

        page.locator("#content-main").get_by_role("link", name="Uploads", exact=True).last.click()
        row = page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("file.csv")
        expect(row).to_contain_text("100.0")
        page.check("#result_list tbody input[type=checkbox]")
        page.select_option("select[name=action]", "cancel")
        page.click("button[name=index]")
        expect(page.locator(".messagelist")).to_contain_text("Skipped, because their state does not allow it: file.csv")

        page.goto(f"{stack.url}/admin/uploads/row/?q=sw1a1aa")
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        expect(page.locator("#result_list tbody tr")).to_contain_text("SW1A 1AA")

        # What the pages load and run is their own: anything else would be a problem of the console.
        answer = page.goto(f"{stack.url}/admin/auth/user/add/")
        assert answer is not None
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        page.click("#id_password1")
    assert problems == []


def test_an_operator_finds_what_is_known_in_the_other_admin_and_has_it_forgotten(
    tmp_path: Path, upstream: RunningPostcodesIo
) -> None:
    problems: list[str] = []
    place = {"latitude": POSTCODES[0].latitude, "longitude": POSTCODES[0].longitude}
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url}
    with running_stack(tmp_path, **settings) as stack, browser_page(problems) as page:
        password = (tmp_path / "admin_password").read_text()
        for _ in range(2):
            assert stack.call("GET", "/api/v1/reverse-geocode/", params=place).json()["status"] == "match"
        assert len(upstream.calls) == 1

        page.goto(f"{stack.url}/admin/")
        log_in(page, password)
        page.get_by_role("link", name="Lookups →").click()
        log_in(page, password)
        page.locator("#content-main").get_by_role("link", name="Known locations", exact=True).last.click()
        row = page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(POSTCODES[0].postcode)
        page.check("#result_list tbody input[type=checkbox]")
        page.select_option("select[name=action]", "forget")
        page.click("button[name=index]")
        page.click("text=Forget them")
        expect(page.locator(".messagelist")).to_contain_text("Forgotten: 1")
        expect(row).to_have_count(0)
        # Nobody was logged out of the one by logging in to the other.
        page.get_by_role("link", name="Uploads →").click()
        expect(page.locator("#user-tools")).to_contain_text("admin")
        expect(page.locator("#content-main")).to_contain_text("Uploads")

        # The gateway may have kept the answer for a minute.
        news = {"Cache-Control": "no-cache"}
        again = stack.call("GET", "/api/v1/reverse-geocode/", params=place, headers=news)
        assert again.json()["status"] == "match"
        assert len(upstream.calls) == 2
    assert problems == []
