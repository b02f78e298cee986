"""How politely several processes of postcode_consumer ask together, measured where the calls arrive.

    python benchmarks/politeness.py [--seconds 60] [--processes 4] [--rate 40] [--store sqlite|postgres://…|redis://…]

Clients keep all processes busy with bulk lookups of locations that nobody has asked for before. The stand-in of
postcodes.io takes as many calls in any second as the rate says, and refuses the others. Then it refuses one call with
`Retry-After: 5`. Exit code 1 when there were more calls in a second than the rate and one, when more than 2 % were
refused, or when somebody called in those 5 s.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fakes")]

from stack import free_port  # noqa: E402 (the paths above)

SILENCE = 5
LATENCY_MS = 50
HEADERS = {"X-Internal-Token": "token"}


def main() -> int:
    parser = argparse.ArgumentParser(description="How politely several processes ask together.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rate", type=int, default=40, help="calls a second of all processes together")
    parser.add_argument("--concurrency", type=int, default=4, help="calls in flight in each process")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--store", default="sqlite", help="where the processes agree: sqlite, or a URL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        upstream = running.enter_context(running_upstream(Path(folder)))
        service = running.enter_context(running_service(Path(folder), upstream, options))
        statuses = running.enter_context(clients(service, options.clients))
        # Until the first slots are there and all processes have begun.
        time.sleep(3)
        control(upstream, "reset")
        control(upstream, "faults", calls_per_second=options.rate, latency_ms=LATENCY_MS)
        time.sleep(options.seconds)
        steady, stats = arrivals(upstream), requests.get(f"{upstream}/_control/stats", timeout=10).json()
        control(upstream, "faults", status=429, retry_after=SILENCE, times=1, latency_ms=LATENCY_MS)
        told = time.time()
        time.sleep(SILENCE + 3)
        silent = [at for at in arrivals(upstream) if at >= told]
    return report(options, steady, stats, silent, statuses)


def report(
    options: argparse.Namespace, steady: list[float], stats: dict[str, int], silent: list[float], statuses: Counter[int]
) -> int:
    most = max(bisect_left(steady, at + 1) - index for index, at in enumerate(steady))
    refused = stats["refused"] / stats["calls"]
    before, after = max(pairwise(silent), key=lambda two: two[1] - two[0])
    rows: list[tuple[str, str, bool]] = [
        ("seconds", f"{options.seconds:.0f}", True),
        ("processes, calls in flight in each at most", f"{options.processes}, {options.concurrency}", True),
        ("processes agree in", options.store.partition(":")[0], True),
        ("calls a second allowed", str(options.rate), True),
        ("calls", str(len(steady)), True),
        ("calls a second, mean", f"{len(steady) / (steady[-1] - steady[0]):.1f}", True),
        ("calls in any second, most", str(most), most <= options.rate + 1),
        ("refused", f"{stats['refused']} = {refused:.2%}", refused <= 0.02),
        ("most calls in flight, all processes", str(stats["in_flight_peak"]), True),
        (f"silence after Retry-After: {SILENCE}", f"{after - before:.2f} s", after - silent[0] >= SILENCE),
        ("calls already sent when it was told", str(silent.index(before)), True),
        ("answers to clients", ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items())), True),
    ]
    for name, value, is_right in rows:
        print(f"{name:45} {value}{'' if is_right else '   <-- WRONG'}")
    return 0 if all(is_right for _, _, is_right in rows) else 1


@contextmanager
def clients(service: str, count: int) -> Iterator[Counter[int]]:
    """Ask without pause, 1,000 locations a call, until the block ends. Yields how often each status was answered."""
    statuses: Counter[int] = Counter()
    ended = threading.Event()

    def ask(seed: int) -> None:
        drawn = random.Random(seed)
        while not ended.is_set():
            locations = [{"latitude": drawn.uniform(51, 52), "longitude": drawn.uniform(-1.5, 0)} for _ in range(1_000)]
            body = {"locations": locations, "max_distance": 100}
            answer = requests.post(f"{service}/api/v1/reverse-geocode/", json=body, headers=HEADERS, timeout=60)
            statuses[answer.status_code] += 1

    threads = [threading.Thread(target=ask, args=(seed,), daemon=True) for seed in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def arrivals(upstream: str) -> list[float]:
    calls: list[dict[str, Any]] = requests.get(f"{upstream}/_control/calls", timeout=10).json()
    return sorted(call["at"] for call in calls)


def control(upstream: str, what: str, **values: Any) -> None:
    requests.post(f"{upstream}/_control/{what}", json=values, timeout=10).raise_for_status()


@contextmanager
def running_upstream(folder: Path) -> Iterator[str]:
    from country import POSTCODES
    from postcodes_io_data import FILE_COLUMNS

    data = folder / "postcodes.csv"
    with data.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FILE_COLUMNS)
        for one in POSTCODES:
            writer.writerow([one.postcode, one.latitude, one.longitude, "", "", 1, "E92000001", "", "", ""])
    port = free_port()
    command = ["tests/fakes/postcodes_io.py", "--data", str(data), "--port", str(port), "--latency-ms", str(LATENCY_MS)]
    with running([sys.executable, *command], ROOT, dict(os.environ), lambda: answers(port, "/_control/stats")):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_service(folder: Path, upstream: str, options: argparse.Namespace) -> Iterator[str]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "SECRET_KEY": "secret",
        "INTERNAL_TOKEN": "token",
        "POSTCODES_IO_URL": upstream,
        "POSTCODES_IO_CALLS_PER_SECOND": str(options.rate),
        "POSTCODES_IO_MAX_CONCURRENCY": str(options.concurrency),
        "POSTCODE_CONSUMER_PROCESSES": str(options.processes),
        "POSTCODE_CONSUMER_PORT": str(port),
    }
    if options.store.startswith("redis"):
        environment["CACHE_URL"] = options.store
    elif options.store != "sqlite":
        environment["POSTCODE_CONSUMER_DATABASE_URL"] = options.store
    consumer = ROOT / "postcode_consumer"
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=consumer, env=environment, check=True)
    command = [sys.executable, "-m", "gunicorn", "-c", "consumer_config/gunicorn.conf.py", "consumer_config.wsgi"]
    with running(command, consumer, environment, lambda: answers(port, "/healthz")):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(
    command: list[str], folder: Path, environment: dict[str, str], is_ready: Callable[[], bool]
) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not is_ready():
            if process.poll() is not None:
                raise SystemExit(f"it ended: {command}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int, path: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5).ok
    except requests.ConnectionError:
        return False


if __name__ == "__main__":
    sys.exit(main())
