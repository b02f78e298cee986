"""`/postcodes/{postcode}/`: what postcode_consumer knows, and how many rows of the caller have the postcode."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer, contract
from tests.running import free_port
from tests.working import work_until_ended

from uploads import known_postcodes

pytestmark = pytest.mark.django_db
FILE = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\n51.501009,-0.141588\n"
KNOWN = contract("postcodes/known")["response"]["body"]


def ask(api: Api, postcode: str = "SW1A1AA") -> Any:
    return api.get(f"/api/v1/postcodes/{quote(postcode)}/")


@pytest.fixture
def geocoded(api: Api, consumer: FakePostcodeConsumer) -> dict[str, Any]:
    """An upload of which two rows have SW1A 1AA."""
    upload = api.upload(FILE)
    work_until_ended()
    return upload


@pytest.mark.parametrize("spelling", ["SW1A 1AA", "SW1A1AA", "sw1a 1aa", "sw1a1aa", " Sw1A  1aA "])
def test_a_postcode_is_found_in_any_spacing_and_case(api: Api, geocoded: dict[str, Any], spelling: str) -> None:
    response = ask(api, spelling)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {
        "postcode": "SW1A 1AA", "outcode": "SW1A", "incode": "1AA", "country": "England", "region": "London",
        "admin_district": "Westminster", "admin_ward": "St James's", "latitude": 51.501009, "longitude": -0.141588,
        "terminated": None, "rows": 2,
    }  # fmt: skip


def test_the_question_has_the_token_and_the_id_of_the_request(api: Api, consumer: FakePostcodeConsumer) -> None:
    path = "/api/v1/postcodes/SW1A1AA/"
    assert api.client.get(path, headers={"X-Request-Id": "monday"}).status_code == 200
    assert consumer.headers[-1]["X-Request-Id"] == "monday"
    assert consumer.headers[-1]["X-Internal-Token"] == "token-of-the-tests"


def test_a_postcode_that_no_row_has_may_be_known(api: Api, consumer: FakePostcodeConsumer) -> None:
    assert ask(api).json() == {**KNOWN, "rows": 0}


def test_a_postcode_that_nobody_knows_is_not_found(api: Api, geocoded: dict[str, Any]) -> None:
    problem_of(ask(api, "ZZ1 1ZZ"), 404, "not-found")


def test_a_postcode_of_rows_is_answered_when_postcode_consumer_knows_it_no_more(
    api: Api, geocoded: dict[str, Any], consumer: FakePostcodeConsumer
) -> None:
    consumer.postcodes.clear()
    assert ask(api).json() == {
        **dict.fromkeys(KNOWN), "postcode": "SW1A 1AA", "outcode": "SW1A", "incode": "1AA", "rows": 2
    }  # fmt: skip
    api.delete(f"{UPLOADS}{geocoded['id']}/")
    problem_of(ask(api), 404, "not-found")


@pytest.mark.parametrize(
    "text",
    ["1", "SW1A", "\0", "SW1A\0 1AA", "SW1A/1AA", "SW1A1AA/x", "x" * 500, "A" * 10_000, "😀", "ſW1A 1AA", "ＳW1A 1AA",
     "SW1A%201AA", "SW1A 1AA?x", "SW1A-1AA", "..", "A 1AA", "SW1AA 1AA"],
)  # fmt: skip
def test_what_is_no_postcode_is_not_found_and_nobody_is_asked(
    api: Api, consumer: FakePostcodeConsumer, text: str
) -> None:
    problem_of(ask(api, text), 404, "not-found")
    assert consumer.asked_about == []


@pytest.mark.parametrize("fault", ["503", "500", "502", "429", "400", "html", "not json", "hang up"])
@pytest.mark.parametrize("postcode", ["SW1A1AA", "ZZ11ZZ"])
def test_an_outage_is_said_and_never_looks_like_an_answer(
    api: Api, geocoded: dict[str, Any], consumer: FakePostcodeConsumer, fault: str, postcode: str
) -> None:
    consumer.always = fault
    response = ask(api, postcode)
    problem_of(response, 503, "lookup-service-unavailable")
    assert int(response.headers["Retry-After"]) > 0
    consumer.always = None
    assert ask(api).json()["rows"] == 2


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_nobody_waits_for_ever(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(known_postcodes, "SECONDS", 0.3)
    consumer.always = fault
    problem_of(ask(api), 503, "lookup-service-unavailable")


def test_an_answer_that_is_too_large_is_not_read(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_postcodes, "SECONDS", 1_000)  # it is not the time that ends it
    consumer.always = "endless"
    problem_of(ask(api), 503, "lookup-service-unavailable")


def test_a_service_that_is_away_is_no_unknown_postcode(api: Api, settings: Any) -> None:
    settings.POSTCODE_CONSUMER_URL = f"http://127.0.0.1:{free_port()}"
    problem_of(ask(api), 503, "lookup-service-unavailable")


@pytest.mark.parametrize(
    "answer",
    [
        {**KNOWN, "postcode": "SW1A 2AA"},
        {**KNOWN, "latitude": "51.5"},
        {name: value for name, value in KNOWN.items() if name != "incode"},
    ],
    ids=["another postcode", "a text as a number", "no incode"],
)
def test_what_is_not_an_answer_to_the_question_is_not_believed(
    api: Api, consumer: FakePostcodeConsumer, answer: dict[str, Any]
) -> None:
    consumer.postcodes["SW1A1AA"] = answer
    problem_of(ask(api), 503, "lookup-service-unavailable")


def test_a_404_of_something_else_is_no_unknown_postcode(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "404 of a web server"
    problem_of(ask(api), 503, "lookup-service-unavailable")


def test_the_connection_is_kept(api: Api, consumer: FakePostcodeConsumer) -> None:
    for _ in range(3):
        ask(api)
        ask(api, "ZZ1 1ZZ")
    assert len(consumer.asked_about) == 6
    assert len({port for _, port in consumer.asked_about}) == 1


def test_the_rows_of_a_deleted_upload_do_not_count(api: Api, geocoded: dict[str, Any]) -> None:
    api.delete(f"{UPLOADS}{geocoded['id']}/")
    assert ask(api).json() == {**KNOWN, "rows": 0}


def test_with_one_caller_what_was_found_is_told(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.postcodes, consumer.found_for_somebody = {}, consumer.postcodes
    assert ask(api).json() == {**KNOWN, "rows": 0}


# --- AUTH=required -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("source", ["known to all", "found for somebody", "not known"])
def test_nobody_can_tell_what_others_have_sent(consumer: FakePostcodeConsumer, settings: Any, source: str) -> None:
    settings.AUTH = "required"
    ann, ben = (Api(get_user_model().objects.create_user(name).pk) for name in ("ann", "ben"))
    known = consumer.postcodes
    consumer.postcodes = known if source == "known to all" else {}

    def of_ben() -> list[Any]:
        return [
            (got.status_code, [header for header in got.headers.items() if header[0] != "X-Request-Id"], got.content)
            for got in (ask(ben), ask(ben, "ZZ1 1ZZ"))
        ]

    before, asked = of_ben(), len(consumer.asked_about)
    ann.upload(FILE)
    work_until_ended()
    consumer.found_for_somebody = known if source == "found for somebody" else {}
    assert ask(ann).json()["rows"] == 2
    assert ask(ann).json()["country"] == (None if source == "not known" else "England")
    consumer.asked_about.clear()
    assert of_ben() == before
    assert len(consumer.asked_about) == asked  # as many questions take as long
    ben.upload("lat,lon\n51.501009,-0.141588\n")
    work_until_ended()
    assert (ask(ann).json()["rows"], ask(ben).json()["rows"]) == (2, 1)
