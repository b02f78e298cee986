"""What people do to an upload: cancel, retry, delete. Each is one short transaction."""

import logging

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from uploads.errors import NotRetryableError, UploadHasEndedError
from uploads.models import OPEN_CHUNK_STATES, OPEN_STATES, Chunk, ChunkState, Row, RowStatus, Upload, UploadState
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
            _take_back_leases(upload.pk)
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
    transaction.on_commit(wake_workers, robust=True)
    upload.refresh_from_db()


def delete_upload(upload: Upload) -> None:
    """(o) Hides an upload at once and for good; a worker removes its rows and its file. Late results are refused."""
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(
            deleted_at=Now(), idempotency_key=None, lease_until=None, fence=F("fence") + 1
        )
        _take_back_leases(upload.pk)
    logger.info("upload deleted upload=%s", upload.pk)


def _take_back_leases(upload_id: int) -> None:
    # All open chunks, not only the leased ones: one may be about to be claimed, and this waits for the claim's end.
    Chunk.objects.filter(upload=upload_id, state__in=OPEN_CHUNK_STATES).update(
        state=ChunkState.READY, lease_until=None, fence=F("fence") + 1
    )
