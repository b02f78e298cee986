"""What people do to uploads: cancel, retry, delete, also with their owner. Each is one short transaction."""

import logging

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from uploads import audit
from uploads.errors import NotRetryableError, UploadHasEndedError
from uploads.models import (
    OPEN_CHUNK_STATES,
    OPEN_STATES,
    AuditAction,
    Chunk,
    ChunkState,
    Row,
    RowStatus,
    Upload,
    UploadQuerySet,
    UploadState,
)
from uploads.row_ids import row_range
from uploads.work.indexing import give_up_index
from uploads.work.wake import wake_workers

logger = logging.getLogger(__name__)


def cancel_upload(upload: Upload) -> None:
    """(m) Ends the work on an upload; rows that have their answer keep it. Cancelling twice changes nothing.

    Raises UploadHasEndedError when it ended in another way.
    """
    with transaction.atomic():
        hit = Upload.objects.filter(pk=upload.pk, state__in=OPEN_STATES).update(
            state=UploadState.CANCELLED, finished_at=Now(), lease_until=None, fence=F("fence") + 1
        )
        if hit:
            _take_back_leases(Upload.objects.filter(pk=upload.pk))
            audit.record(AuditAction.UPLOAD_CANCELLED, str(upload.public_id))
    upload.refresh_from_db()
    if upload.state != UploadState.CANCELLED:
        raise UploadHasEndedError(upload.state)


def retry_upload(upload: Upload) -> None:
    """(n) Puts the failed rows of an upload back to work; rows that have an answer are not asked again.

    Raises NotRetryableError while it is loaded, and when it was cancelled.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.state not in (UploadState.DONE, UploadState.FAILED, UploadState.GEOCODING):
            raise NotRetryableError(locked.state)
        ended = Chunk.objects.filter(upload=upload, failed__gt=0, state__in=[ChunkState.DONE, ChunkState.DEAD])
        chunks = list(ended.select_for_update())
        for chunk in chunks:
            Row.objects.filter(
                status=RowStatus.FAILED, **row_range(upload.pk, chunk.first_row, chunk.row_count)
            ).update(status=RowStatus.PENDING, reason=None)
            Chunk.objects.filter(pk=chunk.pk).update(
                state=ChunkState.READY, failed=0, attempts=0, fence=F("fence") + 1, due_at=Now()
            )
        if chunks:
            Upload.objects.filter(pk=upload.pk).update(
                state=UploadState.GEOCODING, finished_at=None, waiting_since=None
            )
            give_up_index(upload.pk)
        audit.record(AuditAction.UPLOAD_RETRIED, str(upload.public_id))
    transaction.on_commit(wake_workers, robust=True)
    upload.refresh_from_db()


def delete_upload(upload: Upload) -> None:
    """(o) Hides an upload at once and for good; a worker removes its rows and its file. Late results are refused."""
    with transaction.atomic():
        _hide(Upload.objects.filter(pk=upload.pk))
    logger.info("upload deleted upload=%s", upload.pk)


def delete_user(user: AbstractBaseUser) -> None:
    """(o) Removes a user with their keys, and hides their uploads as `delete_upload` does.

    However many rows there are, it is done at once. An upload that is deleted needs no owner: nobody sees it.
    """
    with transaction.atomic():
        # An upload of theirs that is just being accepted waits for this lock, and then has no owner and is refused.
        type(user)._default_manager.select_for_update().get(pk=user.pk)
        uploads = Upload.objects.filter(owner_id=user.pk)
        _hide(uploads)
        uploads.update(owner=None)
        audit.record(AuditAction.USER_DELETED, user.get_username())
        user_id = user.pk
        user.delete()
    logger.info("user deleted user=%s", user_id)


def _hide(uploads: UploadQuerySet) -> None:
    shown = uploads.filter(deleted_at=None)
    public_ids = [str(public_id) for public_id in shown.values_list("public_id", flat=True)]
    shown.update(deleted_at=Now(), idempotency_key=None, lease_until=None, fence=F("fence") + 1)
    _take_back_leases(uploads)
    audit.record(AuditAction.UPLOAD_DELETED, *public_ids)


def _take_back_leases(uploads: UploadQuerySet) -> None:
    # All open chunks, not only the leased ones: one may be about to be claimed, and this waits for the claim's end.
    Chunk.objects.filter(upload__in=uploads, state__in=OPEN_CHUNK_STATES).update(
        state=ChunkState.READY, lease_until=None, fence=F("fence") + 1
    )
