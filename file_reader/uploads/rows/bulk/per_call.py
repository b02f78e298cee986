"""What nearly every call of the API asks, one statement each: Django takes ten times as long to write them."""

import functools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from uploads.models import OPEN_STATES, ChunkState, Upload
from uploads.progress import Counts

#: What is open has no index, which leads to the few of them.
_AHEAD = """
    SELECT id, row_number() OVER (PARTITION BY state = 'received' ORDER BY turn, id) - 1 AS ahead FROM uploads_upload
    WHERE indexed_at IS NULL AND deleted_at IS NULL AND paused_at IS NULL
        AND state IN ('received', 'loading', 'geocoding')
"""


def is_active_user(user_id: int) -> bool:
    """Whether there is such a user, and nobody has switched them off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM auth_user WHERE id = %s AND is_active", [user_id])
        return cursor.fetchone() is not None


def upload_by_public_id(public_id: UUID) -> Upload | None:
    """The upload of whomever, unless it is deleted."""
    fields, converters = _upload_columns()
    wanted = Upload._meta.get_field("public_id").get_db_prep_value(public_id, connection)
    columns = ", ".join(fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM uploads_upload WHERE public_id = %s AND deleted_at IS NULL",  # noqa: S608 - names
            [wanted],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for column, (functions, expression) in converters.items():
        for function in functions:
            values[column] = function(values[column], expression, connection)
    return Upload.from_db(connection.alias, fields, values)


@functools.cache
def _upload_columns() -> tuple[list[str], dict[int, Any]]:
    """The columns of an upload, and what makes Python's values of the database's. A raw() of Django's would find that
    out anew at each call, for a third of the time of the whole call."""
    fields = Upload._meta.concrete_fields
    compiler = Upload.objects.all().query.get_compiler(connection=connection)
    return [field.attname for field in fields], compiler.get_converters([field.get_col("") for field in fields])


def counts_of(uploads: Sequence[Upload]) -> dict[int, Counts]:
    """The counts of some uploads, by their primary key: sums over their chunks, so always those of one commit."""
    counts = {upload.pk: Counts(0, 0, 0, 0, 0) for upload in uploads}
    if counts:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT upload_id, sum(row_count), sum(matched), sum(no_match), sum(failed), sum(rejected)"  # noqa: S608 - placeholders
                f" FROM uploads_chunk WHERE upload_id IN ({','.join(['%s'] * len(counts))}) AND state <> %s"
                " GROUP BY upload_id",
                [*counts, ChunkState.SPLIT.value],
            )
            counts |= {upload_id: Counts(*sums) for upload_id, *sums in cursor.fetchall()}
    return counts


def uploads_ahead_of(uploads: Sequence[Upload]) -> dict[int, int]:
    """For those of some uploads that are at work, by their primary key: the uploads of whomever whose turns so far end
    before its own do. Those that nobody has begun have no turns: they are begun in the order in which they came."""
    at_work = [upload.pk for upload in uploads if upload.state in OPEN_STATES and upload.paused_at is None]
    if not at_work:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, ahead FROM ({_AHEAD}) AS ranked WHERE id IN ({','.join(map(str, at_work))})"  # noqa: S608 - numbers
        )
        return dict(cursor.fetchall())
