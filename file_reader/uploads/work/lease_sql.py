"""The statements that run for every chunk, as text: Django's ORM would take ten times as long to make each.

Times are the database's own. Every statement says the same as the queries of `leases`, which `show_upload` asks with.
"""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

#: In the words of the partial index: with placeholders SQLite would not take it.
IS_OPEN = RawSQL("uploads_chunk.state IN ('ready', 'leased')", (), BooleanField())
#: Django writes times like this to SQLite, with three digits more.
_SQLITE_NOW = "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %s)"
_POSTGRESQL_NOW = "(STATEMENT_TIMESTAMP() + %s)"

_TAKE = """
    UPDATE uploads_chunk SET state = 'leased', fence = fence + 1, attempts = attempts + 1, lease_until = {now},
        worker = %s
    WHERE id = %s AND upload_id IN
        (SELECT id FROM uploads_upload WHERE state IN ('loading', 'geocoding') AND deleted_at IS NULL
         AND paused_at IS NULL)
"""
_RELEASE = """
    UPDATE uploads_chunk SET state = %s, lease_until = NULL, due_at = {now}, attempts = attempts - %s,
        matched = matched + %s, no_match = no_match + %s, failed = failed + %s,
        answered_at = CASE WHEN %s > 0 THEN {now} ELSE answered_at END
    WHERE id = %s AND fence = %s AND state = 'leased'
"""
_IS_COMPLETE = """
    SELECT 1 FROM uploads_upload WHERE id = %s AND state = 'geocoding' AND NOT EXISTS
        (SELECT 1 FROM uploads_chunk WHERE upload_id = uploads_upload.id AND state IN ('ready', 'leased', 'void'))
"""
#: In the order that they had, one behind the other. The price is that of a row.
_STAMP = """
    UPDATE uploads_chunk SET state = 'ready', turn = %s + %s * placed.rows_before
    FROM (SELECT id, sum(row_count) OVER (ORDER BY turn, id) - row_count AS rows_before
          FROM uploads_chunk WHERE upload_id = %s AND state IN ('ready', 'void')) AS placed
    WHERE uploads_chunk.id = placed.id
"""
_STAMPED_ROWS = "SELECT coalesce(sum(row_count), 0) FROM uploads_chunk WHERE upload_id = %s AND state = 'ready'"


def take_chunk(chunk_id: int, lease: timedelta, worker: str) -> bool:
    """Leases a chunk for that long, unless its upload is no longer in work; the caller's transaction has locked it."""
    return _execute(_TAKE, [_from_now(lease), worker, chunk_id]) == 1


def give_back_chunk(
    chunk_id: int, fence: int, *, state: str, delay: timedelta, attempts_back: int, counts: tuple[int, int, int]
) -> bool:
    """Ends a lease, if it still has that fence; adds to the rows that are matched, without a match, and failed."""
    answered, now = sum(counts), _from_now(timedelta(0))
    values = [state, _from_now(delay), attempts_back, *counts, answered, now, chunk_id, fence]
    return _execute(_RELEASE, values) == 1


def stamp_chunks(upload_id: int, *, turn: int, price: int) -> int:
    """Puts the chunks that wait, or left the queue, into it from that turn on; returns the turn after the last one."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, [turn, price, upload_id])
        cursor.execute(_STAMPED_ROWS, [upload_id])
        return turn + price * int(cursor.fetchone()[0])


def is_complete(upload_id: int) -> bool:
    """Whether an upload is loaded, and none of its chunks is open or left the queue by a pause."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_COMPLETE, [upload_id])
        return cursor.fetchone() is not None


def _execute(statement: str, values: list[Any]) -> int:
    now = _SQLITE_NOW if connection.vendor == "sqlite" else _POSTGRESQL_NOW
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{now}", now), values)
        return int(cursor.rowcount)


def _from_now(span: timedelta) -> Any:
    return f"{span.total_seconds():+.3f} seconds" if connection.vendor == "sqlite" else span
