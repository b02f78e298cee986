"""Single reads through the gateway, hot and cold, before and after: requests a second, and CPU a thousand requests.

    git worktree add /tmp/before main
    python benchmarks/single_reads.py /tmp/before . --index var/bench/index-country --postcodes var/bench/country.csv

Starts the stack of each tree with a local index and asks, in turns, for `--rounds` rounds: for one location again and
again (`hot lookup`), for locations that nobody has asked for (`cold lookup`), for the state of one upload (`hot
upload`), for one page of its rows (`hot page`), and for one postcode (`hot postcode`). Prints the medians of the
rounds, and their ratios to the first tree. `--json FILE` writes them.

`a core` is how many requests a second the busiest process would answer if it had a core for itself: on a busy machine,
and where the client takes one of two cores, only that and the CPU say anything.
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import files  # noqa: E402
import uvloop  # noqa: E402
from measure import cpu_seconds, processes, running, write_result  # noqa: E402

from lookups import PATH, load  # noqa: E402

ROWS = 200


def reads(stack: Any, places: files.Places) -> dict[str, Callable[[], Iterator[str]]]:
    """What is asked for: a path after the other."""
    cold = iter(places.tolist())
    lookup = "{}?latitude={}&longitude={}".format
    latitude, longitude = next(cold)
    postcode = stack.call("GET", lookup(PATH, latitude, longitude)).json()["postcode"].replace(" ", "")
    table = "\n".join(["lat,lon", *(f"{one},{other}" for one, other in (next(cold) for _ in range(ROWS))), ""])
    upload = stack.upload(table.encode())
    stack.wait(upload, lambda seen: bool(seen["indexed_at"]), "its rows are indexed")

    def again(path: str) -> Callable[[], Iterator[str]]:
        return lambda: iter(lambda: path, None)

    return {
        "hot lookup": again(lookup(PATH, latitude, longitude)),
        "cold lookup": lambda: (lookup(PATH, one, other) for one, other in cold),
        "hot upload": again(f"/api/v1/uploads/{upload['id']}/"),
        "hot page": again(f"/api/v1/uploads/{upload['id']}/rows/?page_size=20"),
        "hot postcode": again(f"/api/v1/postcodes/{postcode}/"),
    }


def measure(stack: Any, paths: Iterator[str], runner: asyncio.Runner, options: argparse.Namespace) -> dict[str, float]:
    """One round: requests a second, the median time in ms, CPU in ms a request, and requests a second of a core."""
    port = stack.environment["GATEWAY_PORT"]
    requests = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode()
        for path in paths
    )
    found = processes(stack)
    before, began = cpu_seconds(found), time.perf_counter()
    times: list[float] = []
    while not times:  # on a very busy machine none may come
        times, wrong = runner.run(load(int(port), requests, connections=options.connections, seconds=options.seconds))
        assert not wrong, f"{wrong} answers were not 200"
    took = time.perf_counter() - began
    spent = {name: (after - before[name]) / len(times) * 1e3 for name, after in cpu_seconds(found).items()}
    return {
        "requests_per_second": len(times) / took,
        "median_ms": statistics.median(times),
        "a_core": 1e3 / max(spent.values()),
        **{f"cpu_ms_{name}": spent[name] for name in ("gateway", "file_reader", "postcode_consumer")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="+", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--postcodes", type=Path, required=True)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    places = files.read_places(options.postcodes)
    rounds: dict[tuple[str, str], list[dict[str, float]]] = {}
    with contextlib.ExitStack() as entered:
        folder = Path(entered.enter_context(tempfile.TemporaryDirectory(dir=os.environ.get("DATA_DIR"))))
        runner = entered.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        asked = []
        for number, tree in enumerate(options.trees):
            stack = entered.enter_context(
                running.running_stack(
                    folder / str(number),
                    root=tree.resolve(),
                    LOG_FORMAT="json",  # as without a terminal
                    PYTHONPATH=str(tree.resolve() / "service_kit"),
                    PROVIDER="local",
                    LOCAL_INDEX=str(options.index.resolve()),
                    SECRET_KEY="bench",
                    INTERNAL_TOKEN="bench",
                )
            )
            order = random.Random(3).sample(range(len(places)), len(places) // 2)
            asked.append((str(tree), stack, reads(stack, places[order])))
        for _ in range(options.rounds):
            for name in asked[0][2]:
                for tree_name, stack, paths in asked:
                    figures = measure(stack, paths[name](), runner, options)
                    rounds.setdefault((name, tree_name), []).append(figures)
                    print(f"{name:14} {tree_name:24} {figures['a_core']:8.0f} requests/s a core", flush=True)
    report = {
        key: {part: statistics.median(one[part] for one in measured) for part in measured[0]}
        for key, measured in rounds.items()
    }
    for (name, tree_name), figures in report.items():
        first = report[name, str(options.trees[0])]
        ratio = figures["a_core"] / first["a_core"]
        print(
            f"{name:14} {tree_name:24} {ratio:5.2f} ×", json.dumps({part: round(f, 3) for part, f in figures.items()})
        )
    if options.json:
        write_result(options.json, [{"read": name, "tree": tree, **part} for (name, tree), part in report.items()])


if __name__ == "__main__":
    main()
