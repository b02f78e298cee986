"""The row index and the totals of uploads that have ended: written once, segment by segment, under the upload's lease.

Nobody waits for it: until it is all there, the upload's rows are walked through. The transitions carry the letters of
docs/states.md.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from uploads.models import ENDED_STATES, IndexBlock, IndexKind, TotalBlock, TotalKind, Upload
from uploads.rows.bulk.index import bulk_create_blocks, row_columns
from uploads.rows.index import segment_blocks
from uploads.rows.totals import replace_totals, totals_of_segment, totals_of_upload
from uploads.work.leases import LeaseLostError, is_past

logger = logging.getLogger(__name__)

_WITHOUT_INDEX = Q(indexed_at=None, deleted_at=None, state__in=ENDED_STATES)


@dataclass(frozen=True)
class IndexLease:
    """The right to write the row index of an upload; renewed with every segment."""

    upload_id: int
    fence: int
    rows_indexed: int
    rows_loaded: int
    request_id: str = ""


def claim_index() -> IndexLease | None:
    """(q) Claims the first upload that has ended, has no index and that nobody is writing one for; None when there is
    none."""
    while True:
        upload = claimable_indexes().only("fence", "rows_indexed", "rows_loaded", "request_id").first()
        if upload is None:
            return None
        # Of two that have seen it, one still finds its fence.
        hit = Upload.objects.filter(_WITHOUT_INDEX, pk=upload.pk, fence=upload.fence).update(
            fence=F("fence") + 1, lease_until=Now() + settings.LEASE
        )
        if hit:
            fence = upload.fence + 1
            return IndexLease(upload.pk, fence, upload.rows_indexed, upload.rows_loaded, upload.request_id)


def claimable_indexes() -> QuerySet[Upload]:
    """The uploads that have ended, have no index and that nobody is writing one for, in the order of claims."""
    return Upload.objects.filter(_WITHOUT_INDEX, Q(lease_until=None) | is_past("lease_until")).order_by("id")


def write_segment(lease: IndexLease) -> IndexLease | None:
    """(r, s) Writes the next segment, in a short transaction, and after the last one the totals; the lease for what is
    next, None when all is there.

    Raises LeaseLostError when the lease is somebody else's by now, or the upload was opened again or deleted.
    """
    if lease.rows_indexed == lease.rows_loaded:
        _write_totals(lease)
        return None
    first_row = lease.rows_indexed + 1
    last_row = min(lease.rows_indexed + settings.INDEX_SEGMENT_ROWS, lease.rows_loaded)
    columns = row_columns(lease.upload_id, first_row, last_row)
    if len(columns.statuses) != last_row - lease.rows_indexed:
        raise LeaseLostError(f"rows of upload {lease.upload_id} are gone")
    blocks = list(segment_blocks(columns, first_row))
    totals = totals_of_segment(columns)
    with transaction.atomic():
        _advance(lease, rows_indexed=last_row, lease_until=Now() + settings.LEASE)
        # Of an index that was given up.
        blocks_of(lease.upload_id, first_row, last_row).delete()
        of_segment = TotalBlock.objects.filter(upload=lease.upload_id, kind=TotalKind.SEGMENT)
        of_segment.filter(first__gte=first_row, first__lte=last_row).delete()
        bulk_create_blocks(lease.upload_id, first_row, blocks)
        of_segment.create(upload_id=lease.upload_id, kind=TotalKind.SEGMENT, first=first_row, body=totals)
    return replace(lease, rows_indexed=last_row)


def _write_totals(lease: IndexLease) -> None:
    totals, reasons = totals_of_upload(lease.upload_id, lease.rows_loaded)
    with transaction.atomic():
        _advance(lease, lease_until=None, indexed_at=Now(), reasons=reasons)
        replace_totals(lease.upload_id, totals)
    logger.info("upload indexed upload=%s rows=%s", lease.upload_id, lease.rows_loaded)


def _advance(lease: IndexLease, **moved: Any) -> None:
    hit = Upload.objects.filter(_WITHOUT_INDEX, pk=lease.upload_id, fence=lease.fence).update(**moved)
    if hit != 1:
        raise LeaseLostError(f"the index of upload {lease.upload_id} is no longer held with fence {lease.fence}")


def release_index(lease: IndexLease) -> None:
    """Lets go of an index that is only partly written, so that the next worker need not wait for the lease's end."""
    Upload.objects.filter(_WITHOUT_INDEX, pk=lease.upload_id, fence=lease.fence).update(lease_until=Now())


def give_up_index(upload_id: int) -> None:
    """(n) In the transaction that opens the upload again: its rows will change. Whoever writes an index is refused.

    The blocks stay, unseen, until they are written anew: there may be many of them, and somebody waits for the retry.
    """
    Upload.objects.filter(pk=upload_id).update(
        rows_indexed=0, indexed_at=None, reasons=None, lease_until=None, fence=F("fence") + 1
    )


def blocks_of(upload_id: int, first_row: int, last_row: int) -> QuerySet[IndexBlock]:
    """The blocks of the segments that begin within these rows."""
    # All kinds are named for the primary key's sake.
    return IndexBlock.objects.filter(
        upload=upload_id, kind__in=IndexKind.values, segment__gte=first_row, segment__lte=last_row
    )
