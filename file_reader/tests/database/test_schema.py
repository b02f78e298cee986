"""The schema has what the views take: the methods and the query parameters of every address."""

import re
from typing import Any

import pytest
from tests.api import Api, problem_of
from tests.database.test_names_of_parameters import addresses

from uploads.web.schema.operations import DOCUMENT

pytestmark = pytest.mark.django_db


def plain(path: str) -> str:
    """With `{}` for what differs, as `addresses` has the ids and one postcode."""
    return re.sub(r"\{\w*\}|SW1A1AA", "{}", path)


def described() -> dict[tuple[str, str], Any]:
    return {
        (method, plain(path)): one for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()
    }


def called() -> dict[tuple[str, str], str]:
    """Every method and address, HEAD left out: it is wherever GET is."""
    return {(method, plain(path)): path for method, path in addresses() if method != "head"}


def test_every_method_of_every_address_is_described_and_no_other() -> None:
    """What is missing belongs in uploads/web/schema/operations.py."""
    assert sorted(described()) == sorted(called())


@pytest.mark.parametrize("operation", called())
def test_the_schema_has_the_query_parameters_that_the_view_takes(api: Api, operation: tuple[str, str]) -> None:
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    path = called()[operation].format(id=upload["id"])
    response = api.client.generic(operation[0].upper(), f"{path}?nonsense=1", b"lat,lon\n51.5,-0.1\n", "text/csv")
    kind = "option" if "option" in response.json() else "parameter"
    accepted = problem_of(response, 400, f"invalid-{kind}")["accepted"]
    said = [one["name"] for one in described()[operation]["parameters"] if one["in"] == "query"]
    assert sorted(said) == sorted(accepted)
