"""The pages as a browser without scripts has them: everything works by links and forms."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.api import Api, Caller
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from uploads.models import ApiKey, Upload, UploadState
from uploads.upstream import UpstreamClient

pytestmark = pytest.mark.django_db
CSV = "name,lat,lon\nPalace,51.501009,-0.141588\nNull Island,0,0\nnowhere,,\n"


@pytest.fixture
def browser() -> Caller:
    """With AUTH=off: nobody signs in."""
    return Api().client


def sent(browser: Caller, content: str, name: str = "stops.csv", **settings: str) -> Any:
    """The answer to the form of the first page."""
    return browser.post("/", {"file": SimpleUploadedFile(name, content.encode()), **settings})


def text_of(response: Any) -> str:
    """What a reader sees of a page."""
    body = re.sub(r"(?s)<(script|style|head|svg)\b.*?</\1>", " ", response.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_file_that_is_sent_leads_to_its_page_which_says_what_became_of_the_rows(
    browser: Caller, consumer: FakePostcodeConsumer
) -> None:
    response = sent(browser, CSV)
    assert response.status_code == 303
    page = response.headers["Location"]
    assert "Waiting for a worker" in text_of(browser.get(page))
    work_until_ended()
    shown = text_of(browser.get(page))
    assert "33.3 % of 3 rows have a postcode" in shown
    assert re.search("Match 1 33.3 % No match 1 33.3 % .*Failed 0 – Rejected 1 33.3 % .*Not yet 0 – Rows read 3", shown)
    assert "SW1A 1AA" in shown
    assert "Outside the United Kingdom" in shown


def test_rows_are_filtered_by_links(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    page = sent(browser, CSV).headers["Location"]
    work_until_ended()
    assert "SW1A 1AA" not in text_of(browser.get(f"{page}?status=rejected"))
    assert "SW1A 1AA" in text_of(browser.get(f"{page}?postcode=sw1a1aa"))
    assert "No rows." in text_of(browser.get(f"{page}?postcode=EC3N4AB"))
    assert "Accepted" in text_of(browser.get(f"{page}?bbox=1,2"))


def test_the_rows_of_a_reason_are_found_by_its_link(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    page = sent(browser, CSV + "high,95,0\nhigher,96,0\n").headers["Location"]
    work_until_ended()
    links = re.findall(r'<a href="(\?status=[^"]*reason=[^"]*)#rows"', browser.get(page).content.decode())
    assert [unescape(link) for link in links] == [
        "?status=no_match&reason=outside_uk",
        "?status=rejected&reason=latitude_out_of_range",
        "?status=rejected&reason=coordinates_missing",
    ]
    shown = browser.get(page + unescape(links[1])).content.decode()
    assert [raw in shown for raw in ("high,95,0", "higher,96,0", "nowhere,,")] == [True, True, False]
    assert '<span class="chip" aria-current="true">The latitude is beyond 90 degrees</span>' in shown


def test_columns_that_are_not_clear_are_asked_for_with_the_columns_that_are_there(browser: Caller) -> None:
    response = sent(browser, "a,b,c\nx,51.5,-0.1\n")
    assert response.status_code == 422
    assert "The coordinate columns are not clear" in text_of(response)
    assert '<option value="2">b</option>' in response.content.decode()
    assert sent(browser, "a,b,c\nx,51.5,-0.1\n", latitude="2", longitude="3").status_code == 303


def test_what_is_no_table_is_refused_in_words_and_stores_nothing(browser: Caller) -> None:
    response = sent(browser, "%PDF-1.7")
    assert response.status_code == 415
    assert "This kind of file is not read" in text_of(response)
    assert re.search("Reported as /problems/[a-z-]+ , request [0-9a-f]{8}", text_of(response))
    assert Upload.objects.count() == 0


def fields_of(page: str) -> dict[str, str]:
    """What the form that sends a file has filled in."""
    form = page.partition('<form class="drop"')[2].partition("</form>")[0]
    inputs = re.findall(r'<input type="\w+"[^>]* name="(\w+)"[^>]* value="([^"]*)"', form)
    selects = re.findall(r'(?s)<select[^>]* name="(\w+)">(.*?)</select>', form)
    chosen = [(name, re.findall(r'<option value="([^"]*)" selected>', options)) for name, options in selects]
    return {name: unescape(value) for name, value in inputs if value} | {name: one[0] for name, one in chosen if one}


def test_a_file_is_sent_again_with_the_settings_of_before(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    said = {
        "latitude": "Breite <N>", "longitude": "2", "has_header": "true", "delimiter": ";", "decimal": ",",
        "encoding": "cp1252", "max_distance": "300", "quoting": "quotes",
    }  # fmt: skip
    page = sent(browser, 'Breite <N>;x\n51,5;-0,1\n51,5;"-0,1\n', **said).headers["Location"]
    work_until_ended()
    again = unescape(re.findall(r'<a class="button primary" href="([^"]*)"', browser.get(page).content.decode())[0])
    assert again.startswith("/?again=")
    shown = browser.get(again).content.decode()
    assert fields_of(shown) == said
    assert "Its settings are filled in below" in shown
    # What mends them stands beside them.
    assert fields_of(browser.get(f"{again}&decimal=.").content.decode()) == {**said, "decimal": "."}


def test_a_warning_has_a_link_that_sends_the_file_again_with_what_mends_it(
    browser: Caller, consumer: FakePostcodeConsumer
) -> None:
    swapped = "lat,lon\n" + "-0.141588,51.501009\n" * 5
    page = sent(browser, swapped, latitude="lat", longitude="lon", max_distance="500").headers["Location"]
    work_until_ended()
    (again,) = re.findall(r'<a class="button" href="(/\?again=[^"]*)"', browser.get(page).content.decode())
    kept = fields_of(browser.get(unescape(again)).content.decode())
    assert kept == {"latitude": "lon", "longitude": "lat", "max_distance": "500"}


def test_nobody_sees_the_settings_of_somebody_else(browser: Caller, settings: Any) -> None:
    sent(browser, CSV, max_distance="300")
    theirs = f"/?again={Upload.objects.get().public_id}"
    assert fields_of(browser.get(theirs).content.decode()) == {"max_distance": "300"}
    settings.AUTH = "required"
    browser.force_login(get_user_model().objects.create_user("ann"))
    assert fields_of(browser.get(theirs).content.decode()) == {}
    assert browser.get("/?again=x").status_code == 200


def test_a_file_that_is_refused_is_chosen_again_with_its_settings(browser: Caller) -> None:
    page = sent(browser, "a,b,c\nx,51.5,-0.1\n", max_distance="300", decimal=".").content.decode()
    assert fields_of(page) == {"max_distance": "300", "decimal": "."}


def test_a_file_that_breaks_off_shows_the_line_and_what_to_do(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    page = sent(browser, CSV + 'van,51.5,-0.1,"12 inch\n' + "x,51.5,-0.1\n" * 3).headers["Location"]
    work_until_ended()
    response = browser.get(page)
    shown = text_of(response)
    assert "The 3 rows before it were read" in shown
    assert "go to line 5" in shown
    assert f"Reported as /problems/unreadable-file , request {Upload.objects.get().request_id}" in shown
    assert '<span class="fault"><b>5</b>van,51.5,-0.1,<u>"</u>12 inch</span>' in response.content.decode()
    assert "Close the quote, or remove it." in shown
    assert "Failed at line 5" in text_of(browser.get("/"))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"a ""quoted"" name,51.5,-0.1', '<u>"</u>a &quot;&quot;quoted&quot;&quot; name,51.5,-0.1'),
        ('"van",51.5,-0.1,"12 inch', '&quot;van&quot;,51.5,-0.1,<u>"</u>12 inch'),
    ],
)
def test_the_quote_at_fault_is_the_one_that_is_not_closed(
    browser: Caller, consumer: FakePostcodeConsumer, line: str, shown: str
) -> None:
    page = sent(browser, f"{CSV}{line}\n" + "x,51.5,-0.1\n" * 3).headers["Location"]
    work_until_ended()
    assert f'<span class="fault"><b>5</b>{shown}</span>' in browser.get(page).content.decode()


def test_whoever_pauses_an_upload_is_not_told_that_the_postcode_service_is_silent(browser: Caller) -> None:
    page = sent(browser, CSV).headers["Location"]
    assert browser.post(f"{page}pause/").status_code == 303
    shown = text_of(browser.get(page))
    assert "Paused at 0 %" in shown
    assert "Continue" in shown
    assert "has not answered" not in shown


def test_rows_that_are_filtered_say_by_what_in_their_heading(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    page = sent(browser, CSV).headers["Location"]
    work_until_ended()
    headings = [
        text_of(browser.get(f"{page}{query}")).partition(" Postcode Find ")[0][-40:]
        for query in ("", "?status=no_match", "?status=no_match&reason=outside_uk", "?postcode=SW1A+1AA")
    ]
    assert headings[0].endswith(" Rows")
    assert headings[1].endswith("Rows : No match")
    assert headings[2].endswith("Rows : Outside the United Kingdom")
    assert headings[3].endswith("Rows : SW1A 1AA")


def test_pages_come_packed_to_whoever_takes_that(browser: Caller) -> None:
    whole, packed = (browser.get("/", headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
    assert "Content-Encoding" not in whole.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.content) * 2 < len(whole.content)


def test_cancel_and_delete_ask_first(browser: Caller) -> None:
    page = sent(browser, CSV).headers["Location"]
    assert "Cancel stops.csv?" in text_of(browser.get(f"{page}cancel/"))
    assert Upload.objects.get().state == UploadState.RECEIVED
    assert browser.post(f"{page}cancel/").headers["Location"] == page
    assert Upload.objects.get().state == UploadState.CANCELLED
    assert "Cancelled at 0 %" in text_of(browser.get(page))
    assert "Delete stops.csv?" in text_of(browser.get(f"{page}delete/"))
    assert browser.post(f"{page}delete/").headers["Location"] == "/"
    assert browser.get(page).status_code == 404
    assert "Nothing uploaded yet" in text_of(browser.get("/"))


def test_one_location_is_looked_up(browser: Caller, settings: Any) -> None:
    settings.POSTCODE_CONSUMER_URL = "http://127.0.0.1:9"
    assert "does not answer now" in text_of(browser.get("/", {"location": "51.501, -0.142"}))
    assert "Write a latitude and a longitude" in text_of(browser.get("/", {"location": "London"}))
    assert "seem to be swapped" in text_of(browser.get("/", {"location": "-0.142, 51.501"}))


def test_an_address_that_is_not_there_says_so_to_people_and_to_programs(browser: Caller) -> None:
    path = "uploads/0a7989ce-f211-4b20-8f5e-81abbce641ee/"
    response = browser.get(f"/{path}")
    assert (response.status_code, "There is nothing at this address" in text_of(response)) == (404, True)
    assert browser.get(f"/api/v1/{path}").headers["Content-Type"] == "application/problem+json"


def test_what_a_file_is_called_is_text(browser: Caller) -> None:
    page = sent(browser, CSV, name="<script>alert(1)</script>.csv").headers["Location"]
    for path in (page, "/", f"{page}delete/"):
        assert "<script>alert" not in browser.get(path).content.decode()


def test_exchanged_columns_are_said_above_the_buttons_and_only_the_swap_is_filled(browser: Caller) -> None:
    file = SimpleUploadedFile("t.csv", b"lat,lon\n" + b"-0.141588,51.501009\n" * 3)
    response = browser.post("/preview/", {"file": file})
    shown = text_of(response)
    assert shown.index("Latitude and longitude seem to be swapped") < shown.index("Get postcodes")
    assert "None of them lies on this map" in shown
    filled = re.findall(r'class="[^"]*\bprimary"[^>]*>(?:<svg.*?</svg>)?([^<]+)', response.content.decode())
    assert filled == ["Swap the columns"]


def test_a_list_of_rows_says_which_are_shown(browser: Caller, consumer: FakePostcodeConsumer) -> None:
    page = sent(browser, "lat,lon\n" + "51.501009,-0.141588\n" * 150).headers["Location"]
    work_until_ended()
    assert "Rows 1 to 100 of 150" in text_of(browser.get(page))
    assert "Rows 1 to" not in text_of(browser.get(f"{page}?status=match"))


def test_a_preview_shows_how_the_beginning_is_read(browser: Caller) -> None:
    table = "oben;links\n" + "51,5;-0,1\n" * 50 + "51,6;-0"
    file = SimpleUploadedFile("t.csv", table.encode())
    response = browser.post("/preview/?partial=1&size=100000&latitude=1&longitude=2", {"file": file})
    shown = text_of(response)
    assert "separated by semicolons" in shown
    assert "decimal commas" in shown
    assert "50 of the first 50 rows are in the United Kingdom" in shown
    assert "about 9,850 rows" in shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"provider": "sandbox"}, "Answers come from a list of some well-known places, for trying it out. Contains"),
        (
            {
                "provider": "local,postcodes_io",
                "index": {"source": "ONSPD <1>.zip", "postcodes": 1745013, "built_on": "2026-11-03"},
            },
            "Answers come from the index on this server: ONSPD &lt;1&gt;.zip, 1,745,013 postcodes, built on"
            " 3 November 2026. Answers come from postcodes.io. Contains",
        ),
        ({"provider": "local", "index": None}, "<p> Contains"),
        ({}, "<p> Contains"),
    ],
)
def test_the_foot_of_a_page_says_where_answers_come_from(
    browser: Caller, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], shown: str
) -> None:
    monkeypatch.setattr(UpstreamClient, "_call", lambda *_: json.dumps(said).encode())
    cache.clear()
    assert shown in browser.get("/").content.decode()
    cache.clear()


@pytest.mark.parametrize("tiles", ["", "https://tiles.example/{z}/{x}/{y}.png?a=1&b=2"])
def test_a_map_has_tiles_only_from_the_server_that_the_settings_name(
    browser: Caller, settings: Any, tiles: str
) -> None:
    settings.MAP_TILES_URL, settings.MAP_TILES_ATTRIBUTION = tiles, '© "Somebody"'
    page = sent(browser, CSV).headers["Location"]
    preview = browser.post("/preview/", {"file": SimpleUploadedFile("t.csv", CSV.encode())})
    for shown in (browser.get(page), preview):
        found = re.findall(r'data-tiles="([^"]*)" data-whose="([^"]*)"', shown.content.decode())
        assert [(unescape(url), unescape(whose)) for url, whose in found] == (
            [(tiles, '© "Somebody"')] if tiles else []
        )


# --- with AUTH=required ----------------------------------------------------------------------------------------------
@pytest.fixture
def required(settings: Any) -> None:
    settings.AUTH = "required"


def test_who_signs_in_makes_a_key_sees_it_once_and_signs_out(browser: Caller, required: None) -> None:
    get_user_model().objects.create_user("ann", password="a-long-password")
    assert browser.get("/keys/").headers["Location"] == "/login/?next=/keys/"
    wrong = browser.post("/login/", {"username": "ann", "password": "wrong"})
    assert "The user name or the password is wrong" in text_of(wrong)
    signed_in = browser.post("/login/?next=/keys/", {"username": "ann", "password": "a-long-password"})
    assert signed_in.headers["Location"] == "/keys/"
    made = text_of(browser.post("/keys/", {"name": "nightly import"}))
    (text,) = re.findall(r"pck_[0-9a-f]{48}", made)
    assert Api().client.get("/internal/authenticate/", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    assert text not in text_of(browser.get("/keys/"))
    browser.post(f"/keys/{ApiKey.objects.get().pk}/delete/")
    assert not ApiKey.objects.exists()
    browser.post("/logout/")
    assert browser.get("/").headers["Location"] == "/login/?next=/"


def test_sign_in_leads_nowhere_else(browser: Caller, required: None) -> None:
    get_user_model().objects.create_user("ann", password="a-long-password")
    form = {"username": "ann", "password": "a-long-password", "next": "https://evil.example/"}
    assert browser.post("/login/", form).headers["Location"] == "/"


def test_five_wrong_passwords_are_enough(browser: Caller, required: None) -> None:
    get_user_model().objects.create_user("ann", password="a-long-password")
    for _ in range(5):
        browser.post("/login/", {"username": "ann", "password": "wrong"})
    response = browser.post("/login/", {"username": "ann", "password": "a-long-password"})
    assert response.status_code == 429
    assert "Too many failed attempts" in text_of(response)
