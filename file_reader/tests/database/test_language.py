"""The language of the pages: what the browser asks for, or what its reader chose."""

from typing import Any

import pytest
from django.utils import translation
from tests.api import Api, Caller

from uploads.web.pages.numbers import number

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Caller:
    return Api().client


def page(browser: Caller, accepted: str = "", path: str = "/") -> Any:
    return browser.get(path, headers={"Accept-Language": accepted} if accepted else {})


def test_a_page_is_in_the_language_that_the_browser_asks_for(browser: Caller) -> None:
    welsh = page(browser, "cy, en;q=0.5")
    assert "Cael codau post" in welsh.content.decode()
    assert '<html lang="cy">' in welsh.content.decode()
    # So are the sentences of the scripts.
    assert "Mae\\u2019r ffeil a ddewiswyd yn wag." in welsh.content.decode()
    assert "Accept-Language" in welsh.headers["Vary"]
    for other in ("", "de", "en-US"):
        assert "Get postcodes" in page(browser, other).content.decode()


def test_what_was_chosen_counts_before_what_the_browser_asks_for(browser: Caller) -> None:
    chosen = browser.post("/language/", {"language": "cy", "next": "/keys/"})
    assert (chosen.status_code, chosen.headers["Location"]) == (302, "/keys/")
    assert "Cael codau post" in page(browser, "en").content.decode()
    assert browser.post("/language/", {"language": "en-gb", "next": "https://elsewhere.example/"})["Location"] == "/"
    assert "Get postcodes" in page(browser, "cy").content.decode()


def test_the_api_and_the_admin_stay_english(browser: Caller) -> None:
    missing = page(browser, "cy", "/api/v1/uploads/0a7989ce-f211-4b20-8f5e-81abbce641ee/")
    assert missing.json()["title"] == "There is nothing here"
    assert "Log in" in page(browser, "cy", "/admin/login/").content.decode()


def test_an_address_that_is_not_there_says_so_in_the_language_of_the_reader(browser: Caller) -> None:
    assert "Does dim byd yn y cyfeiriad hwn" in page(browser, "cy", "/uploads/none/").content.decode()


def test_numbers_are_written_as_the_language_writes_them() -> None:
    for language, written in (("en-gb", "1,234.5"), ("cy", "1,234.5"), ("de", "1.234,5")):
        with translation.override(language):
            assert number(1234.5, 1) == written
