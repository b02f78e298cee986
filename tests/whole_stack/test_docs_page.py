"""The page of the API, in a real browser: it shows the operations, asks nobody else, and breaks no policy."""

import shutil
from pathlib import Path

import pytest
from stack import running_stack

CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_the_page_shows_all_operations_and_the_browser_complains_of_nothing(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with running_stack(tmp_path) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        answer = page.goto(f"{stack.url}/api/docs/")
        assert answer is not None
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        page.wait_for_selector(".opblock")
        schema = stack.call("GET", "/api/schema/", params={"format": "json"}).json()
        assert page.locator(".opblock").count() == sum(len(methods) for methods in schema["paths"].values())
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith((f"{stack.url}/", "data:"))] == []
