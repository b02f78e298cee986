"""The pages for people, in a real browser: from a file to its result, and whatever may come between."""

from collections.abc import Iterator
from typing import Any

import pytest
from browser import LOOKS, choose, downloaded, screens, send, watched_page
from playwright.sync_api import Browser, expect
from stack import Stack, running_stack

GERMAN = b"fahrzeug;breite;l\xe4nge\nV-1;51,501009;-0,141588\nV-2;51,508036;-0,075853\n"
HEADERLESS = b"Palace,51.501009,-0.141588,7\nTower,51.508036,-0.075853,9\n"
SWAPPED = b"lat,lon\n-0.141588,51.501009\n-0.075853,51.508036\n-0.076355,51.505279\n"
PALACE = b"name,lat,lon\nPalace,51.501009,-0.141588\nNull Island,0,0\nnowhere,,\n"
#: What the browser says of an answer that is meant to be one.
REFUSED = ("status of 422", "status of 415")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_a_file_becomes_postcodes_by_clicking(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("stops.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check stops.csv")
        expect(page.get_by_text("2 of the first 3 rows")).not_to_be_visible()
        expect(page.get_by_text("1 of the first 3 rows is in the United Kingdom.")).to_be_visible()
        send(page)
        expect(page.get_by_role("heading", name="33.3 % of 3 rows have a postcode")).to_be_visible(timeout=30_000)
        expect(page.locator(".counts")).to_contain_text("Rows read")
        assert [row["result_postcode"] for row in downloaded(page)] == ["SW1A 1AA", "", ""]
        page.get_by_role("link", name="Rejected").first.click()
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        expect(page.locator("#rows")).to_contain_text("The latitude or the longitude is empty")
        page.go_back()
        expect(page.locator("#rows tbody tr")).to_have_count(3)


def test_what_lies_outside_the_map_is_counted_and_never_silently_missing(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("far.csv", PALACE + b"Paris,48.8566,2.3522\nOslo,59.9139,10.7522\n"))
        send(page)
        # Null Island and Oslo; Paris is on it, and what has no location lies nowhere.
        expect(page.locator("[data-outside]")).to_have_text("Rows outside this map: 2", timeout=30_000)


def test_on_a_narrow_screen_nothing_that_counts_is_out_of_sight(browser: Browser, stack: Stack) -> None:
    narrow: Any = {"width": 360, "height": 800}
    with watched_page(browser, stack.url, viewport=narrow) as page:
        columns = ",".join(f"column_{number}" for number in range(20))
        choose(page, ("wide.csv", f"{columns},lat,lon\n{'x,' * 20}51.5,-0.1\n".encode()))
        expect(page.locator("th.chosen").first).to_be_in_viewport()
        choose_again = page.get_by_role("button", name="Choose another file")
        choose_again.click()
        choose(page, (f"{'a_rather_long_name_' * 4}.csv", PALACE))
        send(page)
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name="Uploads").first.click()
        table = page.get_by_role("region", name="Table of your uploads")
        assert table.evaluate("region => region.scrollWidth <= region.clientWidth")


def test_who_changes_a_setting_and_sends_at_once_sees_the_file_on_its_way(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("quick.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check quick.csv")
        held: list[Any] = []
        page.route(f"{stack.url}/", lambda route: held.append(route))
        with page.expect_request(f"{stack.url}/"):
            # The change would have the file looked at again after 0.3 s.
            page.evaluate(
                "document.querySelector('#decimal').dispatchEvent(new Event('change', { bubbles: true }));"
                "document.querySelector('[data-send-now]').click();"
            )
        page.evaluate("new Promise((told) => setTimeout(told, 301))")  # which comes later
        expect(page.get_by_role("heading", level=1)).to_have_text("quick.csv")
        held[0].continue_()
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)


def test_german_commas_and_columns_are_read_without_a_setting(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("stops.csv", GERMAN))
        expect(page.locator("main")).to_contain_text("Windows-1252")
        expect(page.locator("main")).to_contain_text("decimal commas")
        send(page)
        expect(page.get_by_role("heading", name="100.0 % of 2 rows")).to_be_visible(timeout=30_000)


