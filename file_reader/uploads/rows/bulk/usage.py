"""How much of the service is used, by an owner and by all: one statement before a body is read."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from django.db import connection

#: An upload that is not read yet counts one row for so many bytes.
BYTES_PER_ROW = 50
#: The rows of uploads that were accepted within this time are the rows of a day.
DAY = timedelta(days=1)

_IS_OPEN = "state IN ('received', 'loading', 'geocoding') AND deleted_at IS NULL"
#: What a deleted upload had counts until it is gone: its file, and for a day its rows, are there nevertheless.
_USED = {
    "open_uploads": f"SELECT count(*) FROM uploads_upload WHERE owner_id = %(owner)s AND {_IS_OPEN}",  # noqa: S608 - no input
    "stored_bytes": "SELECT coalesce(sum(table_size), 0) FROM uploads_upload WHERE owner_id = %(owner)s",
    # What is not read yet counts, too: else all that is sent at once would pass.
    "rows_per_day": f"""
        SELECT coalesce(sum(rows_loaded + CASE WHEN state IN ('received', 'loading') AND deleted_at IS NULL
                                          THEN (table_size - bytes_loaded) / {BYTES_PER_ROW} ELSE 0 END), 0)
               + (SELECT coalesce(sum(spent.rows), 0) FROM uploads_spentrows AS spent
                  WHERE spent.owner_id = %(owner)s AND spent.accepted_at > %(day)s)
        FROM uploads_upload WHERE owner_id = %(owner)s AND created_at > %(day)s
    """,  # noqa: S608 - no input
}
#: The chunks that have work left, and the bytes that no loader has read. What is paused waits for its owner. The plus
#: has the chunks found by their own index of those, not by their uploads, whose other chunks are many.
_WAITING = f"""
    SELECT (SELECT coalesce(sum(row_count), 0) FROM uploads_chunk WHERE state IN ('ready', 'leased')
            AND +upload_id IN (SELECT id FROM uploads_upload WHERE {_IS_OPEN} AND paused_at IS NULL)),
           (SELECT coalesce(sum(table_size - bytes_loaded), 0) FROM uploads_upload
            WHERE state IN ('received', 'loading') AND {_IS_OPEN} AND paused_at IS NULL)
"""  # noqa: S608 - no input


def used_by(owner_id: int, quotas: Collection[str]) -> dict[str, int]:
    """How much of these quotas the owner has used."""
    if not quotas:
        return {}
    day = connection.ops.adapt_datetimefield_value(datetime.now(UTC) - DAY)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'({_USED[name]})' for name in quotas)}", {"owner": owner_id, "day": day})
        return dict(zip(quotas, map(int, cursor.fetchone()), strict=True))


def waiting_rows() -> int:
    """About how many rows of everybody wait for their answer."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        rows, unread_bytes = cursor.fetchone()
    return int(rows) + max(0, int(unread_bytes)) // BYTES_PER_ROW
