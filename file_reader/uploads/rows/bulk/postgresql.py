"""Bulk writes for PostgreSQL: COPY to insert, UPDATE … FROM unnest to update."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection
from django.db.models.expressions import RawSQL

from service_kit.pg_arrays import pg_array

#: Of numbers without a fraction, only their column says that they are floats.
_ANSWERS = msgspec.json.Decoder(
    tuple[list[int], list[str | None], list[str | None], list[float | None], list[int | None]]
)


def insert_located(rows: Sequence[tuple[Any, ...]]) -> None:
    lines = [
        f"{id_}\t{upload_id}\t{latitude!r}\t{longitude!r}\t{status}\n"
        for id_, upload_id, latitude, longitude, status in rows
    ]
    _copy("uploads_row (id, upload_id, latitude, longitude, status)", lines)


def insert_lists(into: str, lists: Sequence[tuple[int, int, bytes]]) -> None:
    _copy(into, [f"{first_id}\t{key}\t\\\\x{entries.hex()}\n" for first_id, key, entries in lists])


def insert_rejected(rows: Sequence[tuple[Any, ...]]) -> None:
    lines = ["\t".join(map(_copy_field, row)) + "\n" for row in rows]
    _copy("uploads_row (id, upload_id, reason, line, raw, status)", lines)


def insert_areas(areas: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_area (id, country, region, admin_district, admin_ward)", "bigint text text text text", areas)


def insert_postcodes(postcodes: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_postcode (postcode, area_id, latitude, longitude)", "text bigint float8 float8", postcodes)


def these(ids: Sequence[int]) -> RawSQL:
    return RawSQL("SELECT unnest(%s::bigint[])", [pg_array(ids)])


def update_results(results: Sequence[tuple[Any, ...]]) -> None:
    columns = list(zip(*results, strict=True))
    with connection.cursor() as cursor:
        # The range lets the planner read the rows in one pass of the primary key, whatever it thinks of unnest.
        cursor.execute(
            """
            UPDATE uploads_row
            SET status = new.status, reason = new.reason, postcode = new.postcode, distance_m = new.distance_m,
                area_id = new.area_id
            FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[], %s::float8[], %s::bigint[])
                AS new (id, status, reason, postcode, distance_m, area_id)
            WHERE uploads_row.id = new.id AND uploads_row.id BETWEEN %s AND %s
            """,
            [*map(pg_array, columns), min(columns[0]), max(columns[0])],
        )


def _copy(into: str, lines: Iterable[str]) -> None:
    # Django passes COPY on as it is: without this, its errors would be psycopg2's own, which nobody expects.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f"COPY {into} FROM STDIN", io.StringIO("".join(lines)))


def _insert(into: str, types: str, rows: Sequence[tuple[Any, ...]]) -> None:
    arrays = ", ".join(f"%s::{name}[]" for name in types.split())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {into} SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING",  # noqa: S608 - names from above
            [pg_array(column) for column in zip(*rows, strict=True)],
        )


def _copy_field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return repr(value)


def stored_answers(first_id: int, last_id: int) -> tuple[list[Any], ...]:
    # As JSON: the driver takes several times as long to make the same values.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT json_build_array(
                json_agg(status), json_agg(reason), json_agg(postcode), json_agg(distance_m), json_agg(area_id)
            )::text
            FROM (
                SELECT status, reason, postcode, distance_m, area_id FROM uploads_row
                WHERE id BETWEEN %s AND %s ORDER BY id
            ) AS answers
            HAVING count(*) > 0
            """,
            [first_id, last_id],
        )
        found = cursor.fetchone()
    return _ANSWERS.decode(found[0]) if found else ([], [], [], [], [])
