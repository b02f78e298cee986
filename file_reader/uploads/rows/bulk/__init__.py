"""Fast bulk reads and writes, one module for each database.

Django's `bulk_create` writes 30,000 rows a second and its `bulk_update` 3,000; what is here is 10 and 100 times as
fast (docs/decisions/0003). The names read like Django's. All of them run in the caller's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import ModuleType
from typing import Any, NamedTuple, cast

from django.db import connection
from django.db.models.expressions import RawSQL

from uploads.models import AreaNames, RowStatus
from uploads.rows.bulk import postgresql, sqlite
from uploads.rows.by_place import entries_by_cell
from uploads.rows.by_postcode import entries_by_postcode_area

#: A row that waits for its answer: id, upload, latitude and longitude in degrees.
LocatedRow = tuple[int, int, float, float]
#: The same as it is looked up: id, latitude, longitude.
PendingRow = tuple[int, float, float]
#: What was found for one row: id, status, reason, postcode, distance in metres, area. Plain tuples, as they are many.
Result = tuple[int, int, str | None, str | None, float | None, int | None]
#: What the answer says about a postcode: its text, its area, its position in degrees.
PostcodeDetails = tuple[str, int, float | None, float | None]


class RejectedRow(NamedTuple):
    """A row without a location: why, where in the file it stands, and its text."""

    id: int
    upload_id: int
    reason: str | None
    line: int | None
    raw: str | None


def _database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def bulk_create_rows(located: Sequence[LocatedRow], rejected: Sequence[RejectedRow] = ()) -> None:
    """Inserts rows of one upload, in order, as pending and as rejected, and where they are.

    An id that is already there is an IntegrityError.
    """
    if located:
        _database().insert_located([(*row, RowStatus.PENDING.value) for row in located])
        _database().insert_lists("uploads_locationcell (first_id, cell, entries)", entries_by_cell(located))
    if rejected:
        _database().insert_rejected([(*row, RowStatus.REJECTED.value) for row in rejected])


def pending_rows(first_id: int, last_id: int) -> list[PendingRow]:
    """The rows of that range that wait for an answer, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, latitude, longitude FROM uploads_row WHERE id BETWEEN %s AND %s AND status = %s ORDER BY id",
            [first_id, last_id, RowStatus.PENDING.value],
        )
        return cast(list[PendingRow], cursor.fetchall())


def these(ids: Sequence[int]) -> RawSQL:
    """For `id__in`: however many ids, in one parameter."""
    return cast(RawSQL, _database().these(ids))


def bulk_update_results(results: Sequence[Result]) -> None:
    """Writes the results of rows, in the order of their ids, and the lists of those that have a postcode now.

    The rows exist, have no postcode yet, and are neighbours: the caller sees to it.
    """
    if results:
        _database().update_results(results)
    matched = [result for result in results if result[3] is not None]
    lists = entries_by_postcode_area([result[0] for result in matched], [cast(str, result[3]) for result in matched])
    if lists:
        _database().insert_lists("uploads_postcodelist (first_id, postcode_area, entries)", lists)


def bulk_create_areas(areas: Mapping[AreaNames, int]) -> None:
    """Inserts the areas that are not known yet, in one order as the postcodes."""
    if areas:
        _database().insert_areas(sorted((area, *names) for names, area in areas.items()))


def bulk_create_postcodes(postcodes: Iterable[PostcodeDetails]) -> None:
    """Inserts the postcodes that are not known yet.

    Sorted, so that two workers that insert the same ones wait for each other in the same order and cannot deadlock.
    """
    if rows := sorted(postcodes, key=itemgetter(0)):
        _database().insert_postcodes(rows)


def stored_answers(first_id: int, last_id: int) -> tuple[list[Any], ...]:
    """The answers to the rows of that range that are loaded, in order and column by column: the statuses, reasons,
    postcodes, distances in metres, and areas."""
    return cast(tuple[list[Any], ...], _database().stored_answers(first_id, last_id))


def upload_is_there(upload_id: int) -> bool:
    """Whether an upload has not been deleted. Without the ORM, which takes as long as a thousand rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM uploads_upload WHERE id = %s AND deleted_at IS NULL", [upload_id])
        return cursor.fetchone() is not None
