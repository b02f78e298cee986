"""Runs the tests: lanes of suites beside each other, each suite a pytest process in its service's folder.

    python tests/run.py            # everything, on SQLite and on PostgreSQL (`make test`)
    python tests/run.py --check    # lint, types and what starts no process, on SQLite (`make check`)

Other arguments go to every pytest. On PostgreSQL runs only what needs a database. The server is that of
TEST_POSTGRES_URL; without it, one from a package is started. docs/tests.md tells what runs where.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "fakes"))

from prepared import prepared
from private_postgres import bundled_postgres

ROOT = Path(__file__).resolve().parent.parent
#: Of the variables that configure the services, none must reach the tests by accident.
_CONFIGURING = (
    "AUTH DATA_DIR FILE_READER_DATABASE_URL POSTCODE_CONSUMER_DATABASE_URL PROVIDER POSTCODES_IO_URL"
    " POSTCODES_IO_CALLS_PER_SECOND POSTCODES_IO_MAX_CONCURRENCY WORKERS GATEWAY_HOST GATEWAY_PORT FILE_READER_PORT"
    " POSTCODE_CONSUMER_PORT POSTCODE_CONSUMER_PROCESSES CACHE_URL CACHE_TTL CACHE_TTL_MISSES CELERY_BROKER_URL"
    " MAX_UPLOAD_BYTES SECRET_KEY INTERNAL_TOKEN DJANGO_SETTINGS_MODULE"
).split()


#: For suites that mostly compute.
_PARALLEL = (sys.executable, "-m", "pytest", "-n", "logical", "--maxprocesses", "8", "--dist", "worksteal")
#: The same behind the others, which watch the clock.
_BEHIND = ("nice", *_PARALLEL)
READING, UNITS, DATABASE, PROCESSES = ((f"tests/{need}",) for need in ("reading", "units", "database", "processes"))


@dataclass(frozen=True)
class Suite:
    """A pytest process, or another command, in that folder; `added` to its environment."""

    name: str
    folder: str
    arguments: tuple[str, ...] = ()
    added: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = (sys.executable, "-m", "pytest")


def lanes_of_check() -> list[list[Suite]]:
    quick = ("-m", "not slow", "--hypothesis-profile", "check")
    return [
        [
            Suite("file_reader", "file_reader", (*quick, *READING, *UNITS, *DATABASE), command=_PARALLEL),
            Suite("postcode_consumer", "postcode_consumer", (*quick, *UNITS, *DATABASE), command=_PARALLEL),
        ],
        [
            *(Suite(f"make {target}", ".", command=("make", target)) for target in ("lint", "type")),
            Suite("gateway", "gateway"),
            Suite("fakes and documents", "tests", ("--ignore=whole_stack", "--ignore=storm")),
        ],
    ]


_BROKERS = "whole_stack/test_celery.py"


def lanes_of_everything(url: str, bundled: str, stacks: dict[str, str]) -> list[list[Suite]]:
    """`url` is the server for all, `bundled` the one from the package: the same where none was told."""
    reader, consumer = ({f"{service}_DATABASE_URL": url} for service in ("FILE_READER", "POSTCODE_CONSUMER"))
    lanes = [
        [
            Suite("file_reader on SQLite", "file_reader", (*READING, *UNITS, *DATABASE), command=_BEHIND),
            Suite("file_reader on PostgreSQL", "file_reader", DATABASE, reader, _BEHIND),
            Suite("postcode_consumer on SQLite", "postcode_consumer", (*UNITS, *DATABASE), command=_BEHIND),
            Suite("postcode_consumer on PostgreSQL", "postcode_consumer", DATABASE, consumer, _BEHIND),
        ],
        # Each of these keeps a core busy with processes that start: with a fourth, all of them would only be slower.
        [
            Suite("file_reader's processes on SQLite", "file_reader", PROCESSES),
            Suite("postcode_consumer's processes on SQLite", "postcode_consumer", PROCESSES),
            Suite("gateway", "gateway"),
            Suite("the command line", "cli", added=stacks),
        ],
        [
            Suite("file_reader's processes on PostgreSQL", "file_reader", PROCESSES, reader),
            Suite("postcode_consumer's processes on PostgreSQL", "postcode_consumer", PROCESSES, consumer),
            Suite("whole stack with brokers", "tests", (_BROKERS,), stacks),
        ],
        [Suite("whole stack", "tests", (f"--ignore={_BROKERS}",), stacks)],
    ]
    if bundled != url:
        full_disk = (*DATABASE, *PROCESSES, "-k", "disk")
        told = {"FILE_READER_DATABASE_URL": bundled}
        lanes[-2].append(Suite("a full disk on the bundled PostgreSQL", "file_reader", full_disk, told))
    return lanes


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server on which the tests may create databases."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    with bundled_postgres() as url:
        yield url


def run_suite(suite: Suite, environment: dict[str, str], more: list[str]) -> bool:
    """Runs one suite and prints its output as a whole; True when it passed."""
    print(f"... {suite.name}", flush=True)
    started = time.monotonic()
    of_pytest = more if "pytest" in suite.command else []
    done = subprocess.run(
        [*suite.command, *suite.arguments, *of_pytest],
        cwd=ROOT / suite.folder,
        env=environment | suite.added,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said, seconds = done.stdout.decode(errors="replace"), time.monotonic() - started
    print(f"\n=== {suite.name}\n{said}=== {suite.name}: exit code {done.returncode}, {seconds:.0f} s", flush=True)
    return done.returncode == 0


def run_lanes(lanes: list[list[Suite]], environment: dict[str, str], more: list[str]) -> list[str]:
    """Runs the lanes at once, and what is in one of them one after the other; returns the names of what failed."""
    with ThreadPoolExecutor(len(lanes)) as at_once:
        results = at_once.map(
            lambda lane: [suite.name for suite in lane if not run_suite(suite, environment, more)], lanes
        )
        return [name for failed in results for name in failed]


def main() -> int:
    more = sys.argv[1:]
    environment = {"PATH": os.defpath} | {key: value for key, value in os.environ.items() if key not in _CONFIGURING}
    with ExitStack() as needed:
        if "--check" in more:
            more.remove("--check")
            lanes = lanes_of_check()
        else:
            bundled = needed.enter_context(bundled_postgres())
            url = environment.setdefault("TEST_POSTGRES_URL", bundled)
            lanes = lanes_of_everything(url, bundled, needed.enter_context(prepared(url)))
        failed = run_lanes(lanes, environment, more)
    print(f"\n{'failed: ' + ', '.join(failed) if failed else 'all suites passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
