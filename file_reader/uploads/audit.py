"""The audit log: who did what, when, and from where. Never coordinates, keys, passwords or the content of files.

An entry is written in the transaction of what it tells of, where there is one: what was rolled back never was.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils import timezone

from service_kit.logs import request_id
from uploads.models import AuditAction, AuditEntry, AuditVia

_FORGOTTEN_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: by default this service itself, or somebody at its command line."""

    via: AuditVia = AuditVia.SERVER
    user_id: int | None = None
    #: The beginning of the API key.
    key: str = ""
    address: str | None = None


#: Says who the caller of the current request is. Asked only when there is something to record.
current_caller: ContextVar[Callable[[], Caller]] = ContextVar("current_caller", default=Caller)


def named(user: AbstractBaseUser) -> str:
    """A user, as entries name them: the number stays when they are deleted."""
    return f"{user.get_username()[:100]} (user {user.pk})"


def record(action: AuditAction, *objects: str, user_id: int | None = None) -> None:
    """One entry for each of these objects; `user_id` is for a caller who is not known yet."""
    caller = current_caller.get()()
    AuditEntry.objects.bulk_create(
        AuditEntry(
            action=action,
            object=name,
            via=caller.via,
            user_id=caller.user_id or user_id,
            key=caller.key,
            address=caller.address,
            request_id=request_id.get(),
        )
        for name in objects
    )


def forget_old(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Removes entries that are older than AUDIT_KEEP_DAYS, some thousands at once, oldest first."""
    limit = timezone.now() - timedelta(days=settings.AUDIT_KEEP_DAYS)
    if dry_run:
        return AuditEntry.objects.filter(at__lt=limit).count()
    count = 0
    while not is_over():
        # The oldest have the smallest ids, so no index has to be kept for this.
        oldest = AuditEntry.objects.order_by("id").values_list("id", "at")[:_FORGOTTEN_AT_ONCE]
        old = [pk for pk, at in oldest if at < limit]
        if not old:
            break
        count += AuditEntry.objects.filter(id__lte=old[-1], at__lt=limit).delete()[0]
    return count


def record_logins() -> None:
    """Has logins to the admin recorded, and those that fail."""
    user_logged_in.connect(_logged_in, dispatch_uid="audit")
    user_login_failed.connect(_login_failed, dispatch_uid="audit")


def _logged_in(*, user: Any, **_: Any) -> None:
    record(AuditAction.LOGIN, user.get_username(), user_id=user.pk)


def _login_failed(*, credentials: dict[str, Any], **_: Any) -> None:
    # Only the name of somebody who exists: people type their password into the wrong field.
    user = get_user_model().objects.filter(username=credentials.get("username") or "").first()
    record(AuditAction.LOGIN_FAILED, user.get_username() if user else "", user_id=user.pk if user else None)
