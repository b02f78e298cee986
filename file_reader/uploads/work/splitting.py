"""A chunk whose workers keep dying is split until the row that does it stands alone."""

import logging

import numpy as np
from django.conf import settings
from django.db.models import Count, Q

from uploads import counters
from uploads.models import Chunk, ChunkState, Row, RowStatus
from uploads.row_ids import row_id, row_range
from uploads.rows.bulk import note_statuses

logger = logging.getLogger(__name__)

#: Half of a chunk that had all its attempts gets this many: the culprit is found by halving, not by patience.
_ATTEMPTS_OF_A_HALF = 2


def split_chunk(chunk: Chunk) -> None:
    """(k, l) Replaces a chunk that used up its attempts by its two halves; a single row is marked failed.

    The caller's transaction holds the chunk's row. The fence is raised: a claimant that still lives is refused.
    """
    chunk.fence += 1
    chunk.lease_until = None
    if chunk.row_count == 1:
        is_pending = Row.objects.filter(status=RowStatus.PENDING, **row_range(chunk.upload_id, chunk.first_row, 1))
        if is_pending.update(status=RowStatus.FAILED, reason="gave_up"):
            row = np.array([row_id(chunk.upload_id, chunk.first_row)])
            note_statuses(row, np.array([RowStatus.FAILED]))
            counters.ROWS.labels("failed").inc()
        chunk.state = ChunkState.DEAD
        _count_rows(chunk)
        counters.CHUNKS.labels("dead").inc()
        logger.error("row failed upload=%s row=%s reason=gave_up", chunk.upload_id, chunk.first_row)
    else:
        half = chunk.row_count // 2
        for first_row, row_count in (
            (chunk.first_row, half),
            (chunk.first_row + half, chunk.row_count - half),
        ):
            part = Chunk(
                upload_id=chunk.upload_id,
                first_row=first_row,
                row_count=row_count,
                turn=chunk.turn,
                attempts=settings.MAX_ATTEMPTS - _ATTEMPTS_OF_A_HALF,
            )
            _count_rows(part)
            part.save(force_insert=True)
        chunk.state = ChunkState.SPLIT
        counters.CHUNKS.labels("split").inc()
        logger.warning("chunk split upload=%s first_row=%s rows=%s", chunk.upload_id, chunk.first_row, chunk.row_count)
    chunk.save()


def _count_rows(chunk: Chunk) -> None:
    counts = Row.objects.filter(**row_range(chunk.upload_id, chunk.first_row, chunk.row_count)).aggregate(
        matched=Count("pk", filter=Q(status=RowStatus.MATCH)),
        no_match=Count("pk", filter=Q(status=RowStatus.NO_MATCH)),
        failed=Count("pk", filter=Q(status=RowStatus.FAILED)),
        rejected=Count("pk", filter=Q(status=RowStatus.REJECTED)),
    )
    for name, count in counts.items():
        setattr(chunk, name, count)
