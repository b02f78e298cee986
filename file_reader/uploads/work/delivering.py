"""Sends what webhooks are owed, as Standard Webhooks has it: at least once, with the same id and the same words.

A claim is a lease until `due_at`, and its number of attempts is its fence. All sent at once have their answers within
`CALL_SECONDS`, so a lease needs no renewal.
"""

import asyncio
import hashlib
import hmac
import logging
import random
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from service_kit.database_errors import database_is_away
from service_kit.logs import work_for
from uploads import counters
from uploads.models import Delivery
from uploads.outbound import CallError, called
from uploads.webhook_secrets import secret_of

logger = logging.getLogger(__name__)

#: How long a receiver may take, in seconds, for everything.
CALL_SECONDS = 10.0
#: How long after an attempt the next one comes, in seconds, give or take a fifth; after the last one there is none. It
#: adds up to three days.
WAITS = (60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
_LEASE = timedelta(seconds=60)
_SENT_AT_ONCE = 16
_KEPT_ANSWERS = 10
_GONE = 410


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, to whom and how it is signed."""

    url: str
    public_id: str
    body: bytes
    secret: str


def due_deliveries() -> QuerySet[Delivery]:
    """Those that may be sent now, in no order."""
    return Delivery.objects.filter(due_at__lte=Now(), upload__deleted_at=None)


def deliver_all_due(is_stopping: Callable[[], bool]) -> None:
    """Sends until nothing is due; what goes wrong is logged, and left to the next look. For a thread of its own."""
    try:
        while not is_stopping() and deliver_due():
            pass
    except Exception as error:
        if not database_is_away(error):
            logger.exception("webhooks cannot be sent")
        else:
            logger.warning("database trouble, webhooks are sent later: %s", error)
    finally:
        connection.close()


def deliver_due() -> int:
    """Sends some of what is due, all at once, and writes the answers down; returns how many."""
    claimed = _claim()
    letters = [
        Letter(
            delivery.upload.webhook_url,
            str(delivery.public_id),
            delivery.body.encode(),
            secret_of(delivery.upload.owner_id),
        )
        for delivery in claimed
    ]
    for delivery, answer in zip(claimed, asyncio.run(_send_all(letters)), strict=True):
        with work_for(delivery.upload.request_id):
            _note(delivery, answer)
    return len(claimed)


def _claim() -> list[Delivery]:
    # Almost always there is none: a look takes no lock.
    if not due_deliveries().exists():
        return []
    with transaction.atomic():
        # Whoever does not answer comes behind those that nobody has tried.
        due = due_deliveries().select_related("upload").order_by("attempts", "due_at")
        claimed = list(due.select_for_update(skip_locked=True, of=("self",))[:_SENT_AT_ONCE])
        Delivery.objects.filter(pk__in=[delivery.pk for delivery in claimed]).update(
            due_at=Now() + _LEASE, attempts=F("attempts") + 1
        )
    for delivery in claimed:
        delivery.attempts += 1
    return claimed


async def _send_all(letters: list[Letter]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*map(_send, letters)))


async def _send(letter: Letter) -> dict[str, Any]:
    """The answer, for people: its status, or why there is none. What a receiver says is not read."""
    moment, began = datetime.now(UTC), time.monotonic()
    headers = {"Content-Type": "application/json", "User-Agent": "file_reader", **signed(letter, moment)}
    status, detail = None, ""
    try:
        async with called(
            "POST",
            letter.url,
            seconds=CALL_SECONDS,
            allowed=settings.WEBHOOK_ALLOWED_HOSTS,
            data=letter.body,
            headers=headers,
        ) as answer:
            status = answer.status
    except CallError as error:
        detail = str(error)
    except Exception:  # the others that are sent with it have their answers
        logger.exception("a webhook cannot be sent delivery=%s", letter.public_id)
        detail = "a fault of ours"
    if status is not None and 300 <= status < 400:
        detail = "redirects are not followed"
    milliseconds = round((time.monotonic() - began) * 1_000)
    return {"at": moment.isoformat(), "status": status, "detail": detail, "milliseconds": milliseconds}


def signed(letter: Letter, moment: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0.0, "Webhook metadata" and "Signature scheme"."""
    timestamp = str(int(moment.timestamp()))
    key = b64decode(letter.secret.removeprefix("whsec_"))
    content = f"{letter.public_id}.{timestamp}.".encode() + letter.body
    signature = b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": letter.public_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _note(delivery: Delivery, answer: dict[str, Any]) -> None:
    """Writes an answer down, unless the lease is somebody else's by now."""
    status = answer["status"] or 0
    outcome = "delivered" if 200 <= status < 300 else "refused" if status else "unreachable"
    counters.WEBHOOK_CALLS.labels(outcome).inc()
    after = delivery.attempts - 1
    ended: dict[str, Any] = {"due_at": None}
    if 200 <= status < 300:
        ended["delivered_at"] = Now()
    elif status != _GONE and after < len(WAITS):
        ended["due_at"] = Now() + timedelta(seconds=WAITS[after] * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts).update(
        answers=[*delivery.answers, answer][-_KEPT_ANSWERS:], **ended
    )
    logger.info(
        "webhook sent delivery=%s upload=%s attempt=%s status=%s detail=%s",
        delivery.public_id,
        delivery.upload_id,
        delivery.attempts,
        answer["status"],
        answer["detail"],
    )
