"""What `serve.prepare` makes, once for a whole run: each stack of a test starts with a copy of it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from databases import new_database

ROOT = Path(__file__).resolve().parent.parent
_PREPARE = "import serve; serve.prepare(serve.settings())"


@contextmanager
def prepared(server: str) -> Iterator[dict[str, str]]:
    """The environment that tells tests of it: a DATA_DIR, and templates for databases on that PostgreSQL server.

    The administrators have one password in all of them.
    """
    templates = [f"prepared_{service}_{os.getpid()}" for service in ("reader", "consumer")]
    with (
        tempfile.TemporaryDirectory(prefix="prepared-") as folder,
        new_database(server, templates[0]) as reader,
        new_database(server, templates[1]) as consumer,
    ):
        _prepare(folder)
        for administrator in Path(folder).glob("*.administrator"):
            administrator.unlink()
        _prepare(folder, FILE_READER_DATABASE_URL=reader, POSTCODE_CONSUMER_DATABASE_URL=consumer)
        yield {"TEST_PREPARED": folder, "TEST_TEMPLATES": " ".join(templates)}


def _prepare(folder: str, **databases: str) -> None:
    environment = os.environ | {"DATA_DIR": folder, "PROVIDER": "sandbox"} | databases
    subprocess.run([sys.executable, "-c", _PREPARE], cwd=ROOT, env=environment, check=True)
