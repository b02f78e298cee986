"""Bulk writes for SQLite: many-row VALUES to insert, one prepared statement by rowid to update.

They go to the driver itself: Django would rewrite the placeholders of every statement, a fifth of its time.
"""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

if TYPE_CHECKING:
    from uploads.rows.bulk import Floats, Ids, Matches, Unmatched

# Below SQLite's limit of 32,766 parameters a statement (before 3.32: 999) and where longer ones gain nothing.
_PARAMETERS = 900


def insert_pending(upload_id: int, ids: "Ids", latitudes: "Floats", longitudes: "Floats") -> None:
    values: list[Any] = [None] * (3 * len(ids))
    values[::3], values[1::3], values[2::3] = ids.tolist(), latitudes.tolist(), longitudes.tolist()
    record = f"(?,{int(upload_id)},?,?,0)"
    _insert("uploads_row (id, upload_id, latitude, longitude, status)", record, 3, values)


def insert_rejected(rows: Sequence[tuple[Any, ...]]) -> None:
    into = "uploads_row (id, upload_id, reason, line, raw, status)"
    _insert(into, "(?,?,?,?,?,?)", 6, list(chain.from_iterable(rows)))


def insert_areas(areas: Sequence[tuple[Any, ...]]) -> None:
    into = "uploads_area (id, country, region, admin_district, admin_ward)"
    _insert(into, "(?,?,?,?,?)", 5, list(chain.from_iterable(areas)), " ON CONFLICT DO NOTHING")


def pending_columns(first_id: int, last_id: int) -> "tuple[Ids, Floats, Floats]":
    ids, latitudes, longitudes = _columns("id, latitude, longitude", 3, first_id, last_id, " AND status = 0")
    return np.array(ids, np.int64), np.array(latitudes, float), np.array(longitudes, float)


def stored_answers(first_id: int, last_id: int, *, located: bool) -> tuple[list[Any], ...]:
    if located:
        return _columns("status, reason, postcode, distance_m, area_id, latitude, longitude", 7, first_id, last_id)
    return _columns("status, reason, postcode, distance_m, area_id", 5, first_id, last_id)


def _columns(names: str, count: int, first_id: int, last_id: int, condition: str = "") -> tuple[list[Any], ...]:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        rows = connection.connection.execute(
            f"SELECT {names} FROM uploads_row WHERE id BETWEEN ? AND ?{condition} ORDER BY id",  # noqa: S608 - ours
            (first_id, last_id),
        )
        # Not a list of rows: the garbage collector would look at thousands of tuples, again and again.
        values = list(chain.from_iterable(rows))
    return tuple(values[column::count] for column in range(count))


def update_results(matches: "Matches", others: "Sequence[Unmatched]") -> int:
    """The number of rows that it wrote to."""
    texts = b"\n".join(matches.postcodes.tolist()).decode().split("\n") if len(matches.ids) else []
    with connection.wrap_database_errors:
        executemany = connection.connection.executemany
        matched = executemany(
            "UPDATE uploads_row SET status = 1, postcode = ?, distance_m = ?, area_id = ? WHERE id = ?",
            zip(texts, matches.distances.tolist(), matches.area_ids.tolist(), matches.ids.tolist(), strict=True),
        )
        unmatched = executemany(
            "UPDATE uploads_row SET status = ?, reason = ? WHERE id = ?",
            [(status, reason, id_) for id_, status, reason in others],
        )
    return int(max(0, matched.rowcount) + max(0, unmatched.rowcount))


def _insert(into: str, record: str, width: int, values: list[Any], otherwise: str = "") -> None:
    """`values` are those of all records, one after the other; each has `width` of them."""

    def statement(count: int) -> str:
        return f"INSERT INTO {into} VALUES {','.join([record] * count)}{otherwise}"  # noqa: S608 - names from above

    records = _PARAMETERS // width
    step = records * width
    whole = len(values) - len(values) % step
    many = statement(records)
    connection.ensure_connection()
    with connection.wrap_database_errors:
        execute = connection.connection.execute
        for start in range(0, whole, step):
            execute(many, values[start : start + step])
        if whole < len(values):
            execute(statement((len(values) - whole) // width), values[whole:])
