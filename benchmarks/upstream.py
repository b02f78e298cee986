"""How quickly an external API with latency and without limits is asked, beside a bare script at the same concurrency.

    python benchmarks/upstream.py [--database postgresql] [--concurrency 16 64] [--rows 100000] [--rounds 5]

The stand-in (`quick_upstream.py`) answers every call after 50 ms. All locations differ, and nobody has asked for them
before: databases are new in every round. Both sides ask within 100 m first, and within 2,000 m for what has nothing
there, 100 locations a call; both store the same rows. This project remembers all answers besides.

Prints seconds, CPU seconds by process, and the ratio of the two, round by round; `--json FILE` writes all of it.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import measure
import numpy as np
import psutil
import requests
from measure import HERE, ROOT, Cost
from stack import free_port, running_stack, wait_for

#: Nobody else uses the server: as many calls as it takes, at once and a second.
UNLIMITED = {"PROVIDER": "postcodes_io", "POSTCODES_IO_CALLS_PER_SECOND": "0"}


def write_distinct_locations(path: Path, rows: int, *, seed: int = 1) -> None:
    """Writes `lat,lon` for that many rows all over the country, no two of them the same."""
    rng = np.random.default_rng(seed)
    micro = rng.integers((50_200_000, -4_800_000), (58_400_000, 1_200_000), (rows + rows // 100 + 100, 2))
    distinct = rng.permutation(np.unique(micro, axis=0))[:rows] / 1e6
    with path.open("w", encoding="ascii") as file:
        file.write("lat,lon\n")
        file.writelines(f"{latitude},{longitude}\n" for latitude, longitude in distinct.tolist())


@contextlib.contextmanager
def running_upstream(latency_ms: float) -> Iterator[tuple[str, psutil.Process]]:
    port = free_port()
    command = [sys.executable, str(HERE / "quick_upstream.py"), "--port", str(port), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_there(url), "the stand-in answers")
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def is_there(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(url, timeout=5).status_code == 404
    return False


def compare(
    options: argparse.Namespace, concurrency: int, file: Path, folder: Path, server: str, upstream: str
) -> dict[str, Any]:
    settings = UNLIMITED | {
        "POSTCODES_IO_URL": upstream,
        "POSTCODES_IO_MAX_CONCURRENCY": str(concurrency // options.processes),
        "POSTCODE_CONSUMER_PROCESSES": str(options.processes),
        "WORKERS": str(options.workers),
        "FAN_OUT": str(options.fan_out),
        "SECRET_KEY": "bench",
        "INTERNAL_TOKEN": "bench",
    }
    ours: list[Cost] = []
    bare: list[Cost] = []

    def this_project(databases: measure.Databases) -> None:
        with running_stack(folder / f"data-{time.time_ns()}", **settings | databases.environment) as stack:
            ours.append(measure.one_upload(stack, file, server))

    def bare_script(databases: measure.Databases) -> None:
        where = ["--upstream", upstream, "--database", databases.script, "--concurrency", str(concurrency)]
        rows, cost = measure.one_script("bare.py", file, *where, server=server)
        assert rows == options.rows
        bare.append(cost)

    for number in range(options.rounds):
        with measure.new_databases(server, folder) as databases:
            for run in (this_project, bare_script) if number % 2 else (bare_script, this_project):
                run(databases)
        mine, limit = ours[-1], bare[-1]
        print(
            f"{concurrency:>3} at once: {mine.seconds:6.2f} s, bare {limit.seconds:6.2f} s,"
            f" ratio {mine.seconds / limit.seconds:.2f}; CPU s: {cpu_text(mine)}; bare: {cpu_text(limit)}",
            flush=True,
        )
    ratios = [mine.seconds / limit.seconds for mine, limit in zip(ours, bare, strict=True)]
    return {
        "rows": options.rows,
        "concurrency": concurrency,
        "seconds": statistics.median(cost.seconds for cost in ours),
        "bare_seconds": statistics.median(cost.seconds for cost in bare),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "rounds": [asdict(cost) for cost in ours],
        "bare_rounds": [asdict(cost) for cost in bare],
    }


def cpu_text(cost: Cost) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in cost.cpu.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[4, 8, 16], help="calls at once")
    parser.add_argument("--latency-ms", type=float, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fan-out", type=int, default=4, help="calls to postcode_consumer of each worker at once")
    parser.add_argument("--processes", type=int, default=1, help="of postcode_consumer, which share the calls at once")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = ROOT / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    reports = []
    with (
        tempfile.TemporaryDirectory(dir=kept) as name,
        measure.server_of(options.database) as server,
        running_upstream(options.latency_ms) as (upstream, _),
    ):
        file = Path(name) / "locations.csv"
        write_distinct_locations(file, options.rows)
        for concurrency in options.concurrency:
            reports.append(compare(options, concurrency, file, Path(name), server, upstream))
            print(
                f"{concurrency:>3} at once: ratio {reports[-1]['ratio']:.2f} (median of {options.rounds})", flush=True
            )
        if options.json:
            about = {"database": options.database, "latency_ms": options.latency_ms, "fan_out": options.fan_out}
            measure.write_result(options.json, reports, server=server, **about)


if __name__ == "__main__":
    main()
