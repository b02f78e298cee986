"""The pages in a real browser with AUTH=required: from signing in to signing out, and who waits for an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import LOOKS, choose, downloaded, screens, send, watched_page
from country import POSTCODES
from playwright.sync_api import Browser, Page, expect
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import Stack, running_stack, wait_for

PLACE = POSTCODES[0]
FILE = f"name,lat,lon\nhere,{PLACE.latitude},{PLACE.longitude}\n".encode()
ELSEWHERE = f"lat,lon\n{POSTCODES[1].latitude},{POSTCODES[1].longitude}\n".encode()


@pytest.fixture(scope="module")
def postcodes_io() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io(POSTCODES, answer_fields="small") as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, postcodes_io: RunningPostcodesIo) -> Iterator[Stack]:
    settings = {"AUTH": "required", "PROVIDER": "postcodes_io", "POSTCODES_IO_URL": postcodes_io.url}
    with running_stack(tmp_path_factory.mktemp("stack"), WORKERS="1", **settings) as running:
        yield running


def sign_in(page: Page, stack: Stack) -> None:
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill((Path(stack.environment["DATA_DIR"]) / "admin_password").read_text())
    page.get_by_role("button", name="Sign in").click()


def test_the_whole_way_with_an_account(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        expect(page).to_have_title("Sign in")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill("a guess")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("The user name or the password is wrong.")
        sign_in(page, stack)

        choose(page, ("mine.csv", FILE))
        send(page)
        expect(page.get_by_role("heading", name="100.0 % of 1 row")).to_be_visible(timeout=30_000)
        assert [row["result_postcode"] for row in downloaded(page)] == [PLACE.postcode]
        address = page.url

        page.get_by_role("link", name="API keys").click()
        page.get_by_label("Name").fill("nightly import")
        page.get_by_role("button", name="Make key").click()
        expect(page.get_by_role("status")).to_contain_text("Copy it now")
        key = {"Authorization": f"Bearer {page.locator('#key').inner_text()}"}
        listed = stack.call("GET", "/api/v1/uploads/", headers=key)
        assert [upload["filename"] for upload in listed.json()["results"]] == ["mine.csv"]
        page.get_by_role("link", name="Delete nightly import").click()
        page.get_by_role("button", name="Delete the key").click()
        expect(page.get_by_text("No keys yet.")).to_be_visible()
        # The gateway may remember it for 5 s.
        wait_for(lambda: stack.call("GET", "/api/v1/uploads/", headers=key).status_code == 401, "the key is refused")

        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_title("Sign in")
        page.goto(address)
        expect(page).to_have_title("Sign in")
        sign_in(page, stack)
        expect(page).to_have_url(address)


def test_who_was_signed_out_meanwhile_is_asked_to_sign_in(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        sign_in(page, stack)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.context.clear_cookies()
        choose(page, ("late.csv", FILE))
        expect(page).to_have_title("Sign in")


@pytest.fixture
def waiting(stack: Stack, postcodes_io: RunningPostcodesIo) -> Iterator[dict[str, Any]]:
    """An upload for which nobody answers."""
    stack.use_key("admin")
    postcodes_io.fail(status=503)
    upload = stack.upload(ELSEWHERE)
    yield stack.wait(upload, lambda seen: seen["waiting"], "the outage is noticed")
    postcodes_io.recover()
    stack.call("POST", upload["links"]["cancel"])


@pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)
def test_nobody_is_kept_out_of_keys_and_of_what_waits(
    browser: Browser, stack: Stack, waiting: dict[str, Any], language: str, scheme: Any, width: int
) -> None:
    def sign_in_first(page: Page) -> None:
        page.fill("#id_username", "admin")
        page.fill("#id_password", (Path(stack.environment["DATA_DIR"]) / "admin_password").read_text())
        page.click("form.card button")
        page.wait_for_url(f"{stack.url}/keys/")

    def make_key(page: Page) -> None:
        page.fill("#name", "a name that is rather long, for the table")
        page.click("main form button")
        page.wait_for_selector("#key")

    size: Any = {"width": width, "height": 900}
    with screens(browser, stack.url, viewport=size, color_scheme=scheme, locale=language) as look:
        look("/login/?next=/keys/", sign_in_first)
        look("/keys/", lambda page: page.click("main form button"))
        look("/keys/", make_key)
        for path in ("/", f"/uploads/{waiting['id']}/", f"/uploads/{waiting['id']}/cancel/"):
            page = look(path)
        look("/keys/", lambda page: page.click("td a"))
        page.goto(f"{stack.url}/uploads/{waiting['id']}/")
        expect(page.locator(".notice.warn")).to_be_visible()
