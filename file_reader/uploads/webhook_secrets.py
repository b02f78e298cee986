"""The secrets of webhooks: one for each owner, and one for the uploads of nobody in particular (AUTH=off)."""

import secrets
from base64 import b64encode

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from uploads import audit
from uploads.models import AuditAction, WebhookSecret

_BYTES = 24


def secret_of(owner_id: int | None) -> str:
    """The secret, as Standard Webhooks writes it; made when it is asked for the first time."""
    return WebhookSecret.objects.get_or_create(owner_id=owner_id, defaults={"secret": _new()})[0].secret


def replace_secret(owner_id: int | None) -> str:
    """A new secret: from now on nothing is signed with the old one."""
    secret = _new()
    with transaction.atomic():
        WebhookSecret.objects.update_or_create(owner_id=owner_id, defaults={"secret": secret, "made_at": Now()})
        owner = get_user_model().objects.filter(pk=owner_id or 0).first()
        audit.record(AuditAction.SECRET_REPLACED, audit.named(owner) if owner else "")
    return secret


def _new() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_BYTES)).decode()
