"""What is tidied up: by workers what was deleted, beside other work; by `manage.py maintenance` the rest."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from service_kit.maintenance.jobs import remove_sessions
from service_kit.maintenance.running import Job
from uploads import audit
from uploads.files.abandoned import count_doubtful, doubtful_files, locked_files, remove_parts, remove_unused_results
from uploads.files.stored import forget_intent, remove_file
from uploads.models import IndexBlock, MapPart, SpentRows, TotalBlock, Upload
from uploads.row_ids import row_number
from uploads.rows.bulk.usage import DAY
from uploads.rows.filters import rows_of
from uploads.work.commands import delete_upload
from uploads.work.indexing import blocks_of
from uploads.work.minutes import remove_old_minutes

logger = logging.getLogger(__name__)

_PURGE_ROWS = 20_000
_COLLECT_FILES = 100
_EXPIRED_AT_ONCE = 5


def purge_deleted() -> bool:
    """(p) Removes one slice of a deleted upload's rows, at last its file and itself; False when there is none, or
    others are at all of them."""
    deleted = Upload.objects.filter(deleted_at__isnull=False).order_by("deleted_at", "id")
    # Almost always there is none: a look takes no lock.
    if not deleted.exists():
        return False
    with transaction.atomic():
        upload = deleted.select_for_update(skip_locked=True).first()
        if upload is None:
            return False
        is_gone = _purge_slice(upload)
    if is_gone and upload.deleted_at:
        seconds = (timezone.now() - upload.deleted_at).total_seconds()
        logger.info("upload gone upload=%s public_id=%s seconds=%.1f", upload.pk, upload.public_id, seconds)
    return True


def _purge_slice(upload: Upload) -> bool:
    """Whether it was the last one."""
    rows = rows_of(upload)
    last = rows.order_by("id").values_list("id", flat=True)[_PURGE_ROWS - 1 : _PURGE_ROWS].first()
    if last is not None:
        rows.filter(id__lte=last)._raw_delete(rows.db)
        blocks_of(upload.pk, 1, row_number(last)).delete()
        MapPart.objects.filter(upload=upload, first_row__lte=row_number(last)).delete()
        return False
    remove_file(upload.public_id)
    with transaction.atomic():
        rows._raw_delete(rows.db)
        for model in (IndexBlock, TotalBlock, MapPart):
            model.objects.filter(upload=upload).delete()
        if Upload.objects.filter(pk=upload.pk, deleted_at__isnull=False).delete()[0]:
            _keep_spent_rows(upload)
    return True


def _keep_spent_rows(upload: Upload) -> None:
    day = datetime.now(UTC) - DAY
    SpentRows.objects.filter(accepted_at__lte=day).delete()
    if upload.owner_id is not None and upload.created_at > day and upload.rows_loaded:
        SpentRows.objects.create(owner_id=upload.owner_id, accepted_at=upload.created_at, rows=upload.rows_loaded)


def remove_expired(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Deletes the uploads that are over and removes them, some at a time, also where no worker runs."""
    if dry_run:
        return _expired().count() if settings.UPLOAD_KEEP_DAYS else 0
    count = 0
    while not is_over():
        if Upload.objects.filter(deleted_at__isnull=False).exists():
            if not purge_deleted():
                time.sleep(0.05)  # workers are at all of them
        elif deleted := delete_expired():
            count += deleted
        else:
            break
    return count


def delete_expired() -> int:
    """(o) Deletes uploads that ended more than `UPLOAD_KEEP_DAYS` ago, some at a time; returns how many.

    None while others wait to be removed: who deletes an upload need not wait for all that expired that day.
    """
    if not settings.UPLOAD_KEEP_DAYS or Upload.objects.filter(deleted_at__isnull=False).exists():
        return 0
    with transaction.atomic():
        # Locked, and looked at again: somebody may have retried one just now.
        expired = list(_expired().order_by("id").select_for_update(skip_locked=True)[:_EXPIRED_AT_ONCE])
        for upload in expired:
            logger.info("upload expired upload=%s public_id=%s", upload.pk, upload.public_id)
            delete_upload(upload)
    return len(expired)


def _expired() -> QuerySet[Upload]:
    over = Now() - timedelta(days=settings.UPLOAD_KEEP_DAYS)
    return Upload.objects.visible_to(None).filter(finished_at__lt=over)


def remove_abandoned(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """See `collect_abandoned`. A dry run counts the files that may be without an upload: which of them are is known
    when they are locked only."""
    return count_doubtful() if dry_run else collect_abandoned()


def collect_abandoned() -> int:
    """Removes the files that requests left when they died before their upload was committed, and returns how many;
    also results that nobody uses."""
    remove_unused_results()
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


#: One line for each; `service_kit.maintenance.running.Job` says what a job is.
JOBS = (
    Job("expired uploads", remove_expired),
    Job("abandoned files", remove_abandoned),
    Job("old audit entries", audit.forget_old),
    Job("old sessions", remove_sessions),
    Job("old minutes of the charts", remove_old_minutes),
)
