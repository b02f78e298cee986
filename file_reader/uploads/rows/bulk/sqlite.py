"""Bulk writes for SQLite: many-row VALUES to insert, one prepared statement by rowid to update.

They go to the driver itself: Django would rewrite the placeholders of every statement, a fifth of its time.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

# Below SQLite's limit of 32,766 parameters a statement (before 3.32: 999) and where longer ones gain nothing.
_PARAMETERS = 900
_KNOWN_ALREADY = " ON CONFLICT DO NOTHING"


def insert_located(rows: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_row (id, upload_id, latitude, longitude, status)", rows)


def insert_lists(into: str, lists: Sequence[tuple[int, int, bytes]]) -> None:
    with connection.wrap_database_errors:
        connection.connection.executemany(f"INSERT INTO {into} VALUES (?, ?, ?)", lists)  # noqa: S608 - names of ours


def insert_rejected(rows: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_row (id, upload_id, reason, line, raw, status)", rows)


def insert_areas(areas: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_area (id, country, region, admin_district, admin_ward)", areas, _KNOWN_ALREADY)


def insert_postcodes(postcodes: Sequence[tuple[Any, ...]]) -> None:
    _insert("uploads_postcode (postcode, area_id, latitude, longitude)", postcodes, _KNOWN_ALREADY)


def these(ids: Sequence[int]) -> RawSQL:
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])


def update_results(results: Sequence[tuple[Any, ...]]) -> None:
    with connection.wrap_database_errors:
        connection.connection.executemany(
            "UPDATE uploads_row SET status = ?, reason = ?, postcode = ?, distance_m = ?, area_id = ? WHERE id = ?",
            [
                (status, reason, postcode, distance_m, area, id_)
                for id_, status, reason, postcode, distance_m, area in results
            ],
        )


def _insert(into: str, rows: Sequence[tuple[Any, ...]], otherwise: str = "") -> None:
    width = len(rows[0])
    step = _PARAMETERS // width
    record = f"({','.join('?' * width)})"

    def statement(count: int) -> str:
        return f"INSERT INTO {into} VALUES {','.join([record] * count)}{otherwise}"  # noqa: S608 - names from above

    whole = len(rows) - len(rows) % step
    many = statement(step)
    connection.ensure_connection()
    with connection.wrap_database_errors:
        execute = connection.connection.execute
        for start in range(0, whole, step):
            execute(many, _flat(rows[start : start + step]))
        if whole < len(rows):
            execute(statement(len(rows) - whole), _flat(rows[whole:]))


def _flat(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    return list(chain.from_iterable(rows))


def stored_answers(first_id: int, last_id: int) -> tuple[list[Any], ...]:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        rows = connection.connection.execute(
            "SELECT status, reason, postcode, distance_m, area_id FROM uploads_row WHERE id BETWEEN ? AND ?"
            " ORDER BY id",
            (first_id, last_id),
        )
        # Not a list of rows: the garbage collector would look at thousands of tuples, again and again.
        values = _flat(rows)
    return tuple(values[column::5] for column in range(5))
