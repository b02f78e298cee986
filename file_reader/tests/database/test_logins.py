"""Wrong passwords at the admin's login."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.db.models import F
from tests.api import Api

from service_kit.logins.models import FailedLogins
from uploads.models import AuditEntry

LOGIN = "/admin/login/?next=/admin/"
RIGHT = "a-long-password"
HERE, THERE = "192.0.2.7", "192.0.2.8"


class CountingHasher(MD5PasswordHasher):
    """Counts the passwords that are hashed."""

    hashed = 0
    lock = threading.Lock()

    def encode(self, password: str, salt: str) -> str:
        with self.lock:
            CountingHasher.hashed += 1
        return super().encode(password, salt)


@pytest.fixture
def hashed(settings: Any, db: None) -> Callable[[], int]:
    """There are two administrators; gives the number of passwords that were hashed since."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    for name in ("root", "other"):
        get_user_model().objects.create_superuser(name, password=RIGHT)
    before = CountingHasher.hashed
    return lambda: CountingHasher.hashed - before


def log_in(password: str, name: str = "root", address: str = HERE) -> Any:
    form = {"username": name, "password": password}
    return Api().client.post(LOGIN, form, headers={"X-Forwarded-For": f"198.51.100.1, {address}"})


def fail(count: int, **options: str) -> list[int]:
    return [log_in("wrong", **options).status_code for _ in range(count)]


def test_after_five_wrong_passwords_no_further_one_is_looked_at(hashed: Callable[[], int]) -> None:
    assert fail(5) == [200] * 5  # the form, with an error
    assert hashed() == 5
    refused = log_in(RIGHT)
    assert refused.status_code == 429
    assert 880 < int(refused.headers["Retry-After"]) <= 900
    assert "too many failed logins" in refused.content.decode()
    assert "Try again in 15 minutes" in refused.content.decode()
    assert hashed() == 5


@pytest.mark.django_db(transaction=True)
def test_many_attempts_at_once_are_not_more_than_five(hashed: Callable[[], int]) -> None:
    def attempt(number: int) -> int:
        try:
            return log_in(f"guess {number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        answers = sorted(threads.map(attempt, range(24)))
    assert answers == [200] * 5 + [429] * 19
    assert hashed() == 5


def test_others_and_other_addresses_are_not_locked_out(hashed: Callable[[], int]) -> None:
    fail(6)
    assert log_in(RIGHT, name="other").status_code == 302
    assert log_in(RIGHT, address=THERE).status_code == 302
    assert log_in(RIGHT).status_code == 429


def test_names_that_nobody_has_are_locked_out_alike(hashed: Callable[[], int]) -> None:
    assert fail(6, name="nobody") == fail(6) == [200] * 5 + [429]


def test_the_addresses_of_one_network_of_ipv6_are_one(hashed: Callable[[], int]) -> None:
    assert [fail(1, address=f"2001:db8::{number}") for number in range(1, 7)] == [[200]] * 5 + [[429]]
    assert log_in(RIGHT, address="2001:db8:0:1::1").status_code == 302


def test_the_lock_opens_by_itself(hashed: Callable[[], int]) -> None:
    fail(6)
    FailedLogins.objects.update(last_at=F("last_at") - timedelta(minutes=15))
    assert log_in(RIGHT).status_code == 302
    assert not FailedLogins.objects.exists()


def test_a_login_makes_up_for_the_failed_ones_before(hashed: Callable[[], int]) -> None:
    fail(4)
    assert log_in(RIGHT).status_code == 302
    assert fail(5) == [200] * 5


def test_the_log_says_who_and_never_what_was_typed(hashed: Callable[[], int], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fail(1)
    fail(1, name=RIGHT)  # typed into the wrong field
    lines = [record.getMessage() for record in caplog.records if "login" in record.getMessage()]
    assert lines == [
        f"login failed user=root address={HERE} attempt=1 of 5",
        f"login failed user=(unknown) address={HERE} attempt=1 of 5",
    ]
    assert RIGHT not in f"{list(FailedLogins.objects.values())} {list(AuditEntry.objects.values())}"
