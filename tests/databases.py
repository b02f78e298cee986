"""New databases on a PostgreSQL server, for the time of a test or a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2


def create_database(server: str, name: str) -> str:
    """The URL of a new database on that server."""
    _execute(server, f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    """The URL of a new database on that server, which is gone after the block, whoever still uses it."""
    url = create_database(server, name)
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
