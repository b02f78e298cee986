"""The statements of this folder are whole but for three words, which the two databases write differently.

`{rows}`: a query that gives rows; SQLite knows no arrays, so its text is longer for more rows. `{now}`: the database's
Unix time; its clock, so that machines need not agree on the time. `{differs_from}`: a comparison that takes NULL for a
value; SQLite has known the standard's word for a short time only.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from service_kit.pg_arrays import pg_array

_WORDS = {
    "sqlite": {"now": "(julianday('now') - 2440587.5) * 86400.0", "differs_from": "IS NOT"},
    "postgresql": {"now": "extract(epoch FROM clock_timestamp())::float8", "differs_from": "IS DISTINCT FROM"},
}


def filled(statement: str, *, rows: str = "") -> str:
    """The statement with this database's words."""
    return statement.format(rows=rows, **_WORDS[connection.vendor])


def query_of(rows: Sequence[tuple[object, ...]], types: Sequence[str]) -> tuple[str, list[Any]]:
    """A query that gives these rows, of which there is at least one, and its parameters.

    `types` are PostgreSQL's. It gets one array a column: that is ten times as fast as one parameter a value.
    """
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{name}[]" for name in types)
        return f"SELECT * FROM unnest({arrays})", list(map(pg_array, zip(*rows, strict=True)))  # noqa: S608 - names of types
    return f"VALUES {','.join([_record(types)] * len(rows))}", [value for row in rows for value in row]


def insert(cursor: CursorWrapper, statement: str, rows: Sequence[tuple[Any, ...]], types: Sequence[str]) -> None:
    """Executes an INSERT of these rows. `types` are PostgreSQL's."""
    if connection.vendor == "postgresql":
        query, values = query_of(rows, types)
        cursor.execute(filled(statement, rows=query), values)
    else:
        # One short statement for each row, prepared once, takes half as long as a long one for all.
        cursor.executemany(filled(statement, rows=f"VALUES {_record(types)}"), rows)


def _record(types: Sequence[str]) -> str:
    return f"({','.join(['%s'] * len(types))})"
