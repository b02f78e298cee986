"""The page of how all is: with real services, in a real browser, and with nobody behind the gateway."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from country import csv_of
from playwright.sync_api import sync_playwright
from stack import Stack, find_chromium, running_stack, wait_for

WIDTHS = (320, 1_280)


def status(stack: Stack) -> dict[str, Any]:
    answer = stack.call("GET", "/status/")
    assert answer.status_code == 200
    return dict(answer.json())


def test_programs_are_told_of_each_part(tmp_path: Path) -> None:
    with running_stack(tmp_path, WORKERS="2") as stack:
        stack.wait_until_done(stack.upload(csv_of(100)))
        told = wait_for(
            lambda: (now := status(stack))["services"]["file_reader"]["workers_last_sign_seconds"][1:] and now,
            "both workers have shown that they live",
        )
        assert (told["status"], told["missing"], told["troubles"]) == ("ready", {}, {})
        reader, consumer = told["services"]["file_reader"], told["services"]["postcode_consumer"]
        assert max(reader["workers_last_sign_seconds"]) < 60
        assert (reader["uploads_not_begun"], reader["rows_waiting"]) == (0, 0)
        assert min(part["disk_free_bytes"] for part in told["services"].values()) > 0
        assert consumer["provider"] == "sandbox"


def test_what_is_broken_is_said_and_the_gateway_stays_in(tmp_path: Path) -> None:
    with running_stack(tmp_path, WORKERS="0", PROVIDER="sandbox") as stack:
        [trouble] = status(stack)["troubles"]["file_reader"]
        assert "No worker" in trouble
        for service in ("reader_config.wsgi", "consumer_config.wsgi"):
            for process in stack.processes(service):
                process.suspend()
        told = wait_for(lambda: len((now := status(stack))["missing"]) == 2 and now, "both are missed")
        assert set(told["missing"].values()) == {"no answer within 0.8 s"}
        assert stack.call("GET", "/readyz").json() == {"status": "ready"}
        for service in ("reader_config.wsgi", "consumer_config.wsgi"):
            for process in stack.processes(service):
                process.resume()
        wait_for(lambda: not status(stack)["missing"], "they are back")


def test_strangers_see_how_all_is_and_not_how_much_others_use_it(tmp_path: Path) -> None:
    with running_stack(tmp_path, AUTH="required") as stack:
        seen = status(stack)["services"]["file_reader"]
        assert "workers_last_sign_seconds" in seen
        assert "rows_waiting" not in seen
        stack.use_key("ann")
        assert "rows_waiting" in status(stack)["services"]["file_reader"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_see_a_page_without_scripts_that_axe_finds_no_fault_with(tmp_path: Path, scheme: Any) -> None:
    problems: list[str] = []
    with running_stack(tmp_path) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        for width in WIDTHS:
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 800}, java_script_enabled=False
            )
            page = context.new_page()
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.goto(f"{stack.url}/status/")
            assert page.title() == "All parts work · Status"
            assert page.locator("h2").all_inner_texts() == ["gateway", "file_reader", "postcode_consumer"]
            # The styles of the other pages are there.
            assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "1168px"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert problems == []
            context.close()
            # axe is a script, and breaks the policy.
            context = browser.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
            )
            page = context.new_page()
            page.goto(f"{stack.url}/status/")
            found = Axe().run(page).response["violations"]
            assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
            context.close()
        browser.close()
