"""What people do to an upload: accept, cancel, retry, delete. Each is one short transaction."""

import logging
import uuid

from django.db import Error, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from reader_config.problems import Problem, database_is_full
from uploads.files.incoming import Incoming, doubtful_files, forget_intent, locked_files, remove_file, remove_parts
from uploads.models import (
    OPEN_CHUNK_STATES,
    OPEN_STATES,
    Chunk,
    ChunkState,
    Row,
    RowStatus,
    Upload,
    UploadState,
    row_range,
)
from uploads.reading.detecting.dialect import Dialect
from uploads.rows.filters import cells_of, postcode_lists_of, rows_of
from uploads.work.wake import wake_workers

logger = logging.getLogger(__name__)

_PURGE_ROWS = 20_000
_COLLECT_FILES = 100


def accept_upload(
    *,
    sent: Incoming,
    table: Incoming,
    filename: str,
    dialect: Dialect,
    max_distance: float,
    owner_id: int | None,
    idempotency_key: str | None,
) -> Upload:
    """Keeps a file that arrived whole, and its upload; when this returns, both are on disk.

    `sent` is what came, `table` what is kept: the same, or its content without gzip or zip.

    The same Idempotency-Key (with its owner, see `scoped_key`) with the same file and options gives the upload that is
    already there; with others it is a Problem (422).
    """
    new = Upload(
        public_id=uuid.uuid4(),
        owner_id=owner_id,
        idempotency_key=idempotency_key,
        filename=filename,
        size=sent.size,
        table_size=table.size,
        sha256=sent.sha256,
        dialect=dialect.as_json(),
        max_distance=max_distance,
    )
    if known := _known_upload(new):
        return known
    table.keep(new.public_id)
    inserted = False
    try:
        with transaction.atomic():
            new.save(force_insert=True)
            inserted = True
    except Error as error:
        # After other errors of the commit it may have happened. A file without an upload is waste, and is collected;
        # an upload without its file would be a loss.
        if not inserted or isinstance(error, IntegrityError) or database_is_full(error):
            remove_file(new.public_id)
        if isinstance(error, IntegrityError) and (known := _known_upload(new)):
            return known
        raise
    transaction.on_commit(wake_workers, robust=True)
    new.refresh_from_db()
    logger.info("upload accepted upload=%s public_id=%s size=%s", new.pk, new.public_id, new.size)
    return new


def scoped_key(owner_id: int | None, key: str) -> str:
    """An Idempotency-Key together with whose it is: one unique index serves callers with and without an owner."""
    return f"{owner_id or 0}:{key}"


def _known_upload(new: Upload) -> Upload | None:
    """The upload that came with the same Idempotency-Key before, if any; a Problem if it was another request."""
    if new.idempotency_key is None:
        return None
    known = Upload.objects.filter(idempotency_key=new.idempotency_key).first()
    asked = (new.sha256, new.dialect, new.max_distance)
    if known is not None and (known.sha256, known.dialect, known.max_distance) != asked:
        raise Problem(
            "idempotency-key-reused",
            "The Idempotency-Key was used for another upload",
            status=422,
            detail="An upload with this Idempotency-Key has another file or other options. Use a new key for it.",
        )
    return known


def cancel_upload(upload: Upload) -> None:
    """(m) Ends the work on an upload; rows that have their answer keep it. Cancelling twice changes nothing."""
    with transaction.atomic():
        hit = Upload.objects.filter(pk=upload.pk, state__in=OPEN_STATES).update(
            state=UploadState.CANCELLED, finished_at=Now(), lease_until=None, fence=F("fence") + 1
        )
        if hit:
            _take_back_leases(upload.pk)
    upload.refresh_from_db()
    if upload.state != UploadState.CANCELLED:
        raise Problem(
            "upload-has-ended",
            "The upload has ended already",
            status=409,
            detail=f"The upload is {upload.state}: there is nothing left to cancel.",
        )


def retry_upload(upload: Upload) -> None:
    """(n) Puts the failed rows of an upload back to work; rows that have an answer are not asked again."""
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.state not in (UploadState.DONE, UploadState.FAILED, UploadState.GEOCODING):
            raise Problem(
                "upload-not-retryable",
                "This upload has no failed rows to retry",
                status=409,
                detail=f"The upload is {locked.state}. Failed rows can be retried once it is done.",
            )
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


def purge_deleted() -> bool:
    """(p) Removes one slice of a deleted upload's rows, at last its file and itself; False when nothing is deleted."""
    upload = Upload.objects.filter(deleted_at__isnull=False).order_by("id").first()
    if upload is None:
        return False
    rows, *lists = rows_of(upload), cells_of(upload), postcode_lists_of(upload)
    last = rows.order_by("id").values_list("id", flat=True)[_PURGE_ROWS - 1 : _PURGE_ROWS].first()
    if last is not None:
        with transaction.atomic():
            rows.filter(id__lte=last)._raw_delete(rows.db)
            for each in lists:
                each.filter(first_id__lte=last)._raw_delete(each.db)
        return True
    remove_file(upload.public_id)
    with transaction.atomic():
        rows._raw_delete(rows.db)
        for each in lists:
            each._raw_delete(each.db)
        Upload.objects.filter(pk=upload.pk, deleted_at__isnull=False).delete()
    return True


def collect_abandoned() -> int:
    """Removes the files that requests left when they died before their upload was committed; returns how many."""
    count = remove_parts()
    for ids in doubtful_files(_COLLECT_FILES):
        # Locked first: a request that holds its file may commit right after the database has said no.
        with locked_files(ids) as held:
            known = set(Upload.objects.filter(public_id__in=held).values_list("public_id", flat=True))
            for public_id in held & known:
                forget_intent(public_id)
            for public_id in held - known:
                remove_file(public_id)
                count += 1
    if count:
        logger.info("abandoned files collected count=%s", count)
    return count
