"""Fast bulk reads and writes, one module for each database.

Django's `bulk_create` writes 30,000 rows a second and its `bulk_update` 3,000; what is here is 30 and 200 times as
fast (docs/decisions/0003, 0019). The names read like Django's. Rows come and go as columns: arrays of one length. All
of it runs in the caller's transaction, unless it says otherwise.
"""

from collections.abc import Collection, Sequence
from types import ModuleType
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from uploads.models import AreaNames, MapPart, RowStatus, area_id
from uploads.row_ids import ROW_BITS, row_number
from uploads.rows.bulk import postgresql, sqlite
from uploads.rows.cells import NOWHERE, UNCHANGED, cells_of

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
#: Areas that this process has seen in the database: they never change, and are never removed.
_areas_there: set[int] = set()


class RejectedRow(NamedTuple):
    """A row without a location: why, where in the file it stands, and its text."""

    id: int
    upload_id: int
    reason: str | None
    line: int | None
    raw: str | None


class PendingRows(NamedTuple):
    """Rows that wait for an answer: ids in ascending order, degrees."""

    ids: Ids
    latitudes: Floats
    longitudes: Floats


class Matches(NamedTuple):
    """Rows and what was found for them: ids in ascending order, postcodes (ASCII), metres, areas."""

    ids: Ids
    postcodes: npt.NDArray[np.bytes_]
    distances: Floats
    area_ids: Ids


class Unmatched(NamedTuple):
    """A row that was answered without a postcode."""

    id: int
    status: int
    reason: str | None


def _database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def bulk_create_rows(upload_id: int, pending: PendingRows, rejected: Sequence[RejectedRow] = ()) -> None:
    """Inserts rows of one upload that follow each other, as pending and as rejected, and where they lie on its map. An
    id that is already there is an IntegrityError."""
    if len(pending.ids):
        _database().insert_pending(upload_id, *pending)
    if rejected:
        _database().insert_rejected([(*row, RowStatus.REJECTED.value) for row in rejected])
    if count := len(pending.ids) + len(rejected):
        first = min([*pending.ids[:1].tolist(), *(row.id for row in rejected[:1])])
        cells = np.full(count, NOWHERE, "<u4")
        cells[pending.ids - first] = cells_of(pending.latitudes, pending.longitudes)
        MapPart.objects.create(upload_id=upload_id, first_row=row_number(first), cells=cells.tobytes())


def pending_rows(first_id: int, last_id: int) -> PendingRows:
    """The rows of that range that wait for an answer."""
    return PendingRows(*_database().pending_columns(first_id, last_id))


def bulk_update_results(matches: Matches, others: Sequence[Unmatched]) -> None:
    """Writes the answers of rows that exist and are neighbours, also on the map of their upload, in a transaction that
    the caller has begun."""
    answered = len(matches.ids) + len(others)
    if answered and (written := _database().update_results(matches, others)) != answered:
        raise RuntimeError(f"{written} of {answered} rows were there to take their answers")
    ids = np.concatenate([matches.ids, np.array([row.id for row in others], np.int64)])
    matched = np.full(len(matches.ids), RowStatus.MATCH)
    note_statuses(ids, np.concatenate([matched, np.array([row.status for row in others], np.int64)]))


def note_statuses(ids: Ids, statuses: npt.NDArray[np.int64]) -> None:
    """Has the map of their upload say what became of some rows, which are neighbours: to whoever writes them."""
    if not len(ids):
        return
    first, last = int(ids.min()), int(ids.max())
    said = np.full(last - first + 1, UNCHANGED, np.uint8)
    said[ids - first] = statuses
    MapPart.objects.create(upload_id=first >> ROW_BITS, first_row=row_number(first), statuses=said.tobytes())


def bulk_create_areas(areas: Collection[AreaNames]) -> None:
    """Inserts the areas that are not known yet, in a transaction of its own.

    All chunks have the same few: in a chunk's own transaction, a worker that stands still would hold up all others.
    """
    new = {number: names for names in areas if (number := area_id(names)) not in _areas_there}
    if new:
        with transaction.atomic():
            # In one order, so that two workers that insert the same ones cannot deadlock.
            _database().insert_areas(sorted((number, *names) for number, names in new.items()))
            transaction.on_commit(lambda: _areas_there.update(new))


def forget_areas() -> None:
    """To be called when the database may be another one than before."""
    _areas_there.clear()


def stored_answers(first_id: int, last_id: int, *, located: bool = False) -> tuple[list[Any], ...]:
    """The answers to the rows of that range that are loaded, in order and column by column: the statuses, reasons,
    postcodes, distances in metres, and areas. If `located`, also the latitudes and longitudes in degrees."""
    return cast(tuple[list[Any], ...], _database().stored_answers(first_id, last_id, located=located))


def upload_is_there(upload_id: int) -> bool:
    """Whether an upload has not been deleted. Without the ORM, which takes as long as a thousand rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM uploads_upload WHERE id = %s AND deleted_at IS NULL", [upload_id])
        return cursor.fetchone() is not None
