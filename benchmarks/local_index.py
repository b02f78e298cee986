#!/usr/bin/env python3
"""The local index on real data: are its answers right, and what does it cost?

    .venv/bin/python benchmarks/local_index.py gb_postcodes.csv.gz [--locations 20000] [--seconds 5]

- Builds the index from the file, in a folder of its own, and loads it.
- Compares its answers with a search by brute force that shares no code with it (`tests/truth.py`: the WGS 84 geodesic
  of pyproj to every postcode around), at locations of four kinds: all over the country, near postcodes, exactly where
  several postcodes are, and half-way between neighbours.
- Measures lookups a second: a bare loop over a tree of the places, to compare with, the index, the provider, and the
  HTTP endpoint under gunicorn with 1 and 2 processes, with 1,000 locations a call; the client is on the same machine
  and encodes and decodes.
- Says what memory a process takes.

It prints a table. Exit code 1 when any answer is wrong.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "postcode_consumer"
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "fakes"), str(SERVICE)]
os.environ.update(SECRET_KEY="benchmark", INTERNAL_TOKEN="benchmark", DJANGO_SETTINGS_MODULE="consumer_config.settings")

import django  # noqa: E402 (the paths above)

django.setup()  # the providers have models beside them

import msgspec  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402
from stack import free_port  # noqa: E402
from truth import EXACTLY_SAME_DISTANCE, Postcodes  # noqa: E402

from lookups.answers import Location  # noqa: E402
from lookups.deadline import Deadline  # noqa: E402
from lookups.index.file import load  # noqa: E402
from lookups.index.search import Index  # noqa: E402
from lookups.providers.local import Local  # noqa: E402

Floats = NDArray[np.float64]
Places = tuple[Floats, Floats]

A_CALL = 1_000
MAX_DISTANCE = 20_000.0
ROUNDS = 5
CLIENT_THREADS = 4
SOUTH, NORTH, WEST, EAST = 49.8, 60.9, -8.7, 1.8


def row(what: str, value: str) -> None:
    """One line of the table."""
    print(f"{what:<58}{value:>22}", flush=True)


# --- Are the answers right? ------------------------------------------------------------------------------------------
def locations(index: Index, postcodes: Postcodes, count: int, rng: np.random.Generator) -> dict[str, Places]:
    """The four kinds of locations, a quarter of `count` each, in degrees."""
    places, each = index.places, count // 4
    some = rng.integers(0, len(places.details["latitude"]), each)
    other = cKDTree(places.positions).query(places.positions[some], k=2)[1][:, 1]
    shared = rng.choice(_shared(postcodes), each)
    return {
        "all over the country": (rng.uniform(SOUTH, NORTH, each), rng.uniform(WEST, EAST, each)),
        "near postcodes": (
            places.details["latitude"][some] + rng.normal(0, 0.002, each),
            places.details["longitude"][some] + rng.normal(0, 0.003, each),
        ),
        "exactly where several postcodes are": (shared.real, shared.imag),
        "half-way between neighbours": (
            (places.details["latitude"][some] + places.details["latitude"][other]) / 2,
            (places.details["longitude"][some] + places.details["longitude"][other]) / 2,
        ),
    }


def _shared(postcodes: Postcodes) -> NDArray[np.complex128]:
    """Coordinates that several postcodes have; the latitude is the real part."""
    coordinates, counts = np.unique(postcodes._latitudes + 1j * postcodes._longitudes, return_counts=True)
    found: NDArray[np.complex128] = coordinates[counts > 1]
    return found


def disagreements(index: Index, postcodes: Postcodes, places: Places) -> list[str]:
    """Where the index and brute force differ: in the postcode, by more than 0.1 m, or in whether there is one."""
    numbers, metres, found = index.nearest(*places, MAX_DISTANCE)
    names = index.places.details["postcode"][numbers].astype(str)
    wrong = []
    for latitude, longitude, name, distance, is_match in zip(*places, names, metres, found, strict=True):
        truth = nearest_by_brute_force(postcodes, latitude, longitude)
        given = (float(distance), str(name)) if is_match else None
        right = given == truth if None in (given, truth) else given[1] == truth[1] and abs(given[0] - truth[0]) < 0.1
        if not right:
            wrong.append(f"({latitude}, {longitude}): {given} instead of {truth}")
    return wrong


def nearest_by_brute_force(postcodes: Postcodes, latitude: float, longitude: float) -> tuple[float, str] | None:
    """Distance and name; of those at one distance the first in the alphabet; None when none is in reach."""
    reach = 150.0
    while True:
        near = [one for one in postcodes.nearby(latitude, longitude, reach) if one[0] <= reach]
        if near or reach >= MAX_DISTANCE:
            break
        reach = min(4 * reach, MAX_DISTANCE)
    if not near:
        return None
    least = min(distance for distance, _ in near)
    return least, min(name for distance, name in near if distance <= least + EXACTLY_SAME_DISTANCE)


# --- What does it cost? ----------------------------------------------------------------------------------------------
def rate(work: Callable[[Any], object], slices: Sequence[Any], threads: int, seconds: float) -> float:
    """Locations a second: each thread goes through its share of the slices again and again."""
    done = [0] * threads
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        while True:
            for one in slices[number::threads]:
                work(one)
                done[number] += A_CALL
                if time.perf_counter() > end:
                    return

    started = time.perf_counter()
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.perf_counter() - started)


@contextmanager
def endpoint(index_folder: Path, processes: int) -> Iterator[tuple[int, int]]:
    """The service under gunicorn: its port and the process id of the master."""
    port = free_port()
    environment = os.environ | {
        "DATA_DIR": str(index_folder),
        "LOCAL_INDEX": str(index_folder),
        "PROVIDER": "local",
        "POSTCODE_CONSUMER_PORT": str(port),
        "POSTCODE_CONSUMER_PROCESSES": str(processes),
        "POSTCODE_CONSUMER_DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "consumer_config/gunicorn.conf.py", "consumer_config.wsgi"]
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=SERVICE, env=environment, check=True)
    process = subprocess.Popen(command, cwd=SERVICE, env=environment, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(35)


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def caller(port: int) -> Callable[[list[Location]], None]:
    """Asks the endpoint, with a connection for each thread. Questions are written once, and answers only counted: what
    is measured is the service, while a caller's own work depends on the caller.
    """
    local = threading.local()
    bodies: dict[int, bytes] = {}

    def ask(asked: list[Location]) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port)
            local.connection.connect()
            local.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if id(asked) not in bodies:
            bodies[id(asked)] = msgspec.json.encode({"locations": asked, "max_distance": 2000})
        headers = {"X-Internal-Token": "benchmark"}
        local.connection.request("POST", "/api/v1/reverse-geocode/", bodies[id(asked)], headers)
        if local.connection.getresponse().read().count(b'"status":') != len(asked):
            raise SystemExit("the endpoint answered something else")

    return ask


def memory(pid: int) -> dict[str, int]:
    """Megabytes: resident, and of it what other processes share, and what is this one's own."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    size = {name: int(kib) / 1024 for name, kib in re.findall(r"(\w+): +(\d+) kB", text)}
    shared = size["Shared_Clean"] + size["Shared_Dirty"]
    return {"resident": round(size["Rss"]), "shared": round(shared), "private": round(size["Rss"] - shared)}


