"""Logins by password, a few wrong ones at most.

Attempts are counted before the password is looked at: many at once do not get past the limit, and one that is refused
costs no hashing, which takes a large part of a second of CPU.
"""

import ipaddress
import logging
import math
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from service_kit.logins.models import FailedLogins
from service_kit.request_ids import client_address

logger = logging.getLogger(__name__)

MAX_FAILURES = 5
COOL_OFF = timedelta(minutes=15)


class LockedOutError(Exception):
    """Too many logins failed; `seconds` is how long there will be no further attempt."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed logins. The next attempt may be made in {seconds} s.")
        self.seconds = seconds


class LimitedBackend(ModelBackend):
    """Django's, but after `MAX_FAILURES` failed logins to one name from one address there is none for `COOL_OFF`.

    Name and address together, so that nobody can lock out others by failing in their name.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Raises LockedOutError."""
        if request is None:  # no login: somebody's program
            return super().authenticate(request, username=username, password=password, **kwargs)
        address, name = client_address(request), username or ""
        who = salted_hmac("service_kit.logins", f"{_network(address)} {name}", algorithm="sha256").hexdigest()
        count = _count_attempt(who)
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            FailedLogins.objects.filter(pk=who).delete()
        else:
            is_known = get_user_model()._default_manager.filter(username=name).exists()
            # Somebody who does not exist may be a password that was typed into the wrong field.
            shown = name if is_known else "(unknown)"
            logger.warning("login failed user=%s address=%s attempt=%s of %s", shown, address, count, MAX_FAILURES)
        return user


@transaction.atomic
def _count_attempt(who: str) -> int:
    """The number of this attempt. Raises LockedOutError."""
    now = timezone.now()
    FailedLogins.objects.filter(last_at__lt=now - COOL_OFF).delete()
    failed, _ = FailedLogins.objects.select_for_update().get_or_create(pk=who, defaults={"last_at": now})
    if failed.count >= MAX_FAILURES:
        raise LockedOutError(math.ceil((failed.last_at + COOL_OFF - now).total_seconds()))
    failed.count, failed.last_at = failed.count + 1, now
    failed.save()
    return failed.count


def _network(address: str | None) -> str:
    """Whose address it is, as far as can be told: everybody has millions of addresses of IPv6."""
    if address is None:
        return ""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
