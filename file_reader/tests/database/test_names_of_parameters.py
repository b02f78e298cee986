"""Options and query parameters that nobody knows, or that are given twice, are refused and never ignored."""

from pathlib import Path
from typing import Any

import pytest
from tests.api import UPLOADS, Api, Caller, problem_of
from tests.sending import CSV, assert_nothing_stored, part, send_parts

from uploads.web.urls import urlpatterns

pytestmark = pytest.mark.django_db
PREVIEW = f"{UPLOADS}preview/"


def addresses() -> list[tuple[str, str]]:
    """Every address of the API with every method that it has."""
    found = []
    for pattern in urlpatterns:
        view: Any = pattern.callback
        address = f"/{pattern.pattern}".replace("<uuid:public_id>", "{id}").replace("<str:postcode>", "SW1A1AA")
        if address.startswith("/api/v1/"):
            methods = ("get", "head", "post", "put", "delete")
            of_django = getattr(view, "view_class", None)
            found += [
                (method, address)
                for method in methods
                if (hasattr(of_django, method) if of_django else method.upper() in view.methods)
            ]
    return found


@pytest.mark.parametrize(("method", "address"), addresses())
def test_no_address_ignores_a_parameter_that_it_does_not_know(api: Api, method: str, address: str) -> None:
    upload = api.upload(CSV)
    path = address.format(id=upload["id"])
    kind = "option" if method == "post" and path in (UPLOADS, PREVIEW) else "parameter"
    response = api.client.generic(method.upper(), f"{path}?nonsense=1", CSV, "text/csv")
    if method != "head":
        assert problem_of(response, 400, f"invalid-{kind}")[kind] == "nonsense"
    assert response.status_code == 400
    assert api.show(upload) == upload


def test_every_address_is_tried() -> None:
    assert set(addresses()) >= {
        ("get", UPLOADS), ("post", UPLOADS), ("post", PREVIEW), ("get", UPLOADS + "{id}/"),
        ("delete", UPLOADS + "{id}/"), ("post", UPLOADS + "{id}/cancel/"), ("head", UPLOADS + "{id}/rows/"),
        ("get", "/api/v1/postcodes/SW1A1AA/"), ("head", UPLOADS + "{id}/"), ("get", "/api/v1/rows/"),
    }  # fmt: skip


# --- options of an upload ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", [UPLOADS, PREVIEW])
@pytest.mark.parametrize("where", ["form", "query"])
def test_an_option_that_does_not_exist_is_named_with_those_that_do(
    api: Api, data_dir: Path, address: str, where: str
) -> None:
    body, content_type = CSV, "text/csv"
    if where == "form":
        body = part("file", CSV, "a.csv") + part("lattitude", b"lat") + b"--limit--\r\n"
        content_type = "multipart/form-data; boundary=limit"
    path = address if where == "form" else f"{address}?lattitude=lat"
    problem = problem_of(api.post(path, body, content_type), 400, "invalid-option")
    assert problem["option"] == "lattitude"
    assert "Did you mean 'latitude'?" in problem["detail"]
    assert {"latitude", "longitude", "max_distance"} <= set(problem["accepted"])
    assert_nothing_stored(data_dir)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Latitude", "latitude"),
        ("max-distance", "max_distance"),
        ("hasHeader", "has_header"),
        ("lng", None),
        ("", None),
    ],
)
def test_an_option_of_a_similar_name_is_suggested(api: Api, written: str, meant: str | None) -> None:
    detail = problem_of(api.send_form(CSV, **{written: "x"}), 400, "invalid-option")["detail"]
    assert (f"Did you mean {meant!r}?" in detail) if meant else ("Did you mean" not in detail)


@pytest.mark.parametrize("second", [b"lat", b"lon"])
def test_an_option_that_is_twice_in_the_form_is_refused(api: Api, data_dir: Path, second: bytes) -> None:
    response = send_parts(api, part("latitude", b"lat"), part("latitude", second), part("file", CSV, "a.csv"))
    assert problem_of(response, 400, "invalid-option")["option"] == "latitude"
    assert_nothing_stored(data_dir)


def test_an_option_that_is_twice_in_the_query_is_refused(api: Api, data_dir: Path) -> None:
    response = api.post(f"{UPLOADS}?decimal=.&decimal=,", CSV)
    assert problem_of(response, 400, "invalid-option")["option"] == "decimal"
    assert_nothing_stored(data_dir)


def test_an_option_in_the_form_and_in_the_query_is_refused(api: Api, data_dir: Path) -> None:
    body = part("file", CSV, "a.csv") + part("max_distance", b"500") + b"--limit--\r\n"
    response = api.post(f"{UPLOADS}?max_distance=100", body, "multipart/form-data; boundary=limit")
    assert problem_of(response, 400, "invalid-option")["option"] == "max_distance"
    assert_nothing_stored(data_dir)


def test_an_option_may_be_in_the_form_and_another_in_the_query(api: Api) -> None:
    body = part("file", b"a,b\n51.5,-0.1\n", "a.csv") + part("longitude", b"b") + b"--limit--\r\n"
    response = api.post(f"{UPLOADS}?latitude=a", body, "multipart/form-data; boundary=limit")
    assert (response.json()["dialect"]["latitude"], response.json()["dialect"]["longitude"]) == ("a", "b")


# --- query parameters ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "parameter", "meant"),
    [
        ("/api/v1/rows/?outcod=SW1A", "outcod", "outcode"),
        ("/api/v1/rows/?Status=match", "Status", "status"),
        (f"{UPLOADS}?pagesize=10", "pagesize", "page_size"),
    ],
)
def test_a_parameter_that_does_not_exist_is_named_with_those_that_do(
    api: Api, path: str, parameter: str, meant: str
) -> None:
    problem = problem_of(api.get(path), 400, "invalid-parameter")
    assert problem["parameter"] == parameter
    assert f"Did you mean {meant!r}?" in problem["detail"]
    assert {meant, "cursor"} <= set(problem["accepted"])


def test_the_rows_of_one_upload_have_no_other_upload(api: Api) -> None:
    upload = api.upload(CSV)
    problem = problem_of(api.get(f"{UPLOADS}{upload['id']}/rows/", upload=upload["id"]), 400, "invalid-parameter")
    assert problem["parameter"] == "upload"


@pytest.mark.parametrize(
    "path",
    [
        f"{UPLOADS}?page_size=10&page_size=20",
        "/api/v1/rows/?page_size=10&page_size=10",
        "/api/v1/rows/?status=match&status=",
        f"{UPLOADS}{{id}}/rows/?postcode=SW1A1AA&postcode=EH12NG",
        f"{UPLOADS}{{id}}/result.csv?safe=1&safe=0",
    ],
)
def test_a_parameter_that_is_given_twice_is_refused(api: Api, path: str) -> None:
    problem = problem_of(api.get(path.format(id=api.upload(CSV)["id"])), 400, "invalid-parameter")
    assert problem["parameter"] == path.partition("?")[2].partition("=")[0]
    assert "more than once" in problem["detail"]


def test_an_address_without_parameters_says_so(api: Api) -> None:
    problem = problem_of(api.get(f"{UPLOADS}{api.upload(CSV)['id']}/?page_size=10"), 400, "invalid-parameter")
    assert problem["accepted"] == []
    assert "takes none" in problem["detail"]


def test_who_has_no_key_is_asked_for_it_first(settings: Any) -> None:
    settings.AUTH = "required"
    client = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    problem_of(client.get("/api/v1/rows/?nonsense=1"), 401, "key-required")
