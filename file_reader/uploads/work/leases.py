"""The work engine: who may work on what. Claims with a lease and a fence, fenced releases, finishing, sweeping.

The rows of the database are the truth; whatever wakes a worker only says "look". A claim raises the fence, and every
later write of the claimant asks for the fence it was given: a worker that was frozen past its lease finds that it
owns nothing any more. Times are the database's, so that machines with different clocks agree.

The transitions carry the letters of docs/states.md.
"""

import functools
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest, Now

from uploads import counters
from uploads.models import GEOCODABLE_STATES, OPEN_STATES, PENDING_CHUNK_STATES, Chunk, ChunkState, Upload, UploadState
from uploads.work.lease_sql import IS_OPEN, give_back_chunk, is_complete, take_chunk
from uploads.work.minutes import name_of_this_worker
from uploads.work.own_postcodes import compare_own_postcodes
from uploads.work.splitting import split_chunk
from uploads.work.webhooks import announce

logger = logging.getLogger(__name__)

_IN_WORK = Q(upload__state__in=GEOCODABLE_STATES, upload__deleted_at=None, upload__paused_at=None)
#: No pause and no correction of a clock is longer than this, beside the lease itself.
_LONGEST_PAUSE = timedelta(minutes=1)
#: The most uploads of one owner that are loaded at once, by all workers: the files of others find a loader, too. Of two
#: workers that claim at the same moment, each may take the last.
LOADED_OF_AN_OWNER = 4


class LeaseLostError(Exception):
    """Somebody else owns the work now, or it is gone: what was done is thrown away."""


@dataclass(frozen=True)
class ChunkLease:
    """The right to look up the pending rows of a chunk and to write their results, once."""

    chunk_id: int
    upload_id: int
    first_row: int
    row_count: int
    fence: int
    max_distance: float
    #: The upload said that it waits for an answer, when the chunk was claimed.
    upload_waits: bool
    #: How often the chunk was claimed, this time included, without coming to an end.
    attempts: int
    #: Of the request that sent the upload.
    request_id: str = ""


@dataclass(frozen=True)
class LoadLease:
    """The right to load further rows of an upload; renewed with every commit. `attempts` since the last of them."""

    upload_id: int
    fence: int
    attempts: int
    request_id: str = ""


# --- claiming ------------------------------------------------------------------------------------------------------
def claim_chunk() -> ChunkLease | None:
    """(g, h) Claims the first chunk that is due, or whose lease ran out; None when there is none."""
    while True:
        with transaction.atomic():
            found = _first_claimable()
            if found is None:
                return None
            chunk_id, upload_id, first_row, row_count, fence, attempts, max_distance, waiting_since, sent_by = found
            if attempts >= settings.MAX_ATTEMPTS:
                split_chunk(Chunk.objects.get(pk=chunk_id))
                continue
            # The upload is asked again: it may have been cancelled since the statement above began, and whoever
            # cancels it takes back what is leased only as far as he can see it.
            if not take_chunk(chunk_id, settings.LEASE, name_of_this_worker()):
                continue
            return ChunkLease(
                chunk_id=chunk_id,
                upload_id=upload_id,
                first_row=first_row,
                row_count=row_count,
                fence=fence + 1,
                max_distance=max_distance,
                upload_waits=waiting_since is not None,
                attempts=attempts + 1,
                request_id=sent_by,
            )


def _first_claimable() -> tuple[Any, ...] | None:
    """The first of `claimable_chunks`, locked; the query is compiled once."""
    statement, values = _claim_statement(connection.vendor, settings.LEASE)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cast("tuple[Any, ...] | None", cursor.fetchone())


@functools.cache
def _claim_statement(vendor: str, lease: timedelta) -> tuple[str, tuple[Any, ...]]:
    """For that kind of database, and leases of that length."""
    columns = ("pk", "upload_id", "first_row", "row_count", "fence", "attempts")
    of_upload = ("upload__max_distance", "upload__waiting_since", "upload__request_id")
    chunks = claimable_chunks().select_for_update(skip_locked=True, of=("self",)).values_list(*columns, *of_upload)
    statement, values = chunks[:1].query.sql_with_params()
    # Along the index of turns: PostgreSQL takes the states that are asked for to be rarer than they are, and would sort
    # all that is open for every claim.
    return ("SET LOCAL enable_sort = off; " if vendor == "postgresql" else "") + statement, values