def test_columns_without_names_are_chosen_in_the_table(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url, expected=REFUSED) as page:
        choose(page, ("stops.csv", b"a,b,c\nPalace,51.501009,-0.141588\n"))
        expect(page.get_by_role("alert")).to_contain_text("coordinate columns are not clear")
        page.select_option("#latitude", label="b")
        page.select_option("#longitude", label="c")
        expect(page.locator("th.chosen")).to_have_count(2)
        send(page)
        expect(page.get_by_role("heading", name="100.0 % of 1 row")).to_be_visible(timeout=30_000)


def test_exchanged_columns_are_mended_by_a_button(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url, expected=REFUSED) as page:
        choose(page, ("stops.csv", SWAPPED))
        page.get_by_role("button", name="Swap the columns").click()
        expect(page.get_by_text("3 of the first 3 rows are in the United Kingdom.")).to_be_visible()
        send(page)
        expect(page.get_by_role("heading", name="100.0 % of 3 rows")).to_be_visible(timeout=30_000)


def test_a_file_that_is_no_table_is_refused_and_another_may_be_chosen(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url, expected=REFUSED) as page:
        choose(page, ("letter.pdf", b"%PDF-1.7\n"))
        expect(page.get_by_role("alert")).to_contain_text("This kind of file is not read")
        page.get_by_role("button", name="Choose another file").click()
        choose(page, ("stops.csv", b""))
        expect(page.get_by_role("alert")).to_have_text("The selected file is empty.")


def test_a_network_that_is_cut_while_sending_is_tried_again_and_gives_one_upload(
    browser: Browser, stack: Stack
) -> None:
    with watched_page(browser, stack.url, expected=("ERR_FAILED",)) as page:
        choose(page, ("cut.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_have_text("Check cut.csv")
        cut: list[str] = []

        def first_fails(route: Any) -> None:
            if route.request.method == "POST" and len(cut) < 2:
                cut.append(route.request.headers["idempotency-key"])
                route.abort()
            else:
                route.continue_()

        page.route(f"{stack.url}/", first_fails)
        send(page)
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)
        assert len(cut) == 2
        assert cut[0] == cut[1]
    names = [upload["filename"] for upload in stack.call("GET", "/api/v1/uploads/").json()["results"]]
    assert names.count("cut.csv") == 1


def test_everything_works_without_scripts(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url, java_script_enabled=False) as page:
        choose(page, ("plain.csv", PALACE))
        send(page)
        # The page asks again by itself.
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)
        page.get_by_role("link", name="No match").last.click()
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("button", name="Delete the upload").click()
        expect(page.locator("main")).not_to_contain_text("plain.csv")


def test_one_location_is_looked_up(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        page.get_by_label("Latitude, longitude").fill("51.501, -0.142")
        page.get_by_role("button", name="Look up").click()
        expect(page.locator(".postcode")).to_have_text("SW1A 1AA")


def test_the_keyboard_alone_is_enough(browser: Browser, stack: Stack) -> None:
    with watched_page(browser, stack.url) as page:
        choose(page, ("keys.csv", PALACE))
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('[data-send-now]')"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="33.3 % of 3 rows")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(("language", "scheme", "width"), LOOKS)
def test_nobody_is_kept_out_of_a_screen(browser: Browser, stack: Stack, language: str, scheme: Any, width: int) -> None:
    upload = stack.wait_until_done(stack.upload(PALACE))
    failed = stack.upload(PALACE + b'x,51.5,-0.1,"open\n')
    stack.wait(failed, lambda seen: seen["state"] == "failed", "the upload fails")
    paths = ["/", "/?location=51.501,-0.142", "/?location=x", f"/?again={failed['id']}", "/login/", "/uploads/none/"]
    paths += [f"/uploads/{one['id']}/{rest}" for one in (upload, failed) for rest in ("", "cancel/", "delete/")]
    size: Any = {"width": width, "height": 900}
    with screens(browser, stack.url, viewport=size, color_scheme=scheme, locale=language) as look:
        for path in paths:
            look(path)
        look("/", lambda page: (choose(page, ("stops.csv", SWAPPED)), page.wait_for_selector("[data-fix]")))
