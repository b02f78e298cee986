"""What the statements of both databases have in common."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

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
        columns = zip(types, zip(*rows, strict=True), strict=True)
        return f"SELECT * FROM unnest({arrays})", [_array(name, column) for name, column in columns]  # noqa: S608 - names of types
    return f"VALUES {','.join([_record(types)] * len(rows))}", [value for row in rows for value in row]


def insert(cursor: CursorWrapper, statement: str, rows: Sequence[tuple[Any, ...]], types: Sequence[str]) -> None:
    """Executes an INSERT of these rows, which go where the statement has `{rows}`. `types` are PostgreSQL's."""
    if connection.vendor == "postgresql":
        query, values = query_of(rows, types)
        cursor.execute(statement.format(rows=query), values)
    else:
        # One short statement for each row, prepared once, takes half as long as a long one for all.
        cursor.executemany(statement.format(rows=f"VALUES {_record(types)}"), rows)


def _record(types: Sequence[str]) -> str:
    return f"({','.join(['%s'] * len(types))})"


def _array(type_: str, values: Sequence[object]) -> str:
    """An array as PostgreSQL's own text."""
    if type_ != "text":
        return "{" + ",".join(map(repr, values)).replace("None", "NULL") + "}"
    return "{" + ",".join(["NULL" if value is None else f'"{_escaped(str(value))}"' for value in values]) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
