"""What people do to uploads: pause, resume, cancel, retry, delete, also with their owner.

Each is one short transaction; a retry of many chunks is some.
"""

import logging

import numpy as np
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, Min, When
from django.db.models.functions import Greatest, Now

from uploads import audit
from uploads.errors import NotRetryableError, UploadHasEndedError
from uploads.files.stored import remove_results
from uploads.models import (
    OPEN_CHUNK_STATES,
    OPEN_STATES,
    ApiKey,
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
from uploads.rows.bulk import note_statuses
from uploads.work.indexing import give_up_index
from uploads.work.lease_sql import stamp_chunks
from uploads.work.turns import next_turn, price_of_a_row
from uploads.work.wake import wake_workers
from uploads.work.webhooks import announce

logger = logging.getLogger(__name__)

#: The chunks that a retry opens in one transaction: on SQLite nobody else writes meanwhile.
_RETRIED_AT_ONCE = 20


def cancel_upload(upload: Upload) -> None:
    """(m) Ends the work on an upload; rows that have their answer keep it. Cancelling twice changes nothing.

    Raises UploadHasEndedError when it ended in another way.
    """
    with transaction.atomic():
        hit = Upload.objects.filter(pk=upload.pk, state__in=OPEN_STATES).update(
            state=UploadState.CANCELLED, finished_at=Now(), lease_until=None, fence=F("fence") + 1, paused_at=None
        )
        if hit:
            _take_back_leases(Upload.objects.filter(pk=upload.pk))
            announce([upload.pk])
            audit.record(AuditAction.UPLOAD_CANCELLED, str(upload.public_id))
    upload.refresh_from_db()
    if upload.state != UploadState.CANCELLED:
        raise UploadHasEndedError(upload.state, "cancel")


def pause_upload(upload: Upload) -> None:
    """(t) Has nothing more of an upload begun: what is being looked up is finished, a loader is refused. Pausing twice
    changes nothing.

    Raises UploadHasEndedError.
    """
    with transaction.atomic():
        place = next_turn()
        hit = Upload.objects.filter(pk=upload.pk, state__in=OPEN_STATES, paused_at=None, deleted_at=None).update(
            paused_at=Now(),
            # Who loads it loses the lease, and has not failed by that.
            fence=F("fence") + 1,
            attempts=Greatest(F("attempts") - 1, 0),
            lease_until=Case(When(lease_until__isnull=False, then=Now())),
        )
        if hit:
            waiting = Chunk.objects.filter(upload=upload, state=ChunkState.READY)
            turn = waiting.aggregate(first=Min("turn"))["first"]
            behind = Greatest((F("turn") if turn is None else turn) - place, 0)
            Upload.objects.filter(pk=upload.pk).update(turns_behind=behind)
            # Every claim would go past them.
            waiting.update(state=ChunkState.VOID)
            audit.record(AuditAction.UPLOAD_PAUSED, str(upload.public_id))
    _refresh_open(upload, "pause")


def resume_upload(upload: Upload) -> None:
    """(u) Goes on with a paused upload. Its place is as far behind the queue's as when it was paused: it neither
    catches up on what others have had meanwhile, nor gains by a pause. Resuming twice changes nothing.

    Raises UploadHasEndedError.
    """
    with transaction.atomic():
        place = next_turn()
        hit = Upload.objects.filter(
            pk=upload.pk, state__in=OPEN_STATES, paused_at__isnull=False, deleted_at=None
        ).update(paused_at=None)
        if hit:
            upload.refresh_from_db()
            turn = stamp_chunks(upload.pk, turn=place + upload.turns_behind, price=price_of_a_row(upload.owner_id))
            Upload.objects.filter(pk=upload.pk).exclude(state=UploadState.RECEIVED).update(turn=turn)
            audit.record(AuditAction.UPLOAD_RESUMED, str(upload.public_id))
            transaction.on_commit(wake_workers, robust=True)
    _refresh_open(upload, "resume")


def _refresh_open(upload: Upload, what: str) -> None:
    upload.refresh_from_db()
    if upload.state not in OPEN_STATES:
        raise UploadHasEndedError(upload.state, what)


def retry_upload(upload: Upload) -> None:
    """(n) Puts the failed rows of an upload back to work; rows that have an answer are not asked again.

    Raises NotRetryableError while it is loaded, and when it was cancelled.
    """
    with transaction.atomic():
        last = _retry_chunks(upload.pk, after=0)
        audit.record(AuditAction.UPLOAD_RETRIED, str(upload.public_id))
        transaction.on_commit(lambda: remove_results(upload.public_id), robust=True)
    while last is not None:
        try:
            last = _retry_chunks(upload.pk, after=last)
        except (NotRetryableError, Upload.DoesNotExist):  # cancelled, or gone, meanwhile
            break
    transaction.on_commit(wake_workers, robust=True)
    upload.refresh_from_db()


def _retry_chunks(upload_id: int, *, after: int) -> int | None:
    """Opens some chunks that have failed rows, beyond that id; the last of them, None when there is none."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        if upload.deleted_at or upload.state not in (UploadState.DONE, UploadState.FAILED, UploadState.GEOCODING):
            raise NotRetryableError(upload.state)
        ended = Chunk.objects.filter(
            upload=upload, pk__gt=after, failed__gt=0, state__in=[ChunkState.DONE, ChunkState.DEAD]
        )
        chunks = list(ended.order_by("id").select_for_update()[:_RETRIED_AT_ONCE])
        if not chunks:
            return None
        # Behind what the upload has in the queue; the turns of one that has ended are those of another day.
        turn = max(next_turn(), upload.turn if upload.state == UploadState.GEOCODING else 0)
        Upload.objects.filter(pk=upload_id).update(state=UploadState.GEOCODING, finished_at=None, waiting_since=None)
        give_up_index(upload_id)
        price = price_of_a_row(upload.owner_id)
        for chunk in chunks:
            failed = Row.objects.filter(
                status=RowStatus.FAILED, **row_range(upload_id, chunk.first_row, chunk.row_count)
            )
            ids = np.fromiter(failed.values_list("id", flat=True), np.int64)
            note_statuses(ids, np.full(len(ids), RowStatus.PENDING))
            failed.update(status=RowStatus.PENDING, reason=None)
            Chunk.objects.filter(pk=chunk.pk).update(
                state=ChunkState.READY, failed=0, attempts=0, fence=F("fence") + 1, due_at=Now(), turn=turn
            )
            turn += chunk.failed * price
        Upload.objects.filter(pk=upload_id).update(turn=turn)
        return chunks[-1].pk


def delete_upload(upload: Upload) -> None:
    """(o) Hides an upload at once and for good; workers remove its rows and its file. Late results are refused."""
    with transaction.atomic():
        _hide(Upload.objects.filter(pk=upload.pk))


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
        prefixes = ApiKey.objects.filter(user_id=user.pk).values_list("prefix", flat=True)
        audit.record(AuditAction.KEY_DELETED, *(f"{prefix} of {audit.named(user)}" for prefix in prefixes))
        audit.record(AuditAction.USER_DELETED, audit.named(user))
        user_id = user.pk
        user.delete()
    logger.info("user deleted user=%s", user_id)


def _hide(uploads: UploadQuerySet) -> None:
    hidden = list(uploads.filter(deleted_at=None).values_list("pk", "public_id"))
    uploads.filter(deleted_at=None).update(
        deleted_at=Now(), idempotency_key=None, lease_until=None, fence=F("fence") + 1
    )
    _take_back_leases(uploads)
    audit.record(AuditAction.UPLOAD_DELETED, *(str(public_id) for _, public_id in hidden))
    for upload_id, public_id in hidden:
        logger.info("upload deleted upload=%s public_id=%s", upload_id, public_id)
    transaction.on_commit(wake_workers, robust=True)


def _take_back_leases(uploads: UploadQuerySet) -> None:
    # All open chunks, not only the leased ones: one may be about to be claimed, and this waits for the claim's end.
    # None of them stays in the queue, where every claim would go past it.
    Chunk.objects.filter(upload__in=uploads, state__in=OPEN_CHUNK_STATES).update(
        state=ChunkState.VOID, lease_until=None, fence=F("fence") + 1
    )
