"""Bulk writes for PostgreSQL: COPY to insert, UPDATE … FROM unnest to update."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

#: No reason, no line and no text.
_NOTHING_ELSE = (None, None, None)


def insert_rows(rows: Sequence[tuple[Any, ...]]) -> None:
    # Most rows have nothing but a location yet.
    text = io.StringIO("".join([_copy_located(row) if row[5:] == _NOTHING_ELSE else _copy_line(row) for row in rows]))
    # Django passes COPY on as it is: without this, its errors would be psycopg2's own, which nobody expects.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(
            "COPY uploads_row (id, upload_id, latitude, longitude, status, reason, line, raw) FROM STDIN", text
        )


def insert_postcodes(postcodes: Sequence[tuple[Any, ...]]) -> None:
    if not postcodes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO uploads_postcode
                (postcode, outcode, incode, country, region, admin_district, admin_ward, latitude, longitude)
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                                 %s::double precision[], %s::double precision[])
            ON CONFLICT (postcode) DO NOTHING
            """,
            [_array(column) for column in zip(*postcodes, strict=True)],
        )


def update_results(results: Sequence[tuple[Any, ...]]) -> None:
    columns = list(zip(*results, strict=True))
    with connection.cursor() as cursor:
        # The range lets the planner read the rows in one pass of the primary key, whatever it thinks of unnest.
        cursor.execute(
            """
            UPDATE uploads_row
            SET status = new.status, reason = new.reason, postcode = new.postcode, distance_m = new.distance_m
            FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[], %s::double precision[])
                AS new (id, status, reason, postcode, distance_m)
            WHERE uploads_row.id = new.id AND uploads_row.id BETWEEN %s AND %s
            """,
            [*(_array(column) for column in columns), min(columns[0]), max(columns[0])],
        )


def _array(values: Iterable[Any]) -> str:
    """An array as PostgreSQL's own text: a tenth of the cost of one adapted parameter for each element."""
    return "{" + ",".join([_array_field(value) for value in values]) + "}"


def _array_field(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


def _copy_located(row: tuple[Any, ...]) -> str:
    id_, upload_id, latitude, longitude, status = row[:5]
    return f"{id_}\t{upload_id}\t{latitude!r}\t{longitude!r}\t{status}\t\\N\t\\N\t\\N\n"


def _copy_line(row: tuple[Any, ...]) -> str:
    return "\t".join(map(_copy_field, row)) + "\n"


def _copy_field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return repr(value)
