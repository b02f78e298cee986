"""GET /api/v1/postcodes/<postcode>/: what a provider without a database knows about a postcode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.calls import PATH, assert_problem
from tests.fake_postcodes_io import PALACE
from tests.index_files import NAME_TABLES, ONS_2025, table, zipped

from lookups.index.build import build

Call = Callable[..., Any]
Choose = Callable[..., None]

WESTMINSTER = {"country": "E92000001", "region": "E12000007", "district": "E09000033", "ward": "E05013806"}
NAMES = {
    "country": "England",
    "region": "London",
    "admin_district": "Westminster",
    "admin_ward": "St James's",
}


def url(postcode: str) -> str:
    return f"/api/v1/postcodes/{quote(postcode, safe='')}/"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    rows = [
        {"postcode": "SW1A 1AA", "latitude": PALACE[0], "longitude": PALACE[1], **WESTMINSTER},
        {"postcode": "SW1A 1AB", "latitude": PALACE[0], "longitude": PALACE[1], **WESTMINSTER},
        {"postcode": "B1 1AA", "latitude": 52.5, "longitude": -1.9},
        {"postcode": "B1 1AB", "latitude": 52.6, "longitude": -1.9, "terminated": "199606"},
    ]
    build(zipped(tmp_path / "onspd.zip", {"Data/ONSPD.csv": table(ONS_2025, rows), **NAME_TABLES}), tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture(params=["sandbox", "local"])
def provider(request: pytest.FixtureRequest, service_provider: Choose, index: Path) -> str:
    """Has the service use it, and is its name."""
    service_provider(PROVIDER=request.param, LOCAL_INDEX=index)
    return str(request.param)


@pytest.mark.parametrize("written", ["SW1A 1AA", "SW1A1AA", "sw1a1aa", " Sw1a  1aA ", "S W 1 A 1 A A", "sw1a\t1aa"])
def test_a_postcode_is_found_however_it_is_written(call: Call, provider: str, written: str) -> None:
    response = call("GET", url(written))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    answer = response.json()
    assert list(answer)[:3] == ["postcode", "outcode", "incode"]
    assert answer == {
        "postcode": "SW1A 1AA",
        "outcode": "SW1A",
        "incode": "1AA",
        **NAMES,
        "latitude": PALACE[0],
        "longitude": PALACE[1],
        "terminated": None,
    }


def test_it_says_what_a_match_says(call: Call, provider: str) -> None:
    match = call("GET", f"{PATH}?latitude={PALACE[0]}&longitude={PALACE[1]}").json()
    known = {"postcode": match["postcode"], **match["postcode_details"], "terminated": None}
    assert call("GET", url("SW1A1AA")).json() == known


def test_what_the_source_does_not_say_is_null(call: Call, service_provider: Choose, index: Path) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=index)
    answer = call("GET", url("b11aa")).json()
    assert {answer[name] for name in NAMES} == {None}
    assert (answer["postcode"], answer["latitude"], answer["longitude"]) == ("B1 1AA", 52.5, -1.9)


@pytest.mark.parametrize(
    "written",
    [
        "ZZ99 9ZZ",
        "SW1A 1AB",
        "B1 1AB",
        "SW1A",
        "SW1A 1A",
        "SW1A 1AAA",
        "SW1A-1AA",
        "AA",
        " ",
        "\0",
        "SW1A 1AA\0",
        "SW1A\0 1AA",
        "ſw1a 1aa",
        "ＳＷ1A 1AA",
        "SW1A\u00a01AA",
        "💥",
        "%",
        "%00",
        "' OR 1=1 --",
        "\n",
        "SW1A 1AA\n\n\r\n?",
        "A" * 10_000,
        " " * 10_000 + "SW1A 1AC",
    ],
    ids=lambda written: ascii(written[:16]),
)
def test_what_is_not_known_or_no_postcode_is_not_found(call: Call, provider: str, written: str) -> None:
    body = assert_problem(call("GET", url(written)), "not-found", 404)
    assert len(body["detail"]) < 100


@pytest.mark.parametrize("path", ["/api/v1/postcodes/", "/api/v1/postcodes/SW1A/1AA/", "/api/v1/postcodes/%FF%FE/"])
def test_what_is_no_address_is_not_found(call: Call, path: str) -> None:
    assert_problem(call("GET", path), "not-found", 404)


def test_without_its_index_the_provider_is_not_set_up(call: Call, service_provider: Choose, tmp_path: Path) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=tmp_path / "none")
    response = call("GET", url("SW1A 1AA"))
    assert "Build it with" in assert_problem(response, "upstream-unavailable", 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert_problem(call("GET", url("nonsense")), "not-found", 404)


def test_a_new_index_is_taken_up(call: Call, service_provider: Choose, index: Path, tmp_path: Path) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=index)
    assert_problem(call("GET", url("B2 2BB")), "not-found", 404)
    rows = [{"postcode": "B2 2BB", "latitude": 52.5, "longitude": -1.9}]
    build(zipped(tmp_path / "new.zip", {"Data/ONSPD.csv": table(ONS_2025, rows)}), index)
    assert call("GET", url("B2 2BB")).json()["postcode"] == "B2 2BB"


def test_only_the_other_services_and_only_get_are_let_in(call: Call) -> None:
    assert_problem(call("GET", url("SW1A 1AA"), headers={"X-Internal-Token": ""}), "internal-token-required", 401)
    assert_problem(call("POST", url("SW1A 1AA"), {}), "method-not-allowed", 405)
    assert call("HEAD", url("SW1A 1AA")).status_code == 200
    assert_problem(call("GET", url("SW1A 1AA") + "?at=2020"), "invalid-parameter", 400)
