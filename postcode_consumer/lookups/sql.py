"""What the statements of both databases have in common."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

#: The database's Unix time. Its clock, so that machines need not agree on the time.
_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "extract(epoch FROM clock_timestamp())::float8",
}


def now() -> str:
    """The expression for the database's time, in Unix seconds."""
    return _NOW[connection.vendor]


def query_of(rows: Sequence[tuple[object, ...]], types: Sequence[str]) -> tuple[str, list[Any]]:
    """A query that gives these rows, of which there is at least one, and its parameters.

    `types` are PostgreSQL's. It gets one array a column: that is ten times as fast as one parameter a value.
    """
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{name}[]" for name in types)
        return f"SELECT * FROM unnest({arrays})", [_array(column) for column in zip(*rows, strict=True)]  # noqa: S608 (names of types)
    row = f"({','.join(['%s'] * len(types))})"
    return f"VALUES {','.join([row] * len(rows))}", [value for row in rows for value in row]


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL's own text."""
    return "{" + ",".join([_field(value) for value in values]) + "}"


def _field(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)
