"""`/internal/authenticate/`, as the contract has it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone
from tests.api import Api, problem_of
from tests.fake_postcode_consumer import contract
from tests.keys import new_key

from uploads.models import ApiKey
from uploads.web import internal_key_check

pytestmark = pytest.mark.django_db


def replay(name: str, key: str | None = None) -> tuple[Any, dict[str, Any]]:
    """Sends the example's request, with a key that exists if one is given; returns the answer and the example's."""
    example = contract(f"authenticate/{name}")
    headers = {"Authorization": f"Bearer {key}"} if key else example["request"]["headers"]
    return Api().client.get(example["request"]["path"], headers=headers), example["response"]


def test_a_key_tells_whose_it_is() -> None:
    user = get_user_model().objects.create_user("ann", pk=7)
    key = new_key(user, "lookup", "read")
    response, expected = replay("known_key", key)
    assert response.status_code == expected["status"]
    assert {**response.json(), "key": "<any>"} == expected["body"]
    assert key.startswith(response.json()["key"])
    assert len(response.json()["key"]) == 12


def session_of(user: Any) -> str:
    client = Api().client
    client.force_login(user)
    return str(client.session.session_key)


def asked_about(session: str) -> Any:
    return Api().client.get("/internal/authenticate/", headers={"Authorization": f"Session {session}"})


def test_a_session_tells_whose_it_is_and_does_what_is_usual() -> None:
    response = asked_about(session_of(get_user_model().objects.create_user("ann", pk=7)))
    assert response.json() == contract("authenticate/known_session")["response"]["body"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
def test_a_session_ends_with_its_password_and_when_its_user_is_switched_off(change: dict[str, Any]) -> None:
    user = get_user_model().objects.create_user("ann", password="a-long-password")
    session = session_of(user)
    get_user_model().objects.filter(pk=user.pk).update(**change)
    assert asked_about(session).status_code == 401


@pytest.mark.parametrize("session", ["", "knownsessionknownsession", "../../etc/passwd", "é" * 30])
def test_a_session_that_never_was_is_refused(session: str) -> None:
    assert asked_about(session).status_code == 401


def test_a_key_for_everything_says_what_that_is() -> None:
    key = new_key(get_user_model().objects.create_user("ann"), "admin")
    assert replay("known_key", key)[0].json()["scopes"] == ["lookup", "read", "upload", "admin"]


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
    key = new_key(get_user_model().objects.create_user("ann", is_active=False))
    assert replay("known_key", key)[0].status_code == 401


def test_a_key_is_valid_until_its_end_and_then_as_unknown_as_any_other() -> None:
    key = new_key(get_user_model().objects.create_user("ann"))
    ApiKey.objects.update(ends_at=timezone.now() + timedelta(minutes=1))
    assert replay("known_key", key)[0].status_code == 200
    ApiKey.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    problem_of(replay("known_key", key)[0], 401, "unknown-key")


def test_a_user_has_several_keys_and_a_deleted_one_is_refused() -> None:
    ann = get_user_model().objects.create_user("ann")
    old, new = new_key(ann), new_key(ann)
    ApiKey.objects.filter(prefix=old[:12]).delete()
    assert [replay("known_key", key)[0].status_code for key in (old, new)] == [401, 200]


def test_the_last_use_is_written_once_a_minute_and_not_by_every_check(django_assert_num_queries: Any) -> None:
    key = new_key(get_user_model().objects.create_user("ann"))
    replay("known_key", key)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        replay("known_key", key)
    long_ago = first - timedelta(seconds=61)
    ApiKey.objects.update(last_used_at=long_ago)
    replay("known_key", key)
    assert ApiKey.objects.get().last_used_at > long_ago


def test_a_key_is_good_while_its_last_use_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(key: ApiKey) -> None:
        raise OperationalError("database or disk is full")

    key = new_key(get_user_model().objects.create_user("ann"))
    monkeypatch.setattr(internal_key_check, "note_use", full)
    assert replay("known_key", key)[0].status_code == 200


def test_of_a_key_only_a_hash_is_stored() -> None:
    key = new_key(get_user_model().objects.create_user("ann"))
    (stored,) = ApiKey.objects.values_list()
    assert len(key) > 50
    assert key not in repr(stored)
    assert key[12:] not in repr(stored)
