"""`manage.py make_key`."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone
from tests.api import Api

from uploads.models import ApiKey

pytestmark = pytest.mark.django_db


def answer_to(key: str) -> Any:
    return Api().client.get("/internal/authenticate/", headers={"Authorization": f"Bearer {key}"})


def test_the_first_key_needs_no_admin(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_key", "ann", "--create-user")
    out, err = capsys.readouterr()
    key = out.removesuffix("\n")  # alone on stdout, for KEY=$(manage.py make_key …)
    ann = get_user_model().objects.get(username="ann")
    assert answer_to(key).json() == {"user_id": ann.pk, "scopes": ["lookup", "read", "upload"], "key": key[:12]}
    assert key not in err
    assert not ann.has_usable_password()
    assert not ann.is_staff


def test_a_key_has_a_name_scopes_and_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    get_user_model().objects.create_user("ann")
    for _ in range(2):  # of a user as many as are wanted
        call_command("make_key", "ann", "--name", "the map", "--scopes", "read, lookup", "--days", "90")
    key = ApiKey.objects.latest("id")
    assert (key.name, key.scopes, key.last_used_at) == ("the map", ["lookup", "read"], None)
    assert key.ends_at is not None
    assert abs(key.ends_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert answer_to(capsys.readouterr().out.split()[0]).json()["scopes"] == ["lookup", "read"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ben"], "There is no user 'ben'. With --create-user"),
        (["a b!", "--create-user"], "cannot be a user's name"),
        (["ann", "--scopes", "write"], "There are: lookup, read, upload, admin"),
        (["ann", "--scopes", ""], "There are: lookup, read, upload, admin"),
        (["ann", "--days", "0"], "1 to 36500"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], said: str) -> None:
    get_user_model().objects.create_user("ann")
    with pytest.raises(CommandError, match=said):
        call_command("make_key", *arguments)
    assert not ApiKey.objects.exists()
