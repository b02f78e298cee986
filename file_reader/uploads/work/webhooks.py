"""What is owed to the webhooks of uploads: written down with the end of an upload, so that no crash can lose it."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models.functions import Now

from uploads import audit
from uploads.models import ENDED_STATES, AuditAction, Delivery, Upload


def bodies_of(uploads: Sequence[Upload]) -> list[str]:
    """The words about uploads, as JSON. Only `web` knows how an upload looks: `uploads.apps` puts its function here."""
    raise NotImplementedError


def announce(upload_ids: Collection[int]) -> None:
    """Owes a delivery to the webhook of each of these uploads that has one; in the transaction in which they end."""
    # Almost always there is none: their ends cost one short look.
    ended = list(Upload.objects.filter(pk__in=upload_ids, state__in=ENDED_STATES).exclude(webhook_url=""))
    if ended:
        Delivery.objects.bulk_create(
            Delivery(upload=upload, event=upload.state, body=body)
            for upload, body in zip(ended, bodies_of(ended), strict=True)
        )


def send_again(delivery: Delivery) -> None:
    """Has a delivery sent once more, with the id that it has; after the last of its attempts, one more."""
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(due_at=Now(), delivered_at=None)
        audit.record(AuditAction.DELIVERY_AGAIN, str(delivery.upload.public_id))
