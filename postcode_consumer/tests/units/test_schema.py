"""The schema has what the view takes: the methods and the query parameters of every public address."""

from collections.abc import Callable
from typing import Any

from tests.calls import PATH

from lookups.web.schema import DOCUMENT
from lookups.web.urls import urlpatterns

Call = Callable[..., Any]


def test_every_public_address_is_described(call: Call) -> None:
    """What is missing belongs in lookups/web/schema.py. `postcodes/` is not passed on: file_reader has that address."""
    ours = {f"/api/v1/{pattern.pattern}" for pattern in urlpatterns} - {"/api/v1/postcodes/<str:postcode>/"}
    assert set(DOCUMENT["paths"]) == ours == {PATH}
    assert {*DOCUMENT["paths"][PATH], "head"} == {*call("GET", PATH).headers["Allow"].lower().split(", ")}


def test_the_schema_has_the_query_parameters_that_the_view_takes(call: Call) -> None:
    problem = call("GET", f"{PATH}?nonsense=1").json()
    said = [one["name"] for one in DOCUMENT["paths"][PATH]["get"]["parameters"] if one["in"] == "query"]
    assert sorted(said) == sorted(problem["accepted"])


def test_the_service_gives_its_part_of_the_schema(call: Call) -> None:
    assert call("GET", "/internal/schema/").json() == DOCUMENT
    assert call("POST", "/internal/schema/").status_code == 405
