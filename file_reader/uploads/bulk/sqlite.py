"""Bulk writes for SQLite: many-row VALUES to insert, one prepared statement by rowid to update."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.db import connection

# Below SQLite's limit of 32,766 parameters a statement (before 3.32: 999) and where longer ones gain nothing.
_PARAMETERS = 900
#: No reason, no line and no text.
_NOTHING_ELSE = (None, None, None)


def _slices(rows: Sequence[tuple[Any, ...]], width: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    step = _PARAMETERS // width
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _insert(statement: str, rows: Sequence[tuple[Any, ...]], width: int) -> None:
    record = f"({','.join(['%s'] * width)})"
    with connection.cursor() as cursor:
        for part in _slices(rows, width):
            values = ",".join([record] * len(part))
            cursor.execute(statement.format(values=values), list(chain.from_iterable(part)))


def insert_rows(rows: Sequence[tuple[Any, ...]]) -> None:
    # Most rows have nothing but a location yet: half as many parameters take half as long.
    located = [row[:5] for row in rows if row[5:] == _NOTHING_ELSE]
    _insert("INSERT INTO uploads_row (id, upload_id, latitude, longitude, status) VALUES {values}", located, 5)
    if len(located) < len(rows):
        others = [row for row in rows if row[5:] != _NOTHING_ELSE]
        _insert(
            "INSERT INTO uploads_row (id, upload_id, latitude, longitude, status, reason, line, raw) VALUES {values}",
            others,
            8,
        )


def insert_postcodes(postcodes: Sequence[tuple[Any, ...]]) -> None:
    _insert(
        "INSERT INTO uploads_postcode (postcode, outcode, incode, country, region, admin_district, admin_ward,"
        " latitude, longitude) VALUES {values} ON CONFLICT (postcode) DO NOTHING",
        postcodes,
        9,
    )


def update_results(results: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE uploads_row SET status = %s, reason = %s, postcode = %s, distance_m = %s WHERE id = %s",
            [(status, reason, postcode, distance_m, id_) for id_, status, reason, postcode, distance_m in results],
        )