def claim_upload(*, at_most_bytes: int | None = None) -> LoadLease | None:
    """(a, b) Claims the first upload that has rows to load and that nobody is loading; None when there is none.

    With `at_most_bytes` only one whose table is not larger.
    """
    # Almost always there is none: a look takes no lock.
    small_enough = Q() if at_most_bytes is None else Q(table_size__lte=at_most_bytes)
    if not uploads_to_load().filter(small_enough).exists():
        return None
    with transaction.atomic():
        upload = claimable_uploads().filter(small_enough).select_for_update(skip_locked=True).first()
        if upload is None:
            return None
        fence = upload.fence + 1
        Upload.objects.filter(pk=upload.pk).update(
            state=UploadState.LOADING,
            started_at=upload.started_at or Now(),
            fence=fence,
            attempts=F("attempts") + 1,
            lease_until=Now() + settings.LEASE,
            worker=name_of_this_worker(),
        )
        return LoadLease(upload.pk, fence, upload.attempts + 1, upload.request_id)


def claimable_chunks() -> QuerySet[Chunk]:
    """The chunks that are due, or whose lease ran out, in the order in which workers take them: by their turns."""
    is_due = Q(state=ChunkState.READY) & is_past("due_at")
    is_abandoned = Q(state=ChunkState.LEASED) & is_past("lease_until")
    chunks = Chunk.objects.select_related("upload")
    return chunks.filter(IS_OPEN, is_due | is_abandoned, _IN_WORK).order_by("turn", "id")


def claimable_uploads() -> QuerySet[Upload]:
    """The uploads that have rows to load and that nobody is loading, in the order in which workers take them: first
    those of owners of whom the fewest are being loaded."""
    loading = Upload.objects.filter(state=UploadState.LOADING, indexed_at=None, deleted_at=None)
    owners = loading.exclude(is_past("lease_until")).exclude(owner=None).values_list("owner", flat=True)
    counts = Counter(owners)  # a few for each worker
    full = [owner for owner, count in counts.items() if count >= LOADED_OF_AN_OWNER]
    whens = [When(owner=owner, then=Value(count)) for owner, count in counts.items()]
    fewest_first = [Case(*whens, default=Value(0))] if whens else []
    return uploads_to_load().exclude(owner__in=full).order_by(*fewest_first, "id")


def uploads_to_load() -> QuerySet[Upload]:
    """The uploads that have rows to load and that nobody is loading, in no order."""
    claimable = Q(state=UploadState.RECEIVED) | Q(state=UploadState.LOADING) & is_past("lease_until")
    # What is open has no index: the condition leads to the few that are open.
    return Upload.objects.filter(claimable, indexed_at=None, deleted_at=None, paused_at=None)


def is_past(moment: str) -> Q:
    """That moment is over, or further ahead than any that is ever set: then the database's clock was set back since,
    and nobody need wait until it has caught up."""
    implausible = 2 * settings.LEASE + _LONGEST_PAUSE
    return Q(**{f"{moment}__lte": Now()}) | Q(**{f"{moment}__gt": Now() + implausible})


# --- releasing: every one of these is fenced -----------------------------------------------------------------------
def release_chunk(
    lease: ChunkLease,
    *,
    state: ChunkState,
    matched: int = 0,
    no_match: int = 0,
    failed: int = 0,
    delay: timedelta = timedelta(0),
    costs_attempt: bool = True,
) -> None:
    """(i, j) Gives a leased chunk back as `done` or `ready`, adding what was answered; first in its transaction.

    Raises LeaseLostError when the lease is somebody else's by now. An outage gives the attempt back.
    """
    attempts_back = 0 if costs_attempt else 1
    counts = matched, no_match, failed
    if not give_back_chunk(
        lease.chunk_id, lease.fence, state=state, delay=delay, attempts_back=attempts_back, counts=counts
    ):
        raise LeaseLostError(f"chunk {lease.chunk_id} is no longer held with fence {lease.fence}")


def advance_upload(
    lease: LoadLease,
    *,
    rows_loaded: int,
    bytes_loaded: int,
    turn: int,
    swapped: int = 0,
    west: int = 0,
    at_sea: int = 0,
    doubt: str = "",
    complete: bool,
) -> None:
    """(c, d) Moves the loading cursor on and renews the lease; first in its transaction.

    Raises LeaseLostError when the lease is somebody else's by now. Progress resets the attempts.
    """
    hit = Upload.objects.filter(pk=lease.upload_id, fence=lease.fence, state=UploadState.LOADING).update(
        rows_loaded=rows_loaded,
        bytes_loaded=bytes_loaded,
        turn=turn,
        rows_swapped=F("rows_swapped") + swapped,
        rows_west=F("rows_west") + west,
        rows_at_sea=F("rows_at_sea") + at_sea,
        **({"doubt": doubt} if doubt else {}),
        attempts=0,
        state=UploadState.GEOCODING if complete else UploadState.LOADING,
        lease_until=None if complete else Now() + settings.LEASE,
    )
    if hit != 1:
        raise LeaseLostError(f"upload {lease.upload_id} is no longer held with fence {lease.fence}")


