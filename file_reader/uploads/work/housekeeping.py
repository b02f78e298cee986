"""What workers clean up between pieces of work: deleted uploads, and files whose request died."""

import logging
from datetime import UTC, datetime

from django.db import transaction

from uploads.files.abandoned import doubtful_files, locked_files, remove_parts
from uploads.files.stored import forget_intent, remove_file
from uploads.models import IndexBlock, SpentRows, Upload
from uploads.row_ids import row_number
from uploads.rows.bulk.usage import DAY
from uploads.rows.filters import rows_of
from uploads.work.indexing import blocks_of

logger = logging.getLogger(__name__)

_PURGE_ROWS = 20_000
_COLLECT_FILES = 100


def purge_deleted() -> bool:
    """(p) Removes one slice of a deleted upload's rows, at last its file and itself; False when nothing is deleted."""
    upload = Upload.objects.filter(deleted_at__isnull=False).order_by("id").first()
    if upload is None:
        return False
    rows = rows_of(upload)
    last = rows.order_by("id").values_list("id", flat=True)[_PURGE_ROWS - 1 : _PURGE_ROWS].first()
    if last is not None:
        rows.filter(id__lte=last)._raw_delete(rows.db)
        blocks_of(upload.pk, 1, row_number(last)).delete()
        return True
    remove_file(upload.public_id)
    with transaction.atomic():
        rows._raw_delete(rows.db)
        IndexBlock.objects.filter(upload=upload).delete()
        if Upload.objects.filter(pk=upload.pk, deleted_at__isnull=False).delete()[0]:
            _keep_spent_rows(upload)
    return True


def _keep_spent_rows(upload: Upload) -> None:
    day = datetime.now(UTC) - DAY
    SpentRows.objects.filter(accepted_at__lte=day).delete()
    if upload.owner_id is not None and upload.created_at > day and upload.rows_loaded:
        SpentRows.objects.create(owner_id=upload.owner_id, accepted_at=upload.created_at, rows=upload.rows_loaded)


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
