"""From the upload to the last row: this project, a bare script and the usual way, in turn, in one run.

    python benchmarks/end_to_end.py --database sqlite --rows 1000000 --rounds 5

Prints rows per second of each, their medians and ratios, CPU seconds per million rows and peak memory of each process;
`--json FILE` writes all of it.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "fakes")]

import files  # noqa: E402
import psutil  # noqa: E402
import psycopg2  # noqa: E402
from stack import Stack, running_stack  # noqa: E402

#: Rows for the usual way: its rate does not depend on their number, and it is slow.
USUAL_ROWS = 1_000


@dataclass
class Round:
    """What one round took. Seconds, bytes; `first_seconds` until the first matched row could be read."""

    seconds: float
    first_seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)


def index_of(postcodes: Path, folder: Path) -> Path:
    """The local index of a postcode file, built unless it is there."""
    if not folder.exists():
        environment = {**os.environ, "SECRET_KEY": "bench", "INTERNAL_TOKEN": "bench", "LOCAL_INDEX": str(folder)}
        command = [sys.executable, "manage.py", "build_index", str(postcodes)]
        subprocess.run(command, cwd=HERE.parent / "postcode_consumer", env=environment, check=True)
    return folder


@contextlib.contextmanager
def databases(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """The settings of new databases for the services, and for the scripts (`SCRIPT`)."""
    if kind == "sqlite":
        yield {"SCRIPT": str(folder / "script.sqlite3")}
        return
    with contextlib.ExitStack() as stack:
        if server := os.environ.get("TEST_POSTGRES_URL"):
            made = {}
            for name in ("FILE_READER_DATABASE_URL", "POSTCODE_CONSUMER_DATABASE_URL", "SCRIPT"):
                made[name] = stack.enter_context(new_database(server, f"bench_{name.lower()[:8]}_{os.getpid()}"))
            yield made
        else:
            from private_postgres import private_postgres

            postgres = stack.enter_context(private_postgres())
            yield {**postgres.databases, "SCRIPT": postgres.databases["POSTCODE_CONSUMER_DATABASE_URL"]}


@contextlib.contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


def processes(stack: Stack) -> dict[str, list[psutil.Process]]:
    names = {
        "gateway": "-m gateway",
        "file_reader": "reader.wsgi",
        "worker": "manage.py worker",
        "postcode_consumer": "consumer.",
    }
    return {name: stack.processes(text) for name, text in names.items()}


def cpu_seconds(found: dict[str, list[psutil.Process]]) -> dict[str, float]:
    return {name: sum(sum(process.cpu_times()[:2]) for process in group) for name, group in found.items()}


def peak_bytes(found: dict[str, list[psutil.Process]]) -> dict[str, int]:
    """The largest process of each group (VmHWM)."""

    def peak(process: psutil.Process) -> int:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    return {name: max(map(peak, group)) for name, group in found.items()}


def this_project(data_dir: Path, file: Path, settings: dict[str, str]) -> Round:
    """One upload through the gateway, from its first byte to `done`."""
    with running_stack(data_dir, **settings) as stack:
        found = processes(stack)
        before = cpu_seconds(found)
        began = time.perf_counter()
        with file.open("rb") as body:
            answer = stack.call(
                "POST", "/api/v1/uploads/?filename=bench.csv", data=body, headers={"Content-Type": "text/csv"}
            )
        assert answer.status_code == 202, answer.text
        upload, accepted, first = answer.json(), time.perf_counter(), 0.0
        while True:
            seen = stack.look(upload)
            first = first or (time.perf_counter() - accepted if seen["rows"]["matched"] else 0.0)
            if seen["state"] in ("done", "failed"):
                break
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        assert seen["state"] == "done", seen
        assert not seen["rows"]["pending"] + seen["rows"]["failed"], seen
        spent = {name: after - before[name] for name, after in cpu_seconds(found).items()}
        return Round(seconds, first, spent, peak_bytes(found))


def script(name: str, file: Path, consumer: Stack, database: str, *more: str) -> float:
    """Rows a second of one of the two scripts."""
    command = [sys.executable, str(HERE / name), str(file), "--database", database, *more]
    where = ["--consumer", f"http://127.0.0.1:{consumer.environment['POSTCODE_CONSUMER_PORT']}"]
    said = subprocess.run([*command, *where, "--token", "bench"], check=True, capture_output=True, text=True).stdout
    rows, seconds = said.split()
    return int(rows) / float(seconds)


def compare(options: argparse.Namespace, file: Path, rows: int, folder: Path) -> dict[str, Any]:
    settings = {
        "PROVIDER": "local",
        "LOCAL_INDEX": str(options.index),
        "INTERNAL_TOKEN": "bench",
        "SECRET_KEY": "bench",
    }
    rounds: list[Round] = []
    bare: list[float] = []
    usual: list[float] = []
    for number in range(options.rounds):
        with databases(options.database, folder) as made:
            target = made.pop("SCRIPT")
            rounds.append(
                this_project(
                    folder / f"data-{rows}-{number}", file, settings | made | {"WORKERS": str(options.workers)}
                )
            )
            if options.scripts:
                with running_stack(folder / f"scripts-{rows}-{number}", **settings | {"WORKERS": "0"}) as stack:
                    bare.append(script("bare.py", file, stack, target))
                    url = target if target.startswith("postgres") else f"sqlite:///{target}"
                    usual.append(script("usual.py", file, stack, url, "--rows", str(USUAL_ROWS)))
        line = f"{rows:>9,} rows: {rows / rounds[-1].seconds:>9,.0f} rows/s"
        print(line + (f", bare {bare[-1]:>9,.0f}, usual {usual[-1]:>6,.0f}" if bare else ""), flush=True)
    speed = statistics.median(rows / done.seconds for done in rounds)
    report: dict[str, Any] = {"rows": rows, "speed": speed, "rounds": [asdict(done) for done in rounds]}
    report["first_seconds"] = statistics.median(done.first_seconds for done in rounds)
    report["cpu_per_million"] = {
        name: statistics.median(done.cpu[name] for done in rounds) / rows * 1e6 for name in rounds[0].cpu
    }
    report["peak"] = {name: max(done.peak[name] for done in rounds) for name in rounds[0].peak}
    if bare:
        report |= {"bare": statistics.median(bare), "usual": statistics.median(usual)}
        report |= {"of_bare": speed / report["bare"], "times_usual": speed / report["usual"]}
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--no-scripts", dest="scripts", action="store_false", help="only this project")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = HERE.parent / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    if options.postcodes is None:
        options.postcodes = kept / "country.csv"
        if not options.postcodes.exists():
            files.write_country(options.postcodes)
    options.index = index_of(options.postcodes, kept / f"index-{options.postcodes.name.split('.')[0]}")
    places = files.read_places(options.postcodes)
    reports = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(dir=kept) as name:
            file = Path(name) / "locations.csv"
            files.write_locations(file, rows, places)
            reports.append(compare(options, file, rows, Path(name)))
        print(
            json.dumps({name: value for name, value in reports[-1].items() if name != "rounds"}, indent=1), flush=True
        )
    if options.json:
        options.json.write_text(
            json.dumps({"database": options.database, "workers": options.workers, "reports": reports})
        )


if __name__ == "__main__":
    main()
