"""The webhooks of uploads: their words, their deliveries and the secret that they are signed with."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest

from uploads.models import Delivery, Upload
from uploads.rows.bulk.per_call import counts_of
from uploads.web.api.callers import find_upload
from uploads.web.api.pagination import PARAMETERS, NewestFirst, Page
from uploads.web.api.presenters import upload_as_json
from uploads.web.plain_views import Call, plain_view
from uploads.webhook_secrets import replace_secret, secret_of


def bodies_of(uploads: Sequence[Upload]) -> list[str]:
    """Each upload as its GET shows it now, under the address that it was sent to."""
    counts = counts_of(uploads)
    return [
        msgspec.json.encode(upload_as_json(upload, counts[upload.pk], None, _request_to(upload.base_url))).decode()
        for upload in uploads
    ]


def _request_to(base_url: str) -> HttpRequest:
    """A request as the gateway hands it on, for the links."""
    request = HttpRequest()
    request.META["HTTP_X_FORWARDED_PROTO"], _, request.META["HTTP_HOST"] = base_url.rstrip("/").partition("://")
    return request


def _deliveries(call: Call, public_id: UUID) -> dict[str, Any]:
    """What the webhook of an upload was sent, newest first."""
    upload = find_upload(call.owner_id, public_id)
    page = Page(call.request.build_absolute_uri(call.request.path), call.query)
    found = page.read(NewestFirst(Delivery.objects.filter(upload=upload)), id_of=attrgetter("pk"))
    return page.as_json([_as_json(delivery) for delivery in found])


def _as_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.public_id),
        "event": delivery.event,
        "state": delivery.state,
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "delivered_at": delivery.delivered_at,
        "attempts": delivery.attempts,
        "answers": delivery.answers,
    }


def _secret(call: Call) -> dict[str, str]:
    """What the caller's webhooks are signed with."""
    return {"secret": secret_of(call.owner_id)}


def _new_secret(call: Call) -> dict[str, str]:
    """Another one, from now on."""
    return {"secret": replace_secret(call.owner_id)}


deliveries = plain_view(*PARAMETERS, GET=_deliveries)
webhook_secret = plain_view(GET=_secret, POST=_new_secret)
