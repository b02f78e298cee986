"""Which uploads an operator should look at: those that should go on, and do not."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from uploads.models import OPEN_STATES, Chunk, ChunkState, UploadQuerySet, UploadState

#: An open upload no row of which was answered for so long makes no progress.
WITHOUT_PROGRESS = timedelta(minutes=10)


def stuck_uploads(uploads: UploadQuerySet) -> UploadQuerySet:
    """Those of them that are open and not paused, and whose lease ran out with nobody taking over, or no row of which
    was answered for ten minutes."""
    chunks = Chunk.objects.filter(upload=OuterRef("pk"))
    is_abandoned = Q(state=UploadState.LOADING, lease_until__lt=Now()) | Exists(
        chunks.filter(state=ChunkState.LEASED, lease_until__lt=Now())
    )
    long_ago = Now() - WITHOUT_PROGRESS
    makes_no_progress = Q(created_at__lt=long_ago) & ~Exists(chunks.filter(answered_at__gt=long_ago))
    # What is open has no index: the condition leads to the few that are open.
    return uploads.filter(
        is_abandoned | makes_no_progress, state__in=OPEN_STATES, indexed_at=None, paused_at=None, deleted_at=None
    )
