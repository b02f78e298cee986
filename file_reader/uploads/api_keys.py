"""API keys: random texts, of which only the SHA-256 is stored. Whoever has the text is the key's user.

A plain hash will do: a key has 192 random bits, which nobody guesses, unlike a password.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from uploads import audit
from uploads.models import ApiKey, AuditAction, Scope

#: What a key may do if nobody says otherwise: everything that is usual.
USUAL_SCOPES = (Scope.LOOKUP, Scope.READ, Scope.UPLOAD)
#: Finds a key that somebody has published by mistake.
_MARK = "pck_"
_SHOWN_CHARACTERS = len(_MARK) + 8
_NOTED_AGAIN_AFTER = timedelta(minutes=1)


def make_key(
    user: AbstractBaseUser, *, name: str, scopes: Collection[str], ends_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of this user, and its text, which cannot be had again."""
    text = _MARK + secrets.token_hex(24)
    with transaction.atomic():
        key = ApiKey.objects.create(
            user_id=user.pk,
            name=name,
            prefix=text[:_SHOWN_CHARACTERS],
            digest=_digest(text),
            scopes=[scope for scope in Scope.values if scope in scopes],
            ends_at=ends_at,
        )
        audit.record(AuditAction.KEY_MADE, f"{key.prefix} of {audit.named(user)}")
    return key, text


def delete_key(key: ApiKey) -> None:
    """Takes a key back: it opens no door from now on."""
    with transaction.atomic():
        audit.record(AuditAction.KEY_DELETED, f"{key.prefix} of {audit.named(key.user)}")
        key.delete()


def find_key(text: str) -> ApiKey | None:
    """The key with that text, if it is valid: not at its end, and of a user whom nobody has switched off."""
    valid = Q(ends_at=None) | Q(ends_at__gt=Now())
    found = ApiKey.objects.filter(valid, digest=_digest(text), user__is_active=True)
    return found.select_related("user").order_by().first()


def note_use(key: ApiKey) -> None:
    """Writes down that the key is used, once a minute at most: writing costs more than the check itself."""
    if key.last_used_at is None or key.last_used_at < timezone.now() - _NOTED_AGAIN_AFTER:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