def renew_upload(lease: LoadLease) -> None:
    """Renews the lease on an upload whose next step has to wait. Raises LeaseLostError as `advance_upload` does."""
    hit = Upload.objects.filter(pk=lease.upload_id, fence=lease.fence, state=UploadState.LOADING).update(
        lease_until=Now() + settings.LEASE
    )
    if hit != 1:
        raise LeaseLostError(f"upload {lease.upload_id} is no longer held with fence {lease.fence}")


def release_upload(lease: LoadLease) -> None:
    """Lets go of an upload that is only partly loaded, so that the next worker need not wait for the lease's end.

    The attempt is given back: this is for workers that stop, and for a database that was away.
    """
    Upload.objects.filter(pk=lease.upload_id, fence=lease.fence, state=UploadState.LOADING).update(
        lease_until=Now(), attempts=Greatest(F("attempts") - 1, 0)
    )


def fail_upload(lease: LoadLease, *, error: dict[str, object]) -> None:
    """(e) Ends the loading of a file that cannot be read any further; the rows before the fault get their answers."""
    Upload.objects.filter(pk=lease.upload_id, fence=lease.fence, state=UploadState.LOADING).update(
        state=UploadState.GEOCODING, error=error, lease_until=None
    )
    logger.warning("upload failed upload=%s type=%s", lease.upload_id, error.get("type"))
    finish_upload(lease.upload_id)  # if no row before the fault is left to do


# --- finishing and sweeping ----------------------------------------------------------------------------------------
def finish_upload(upload_id: int) -> bool:
    """(f) Ends an upload that has no open chunk any more, as `done`, or as `failed` if its file could not be read to
    its end; True for the one caller that did it.

    In a transaction of its own, after the commit of a chunk: inside that transaction, the last two chunks would not
    see each other's and nobody would finish.
    """
    # After most chunks there are others.
    return is_complete(upload_id) and bool(_finish(Upload.objects.filter(pk=upload_id)))


def sweep() -> int:
    """Finishes what a worker did not live to finish. Cheap enough to run every few seconds."""
    return _finish(Upload.objects.all())


def _finish(uploads: QuerySet[Upload]) -> int:
    # Those of a paused upload are void, and not over.
    open_chunks = Chunk.objects.filter(upload=OuterRef("pk"), state__in=PENDING_CHUNK_STATES)
    complete = Upload.objects.filter(~Exists(open_chunks), state=UploadState.GEOCODING, deleted_at=None)
    # Almost always there is none: a look takes no lock.
    if not uploads.filter(pk__in=complete).exists():
        return 0
    with transaction.atomic():
        # Locked first, and looked at again by a statement that begins after that: a retry, which holds the same lock
        # while it opens chunks, comes either before both or after both.
        locked = list(uploads.filter(pk__in=complete).select_for_update().values_list("pk", flat=True))
        if not locked:
            return 0
        hit = complete.filter(pk__in=locked).update(
            state=Case(When(error__isnull=True, then=Value(UploadState.DONE)), default=Value(UploadState.FAILED)),
            finished_at=Now(),
            waiting_since=None,
            paused_at=None,
        )
        compare_own_postcodes(locked)
        announce(locked)
    if hit:
        counters.UPLOADS_ENDED.inc(hit)
        logger.info("uploads ended count=%s", hit)
    return hit


# --- waiting -------------------------------------------------------------------------------------------------------
def note_outage(upload_id: int, *, reason: str, detail: str) -> None:
    """Says on the upload why it waits, and since when: the first outage after the last answer.

    For people only, and in a transaction of its own: nothing that works holds the lock of its upload.
    """
    Upload.objects.filter(pk=upload_id, state__in=OPEN_STATES).update(
        waiting_since=Coalesce("waiting_since", Now()), waiting_reason=reason, waiting_detail=detail
    )


def note_answer(lease: ChunkLease) -> None:
    """Says on the upload that it no longer waits."""
    if lease.upload_waits:
        Upload.objects.filter(pk=lease.upload_id).update(waiting_since=None)
