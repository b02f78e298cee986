"""New databases on a PostgreSQL server, for the time of a test or a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2

#: The URLs of the databases that were made from a template, and so need no migration.
FROM_TEMPLATE: set[str] = set()


def create_database(server: str, name: str, *, template: str | None = None) -> str:
    """The URL of a new database on that server."""
    _execute(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    if template:
        FROM_TEMPLATE.add(url)
    return url


@contextmanager
def new_database(server: str, name: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a new database on that server, which is gone after the block, even when it is still used."""
    url = create_database(server, name, template=template)
    try:
        yield url
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
