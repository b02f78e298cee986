"""The admin in a real browser, through the gateway."""

from pathlib import Path

from playwright.sync_api import expect, sync_playwright
from stack import find_chromium, running_stack

FILE = b"name,lat,lon\nPalace,51.501009,-0.141588\nSea,56.0,2.5\nBad,95,0\n"


def test_an_operator_finds_an_upload_its_rows_and_a_postcode_in_the_admin(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack, sync_playwright() as playwright:
        stack.wait_until_done(stack.upload(FILE))
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{stack.url}/admin/")
        page.fill("#id_username", "admin")
        page.fill("#id_password", (tmp_path / "admin_password").read_text())
        page.click("input[type=submit]")

        page.locator("#content-main").get_by_role("link", name="Uploads", exact=True).last.click()
        row = page.locator("#result_list tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("file.csv")
        expect(row).to_contain_text("100.0")
        page.check("#result_list tbody input[type=checkbox]")
        page.select_option("select[name=action]", "cancel")
        page.click("button[name=index]")
        expect(page.locator(".messagelist")).to_contain_text("nothing left to cancel")

        page.goto(f"{stack.url}/admin/uploads/row/?q=sw1a1aa")
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        page.goto(f"{stack.url}/admin/uploads/postcode/")
        expect(page.locator("#result_list tbody tr")).to_contain_text("SW1A 1AA")
        assert problems == []
        browser.close()
