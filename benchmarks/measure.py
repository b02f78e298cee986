"""What the benchmarks have in common: new databases, one upload through a running stack, and what it cost whom."""

import contextlib
import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fakes")]

import psutil  # noqa: E402 (the paths above)
import psycopg2  # noqa: E402
import stack as running  # noqa: E402
from databases import new_database  # noqa: E402
from private_postgres import private_postgres  # noqa: E402
from stack import ENDED, Stack, peak_bytes  # noqa: E402

# On a busy machine the stack is slow to start; that is nothing that is measured here.
running.START_SECONDS = 300.0

#: Seconds between two looks at the upload: until its first match, and then. Each look costs the stack 5 ms.
FIRST_LOOKS, LATER_LOOKS = 0.05, 0.2


@dataclass
class Cost:
    """What one run took. Seconds; CPU seconds and the largest process's peak memory in bytes, by group of processes.

    `first_seconds` is how long it took until the first match could be read.
    """

    seconds: float
    first_seconds: float | None = None
    cpu: dict[str, float] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)


# --- Databases -------------------------------------------------------------------------------------------------------
@dataclass
class Databases:
    """New databases: the environment that gives the services theirs, and that of a script.

    `server` is the URL of the PostgreSQL server, empty with SQLite.
    """

    environment: dict[str, str]
    script: str
    server: str = ""


@contextlib.contextmanager
def server_of(kind: str) -> Iterator[str]:
    """The PostgreSQL server of TEST_POSTGRES_URL, else one that is made for the benchmark; nothing for SQLite."""
    if kind == "sqlite":
        yield ""
    elif server := os.environ.get("TEST_POSTGRES_URL"):
        yield server
    else:
        with private_postgres() as postgres:
            yield postgres.url


@contextlib.contextmanager
def new_databases(server: str, folder: Path) -> Iterator[Databases]:
    """They are gone after the block, those of SQLite with the folder."""
    if not server:
        yield Databases({}, str(folder / "script.sqlite3"))
        return
    with contextlib.ExitStack() as made:
        reader, consumer, script = (
            made.enter_context(new_database(server, f"bench_{name}_{os.getpid()}"))
            for name in ("reader", "consumer", "script")
        )
        environment = {"FILE_READER_DATABASE_URL": reader, "POSTCODE_CONSUMER_DATABASE_URL": consumer}
        yield Databases(environment, script, server)


class Postmaster:
    """The CPU time of a whole PostgreSQL server on this machine, all its backends included.

    Those that ended are in what the kernel adds up for their parent, so nothing is lost. What others do on the server
    counts, too: measure on one of your own.
    """

    def __init__(self, server: str) -> None:
        self._process: psutil.Process | None = None
        if server:
            connection = psycopg2.connect(server)
            with contextlib.suppress(psutil.Error):  # it may run elsewhere
                parent = psutil.Process(connection.info.backend_pid).parent()
                self._process = parent if parent and parent.name().startswith("postgres") else None
            connection.close()

    def cpu_seconds(self) -> dict[str, float]:
        """Nothing when there is no such process."""
        if self._process is None:
            return {}
        total = sum(self._process.cpu_times()[:4])  # its own, and that of children that ended
        for backend in self._process.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(backend.cpu_times()[:2])
        return {"PostgreSQL": total}


# --- Runs ------------------------------------------------------------------------------------------------------------
def processes(stack: Stack) -> dict[str, list[psutil.Process]]:
    """Those of the stack, by service."""
    names = {
        "gateway": "-m gateway",
        "file_reader": "reader_config.wsgi",
        "worker": "manage.py worker",
        "postcode_consumer": "consumer_config.",
    }
    return {name: found for name, text in names.items() if (found := stack.processes(text))}


def cpu_seconds(found: dict[str, list[psutil.Process]]) -> dict[str, float]:
    """User and system time so far."""
    return {name: sum(sum(process.cpu_times()[:2]) for process in group) for name, group in found.items()}


def one_upload(stack: Stack, file: Path, server: str) -> Cost:
    """One upload through the gateway, from its first byte until it is `done`.

    When that was is the upload's `finished_at`, so that looking at it seldom does not lengthen short runs.
    """
    found, postmaster = processes(stack), Postmaster(server)
    before = cpu_seconds(found) | postmaster.cpu_seconds()
    began, first = time.time(), None
    with file.open("rb") as body:
        headers = {"Content-Type": "text/csv"}
        answer = stack.call("POST", "/api/v1/uploads/?filename=bench.csv", data=body, headers=headers)
    assert answer.status_code == 202, answer.text
    upload = answer.json()
    while (seen := stack.look(upload))["state"] not in ENDED:
        if first is None and seen["rows"]["matched"]:
            first = time.time() - began
        time.sleep(FIRST_LOOKS if first is None else LATER_LOOKS)
    assert seen["state"] == "done", seen
    assert not seen["rows"]["pending"] + seen["rows"]["failed"], seen
    seconds = datetime.fromisoformat(seen["finished_at"]).timestamp() - began
    after = cpu_seconds(found) | postmaster.cpu_seconds()
    cpu = {name: after[name] - before[name] for name in before}
    peak = {name: max(map(peak_bytes, group)) for name, group in found.items()}
    return Cost(seconds, seconds if first is None else min(first, seconds), cpu, peak)


def one_script(name: str, file: Path, *arguments: str, server: str = "") -> tuple[int, Cost]:
    """The rows that one of the scripts did, and what it took by its own clock; its CPU includes starting Python."""
    postmaster = Postmaster(server)
    before = postmaster.cpu_seconds()
    command = [sys.executable, str(HERE / name), str(file), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    peak, status = 0, None
    while status is None:
        # Not `ru_maxrss`: that begins with what this process had when it forked.
        with contextlib.suppress(OSError, StopIteration):  # it has just ended
            peak = max(peak, peak_bytes(psutil.Process(process.pid)))
        time.sleep(LATER_LOOKS / 2)
        ended, status_now, usage = os.wait4(process.pid, os.WNOHANG)
        status = status_now if ended else None
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    after = postmaster.cpu_seconds()
    rows, seconds = process.stdout.read().split()
    cpu = {"script": usage.ru_utime + usage.ru_stime} | {which: after[which] - before[which] for which in before}
    return int(rows), Cost(float(seconds), cpu=cpu, peak={"script": peak})


# --- Results ---------------------------------------------------------------------------------------------------------
def machine(server: str = "") -> dict[str, str]:
    """What the figures depend on."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    described = {
        "processor": f"{processor}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    if server:
        connection = psycopg2.connect(server)
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (described["PostgreSQL"],) = cursor.fetchone() or ("",)
        connection.close()
    return described


def write_result(path: Path, reports: Sequence[Any], *, server: str = "", **about: Any) -> None:
    """Keeps what a benchmark found out, with the machine, the day and the command."""
    result = {
        "command": " ".join(["python", *sys.argv]),
        "day": datetime.now(UTC).date().isoformat(),
        "machine": machine(server),
        **about,
        "reports": reports,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, default=asdict) + "\n")


def _lines(path: str) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(path).read_text().splitlines()
    return []
