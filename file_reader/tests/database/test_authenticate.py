"""`/internal/authenticate/`, as the contract has it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from knox.models import AuthToken
from tests.api import Api
from tests.fake_postcode_consumer import contract

pytestmark = pytest.mark.django_db


def replay(name: str, key: str | None = None) -> tuple[Any, dict[str, Any]]:
    """Sends the example's request, with a key that exists if one is given; returns the answer and the example's."""
    example = contract(f"authenticate/{name}")
    headers = {"Authorization": f"Bearer {key}"} if key else example["request"]["headers"]
    return Api().client.get(example["request"]["path"], headers=headers), example["response"]


def test_a_key_tells_whose_it_is() -> None:
    user = get_user_model().objects.create_user("ann", pk=7)
    _, key = AuthToken.objects.create(user)
    response, expected = replay("known_key", key)
    assert (response.status_code, response.json()) == (expected["status"], expected["body"])


def test_an_unknown_key_is_refused() -> None:
    response, expected = replay("unknown_key")
    assert response.status_code == expected["status"]
    assert response.headers["Content-Type"] == expected["headers"]["Content-Type"]
    assert {**response.json(), "detail": "<any>"} == expected["body"]


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi"])
def test_no_key_is_refused(authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = Api().client.get("/internal/authenticate/", headers=headers)
    assert (response.status_code, response.json()["type"]) == (401, "/problems/key-required")


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Bearer a b", "Bearer " + "x" * 5_000, "Bearer é"])
def test_a_malformed_key_is_refused(authorization: str) -> None:
    response = Api().client.get("/internal/authenticate/", headers={"Authorization": authorization})
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_key_of_a_user_who_was_switched_off_is_refused() -> None:
    user = get_user_model().objects.create_user("ann", is_active=False)
    _, key = AuthToken.objects.create(user)
    assert replay("known_key", key)[0].status_code == 401


def test_a_deleted_key_is_refused() -> None:
    token, key = AuthToken.objects.create(get_user_model().objects.create_user("ann"))
    token.delete()
    assert replay("known_key", key)[0].status_code == 401
