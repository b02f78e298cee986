"""Single lookups through the gateway: requests a second, and what each process spends on them.

    python benchmarks/lookups.py --index var/bench/index-gb_postcodes --postcodes gb_postcodes.csv.gz

Starts the whole stack, with the local index and then with an external API (a stand-in) whose answers are all known
already, and asks for one location after the other over connections that are kept. The client does no more than write a
request and look for the end of its answer, so that it is not what limits. `--json FILE` writes the figures.

On a machine with two cores the client takes some of them: the CPU for 1,000 requests is what to compare.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "fakes")]

import files  # noqa: E402
import uvloop  # noqa: E402
from end_to_end import add_country, index_of  # noqa: E402
from measure import ROOT, cpu_seconds, processes, write_result  # noqa: E402
from postcodes_io import Postcode, running_postcodes_io  # noqa: E402
from stack import Stack, running_stack  # noqa: E402

LOCATIONS = 2_000
PATH = "/api/v1/reverse-geocode/"


class Connection(asyncio.Protocol):
    """Sends a request, and the next one as soon as its answer is complete. Counts, and keeps the times in ms.

    An answer without `expected` in it is wrong.
    """

    def __init__(self, requests: Iterator[bytes], expected: bytes) -> None:
        self._requests = requests
        self._expected = expected
        self._seen = b""
        self.times: list[float] = []
        self.wrong = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if not found:
            return
        _, _, rest = head.lower().partition(b"content-length:")
        if len(body) < int(rest.partition(b"\r\n")[0]):
            return
        self.times.append((time.perf_counter() - self._sent) * 1e3)
        self.wrong += not head.startswith(b"HTTP/1.1 200") or self._expected not in body
        self._seen = b""
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def close(self) -> None:
        self._transport.close()


async def load(
    port: int, requests: Iterator[bytes], *, connections: int, seconds: float, expected: bytes = b""
) -> tuple[list[float], int]:
    """Asks for that long; the times of all answers in ms, and how many were wrong."""
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(requests, expected), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds)
    for connection in opened:
        connection.close()
    return [took for connection in opened for took in connection.times], sum(one.wrong for one in opened)


def measure(stack: Stack, places: files.Places, options: argparse.Namespace) -> dict[str, Any]:
    port = int(stack.environment["GATEWAY_PORT"])
    requests = [
        f"GET {PATH}?latitude={latitude}&longitude={longitude} HTTP/1.1\r\nHost: localhost:{port}\r\n"
        "User-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\r\n".encode()
        for latitude, longitude in places.tolist()
    ]
    rounds = []
    asking = partial(load, port, cycle(requests), connections=options.connections, expected=b'"status":"match"')
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asking(seconds=1.0))
        for _ in range(options.rounds):
            found = processes(stack)
            before, own, began = cpu_seconds(found), time.process_time(), time.perf_counter()
            times, wrong = runner.run(asking(seconds=options.seconds))
            took = time.perf_counter() - began
            assert not wrong, f"{wrong} answers were not a match"
            spent = {name: after - before[name] for name, after in cpu_seconds(found).items()}
            spent["client"] = time.process_time() - own
            rounds.append(
                {
                    "requests_per_second": len(times) / took,
                    "median_ms": statistics.median(times),
                    "p95_ms": statistics.quantiles(times, n=20)[-1],
                    "cpu_per_1000": {name: seconds / len(times) * 1_000 for name, seconds in spent.items()},
                }
            )
    report: dict[str, Any] = {
        name: statistics.median(one[name] for one in rounds) for name in ("requests_per_second", "median_ms", "p95_ms")
    }
    report["cpu_per_1000"] = {
        name: statistics.median(one["cpu_per_1000"][name] for one in rounds) for name in rounds[0]["cpu_per_1000"]
    }
    return report


@contextlib.contextmanager
def stack_of(provider: str, folder: Path, places: files.Places, options: argparse.Namespace) -> Iterator[Stack]:
    """The stack, to which all of the places are known."""
    settings = {"WORKERS": "0", "SECRET_KEY": "bench", "INTERNAL_TOKEN": "bench", "PROVIDER": provider}
    with contextlib.ExitStack() as entered:
        if provider == "local":
            settings["LOCAL_INDEX"] = str(options.index.resolve())
        else:
            postcodes = [
                Postcode(f"B{number // 400 + 1} {number % 400 // 20}AA", latitude, longitude)
                for number, (latitude, longitude) in enumerate(places.tolist())
            ]
            upstream = entered.enter_context(running_postcodes_io(postcodes))
            settings |= {"POSTCODES_IO_URL": upstream.url, "POSTCODES_IO_CALLS_PER_SECOND": "0"}
        stack = entered.enter_context(running_stack(folder, **settings))
        for start in range(0, len(places), 1_000):
            locations = [
                {"latitude": latitude, "longitude": longitude}
                for latitude, longitude in places[start : start + 1_000].tolist()
            ]
            assert stack.call("POST", PATH, json={"locations": locations}).status_code == 200
        yield stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="a local index of that file that is there already")
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--providers", nargs="+", default=["local", "postcodes_io"])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = ROOT / "var" / "bench"
    options.postcodes = options.postcodes or add_country(kept)
    options.index = options.index or index_of(options.postcodes, kept / f"index-{options.postcodes.name.split('.')[0]}")
    everywhere = files.read_places(options.postcodes)
    places = everywhere[random.Random(3).sample(range(len(everywhere)), LOCATIONS)]
    reports = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("DATA_DIR")) as name:
        for provider in options.providers:
            with stack_of(provider, Path(name) / provider, places, options) as stack:
                reports[provider] = measure(stack, places, options)
            print(provider, json.dumps(reports[provider], indent=1), flush=True)
    if options.json:
        write_result(options.json, reports)


if __name__ == "__main__":
    main()
