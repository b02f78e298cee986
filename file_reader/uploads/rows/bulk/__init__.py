"""Fast bulk reads and writes, one module for each database.

Django's `bulk_create` writes 30,000 rows a second and its `bulk_update` 3,000; what is here is 10 and 100 times as
fast (docs/decisions/0003). The names read like Django's. All of them run in the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NamedTuple, cast

from django.db import connection

from uploads.models import AreaNames, RowStatus
from uploads.rows.bulk import postgresql, sqlite

#: A row that waits for its answer: id, upload, latitude and longitude in degrees.
LocatedRow = tuple[int, int, float, float]
#: The same as it is looked up: id, latitude, longitude.
PendingRow = tuple[int, float, float]
#: What was found for one row: id, status, reason, postcode, distance in metres, area. Plain tuples, as they are many.
Result = tuple[int, int, str | None, str | None, float | None, int | None]


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
    """Inserts rows of one upload, in order, as pending and as rejected.

    An id that is already there is an IntegrityError.
    """
    if located:
        _database().insert_located([(*row, RowStatus.PENDING.value) for row in located])
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


def stored_results(first_id: int, last_id: int) -> list[Result]:
    """What the database has of the rows of that range, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, status, reason, postcode, distance_m, area_id FROM uploads_row WHERE id BETWEEN %s AND %s"
            " ORDER BY id",
            [first_id, last_id],
        )
        return cast(list[Result], cursor.fetchall())


def bulk_update_results(results: Sequence[Result]) -> None:
    """Writes the results of rows, in the order of their ids; they exist and are neighbours."""
    if results:
        _database().update_results(results)


def bulk_create_areas(areas: Mapping[AreaNames, int]) -> None:
    """Inserts the areas that are not known yet."""
    if areas:
        _database().insert_areas(sorted((area, *names) for names, area in areas.items()))