def cpu_a_location(ask: Callable[[Any], object], lists: Sequence[Any], master: int, seconds: float) -> float:
    """Microseconds of the service's processes: steadier than rates where others use the machine."""
    before, started = cpu_seconds(master), time.perf_counter()
    asked = rate(ask, lists, CLIENT_THREADS, seconds) * (time.perf_counter() - started)
    return 1e6 * (cpu_seconds(master) - before) / asked


def cpu_seconds(master: int) -> float:
    """Of the worker processes of that master, so far."""
    ticks = 0
    for child in children(master):
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="The local index on real data: are its answers right, and how quick?")
    parser.add_argument("file", type=Path, help="CSV with postcode, latitude, longitude; or .gz")
    parser.add_argument("--locations", type=int, default=20_000, help="how many answers are checked")
    parser.add_argument("--seconds", type=float, default=3, help="how long each rate is measured, each round")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["DATA_DIR"] = temporary
        started = time.perf_counter()
        command = [sys.executable, "manage.py", "build_index", str(options.file.resolve()), "--output", temporary]
        subprocess.run(command, cwd=SERVICE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        row("build, whole command", f"{time.perf_counter() - started:.1f} s")
        row("build, peak memory", f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
        started = time.perf_counter()
        index = Index(load(folder))
        row("load", f"{time.perf_counter() - started:.2f} s")
        row("places", f"{len(index.places.details):,}")

        wrong = check(index, options.file, options.locations, rng)
        measure(index, folder, options.seconds, rng)
    return 1 if wrong else 0


def check(index: Index, file: Path, count: int, rng: np.random.Generator) -> list[str]:
    """Prints how many answers agree; the ones that do not."""
    postcodes = Postcodes(file)
    wrong: list[str] = []
    for kind, places in locations(index, postcodes, count, rng).items():
        found = disagreements(index, postcodes, places)
        row(f"agree with brute force, {kind}", f"{len(places[0]) - len(found):,} of {len(places[0]):,}")
        wrong += found
    for line in wrong[:20]:
        print("  ", line)
    return wrong


def measure(index: Index, folder: Path, seconds: float, rng: np.random.Generator) -> None:
    """Prints rates (medians of several rounds, in which all take turns) and memory."""
    places = index.places
    some = rng.integers(0, len(places.details["latitude"]), 100_000)
    # Six decimals, as files have them.
    latitudes = (places.details["latitude"][some] + rng.normal(0, 0.002, len(some))).round(6)
    longitudes = (places.details["longitude"][some] + rng.normal(0, 0.003, len(some))).round(6)
    arrays = [(latitudes[n : n + A_CALL], longitudes[n : n + A_CALL]) for n in range(0, len(some), A_CALL)]
    lists = [[Location(*pair) for pair in zip(a.tolist(), b.tolist(), strict=True)] for a, b in arrays]
    from lookups.index.ellipsoid import earth_centred

    positions = [earth_centred(*one) for one in arrays]
    provider = Local(folder)
    with endpoint(folder, 1) as (port_1, master_1), endpoint(folder, 2) as (port_2, master_2):
        bare, ask_1, ask_2 = cKDTree(places.positions, leafsize=32).query, caller(port_1), caller(port_2)
        candidates: dict[str, Callable[[], float]] = {
            "bare loop over the tree, 1 thread": lambda: rate(bare, positions, 1, seconds),
            "bare loop over the tree, 2 threads": lambda: rate(bare, positions, 2, seconds),
            "index, 1 thread": lambda: rate(lambda one: index.nearest(*one, 2_000.0), arrays, 1, seconds),
            "index, 2 threads": lambda: rate(lambda one: index.nearest(*one, 2_000.0), arrays, 2, seconds),
            "provider, 1 thread": lambda: rate(
                lambda one: provider.reverse_geocode(one, 2_000.0, Deadline(10)), lists, 1, seconds
            ),
            "HTTP endpoint, 1 process": lambda: rate(ask_1, lists, CLIENT_THREADS, seconds),
            "HTTP endpoint, 2 processes": lambda: rate(ask_2, lists, CLIENT_THREADS, seconds),
        }
        rates: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(ROUNDS):
            for name, candidate in candidates.items():
                rates[name].append(candidate())
        for name, found in rates.items():
            row(f"{name}, locations/s", f"{statistics.median(found):,.0f} (best {max(found):,.0f})")
        row("CPU of the service, µs a location", f"{cpu_a_location(ask_1, lists, master_1, seconds):.1f}")
        for worker in children(master_1) + children(master_2):
            row(f"memory of worker {worker}", "")
            for name, megabytes in memory(worker).items():
                row(f"    {name}", f"{megabytes} MB")


if __name__ == "__main__":
    sys.exit(main())
