"""Whether one owner's large files keep another's small one waiting, and whether two owners have equal shares.

    python benchmarks/fairness.py [--database postgresql] [--workers 2 10] [--provider upstream sandbox]

Ann sends two files of `--rows` rows. At three moments of their work Ben sends a hundred rows: what counts is the share
of Ann's rows that is done between his request and his last answer (10 % at most are wanted). Then he sends a file as
large as one of hers, and both have work: Jain's index of the rows that each had done in that time (1 is equal, 0.5 is
all for one; 0.95 is wanted), and the lowest of its windows of five seconds.

`upstream` is an external API that answers after 50 ms (`quick_upstream.py`). Prints a table; `--json FILE` keeps it.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import measure
from measure import ROOT
from stack import ENDED, Stack, running_stack, wait_for
from upstream import UNLIMITED, running_upstream, write_distinct_locations

SMALL_ROWS = 100
#: When Ben sends a small file: at these shares of Ann's rows.
MOMENTS = (0.05, 0.15, 0.25)
#: Seconds that both owners are watched, and between two looks at them.
WATCHED, WINDOW, LOOK = 20.0, 5.0, 0.5


class Owner:
    """A user with a key, and the files that were sent with it."""

    def __init__(self, stack: Stack, name: str) -> None:
        command = [sys.executable, "manage.py", "make_key", name, "--create-user"]
        environment = stack.environment | secrets_of(stack)
        said = subprocess.check_output(command, cwd=ROOT / "file_reader", env=environment, text=True)
        self._headers = {"Authorization": f"Bearer {said.split()[-1]}"}
        self._stack = stack

    def send(self, file: Path) -> str:
        headers = {"Content-Type": "text/csv", **self._headers}
        with file.open("rb") as body:
            answer = self._stack.call("POST", "/api/v1/uploads/", data=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["links"]["self"])

    def look(self, address: str) -> dict[str, Any]:
        return dict(self._stack.call("GET", address, headers=self._headers).json())

    def answered(self, *addresses: str) -> int:
        rows = [self.look(address)["rows"] for address in addresses]
        return sum(each["read"] - each["pending"] for each in rows)


def secrets_of(stack: Stack) -> dict[str, str]:
    return {name: stack.environment[name] for name in ("SECRET_KEY", "INTERNAL_TOKEN")}


def jain(shares: tuple[int, int]) -> float:
    squares = sum(share**2 for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def measured(stack: Stack, folder: Path, rows: int) -> dict[str, Any]:
    ann, ben = Owner(stack, "ann"), Owner(stack, "ben")
    large, small = folder / "large.csv", folder / "small.csv"
    hers = [ann.send(large), ann.send(large)]
    shares, seconds = [], []
    for moment in MOMENTS:
        wait_for(lambda least=moment * 2 * rows: ann.answered(*hers) >= least, "Ann's rows are done", seconds=600)
        before, began = ann.answered(*hers), time.monotonic()
        his = ben.send(small)
        while ben.look(his)["state"] not in ENDED:
            time.sleep(0.02)
        seconds.append(time.monotonic() - began)
        shares.append((ann.answered(*hers) - before) / (2 * rows))
    # From when the first row of his large file is done.
    his = ben.send(large)
    wait_for(lambda: ben.answered(his), "Ben's rows are begun", seconds=60)
    looks = [(time.monotonic(), ann.answered(*hers), ben.answered(his))]
    while looks[-1][0] - looks[0][0] < WATCHED and ben.look(his)["state"] not in ENDED:
        if all(ann.look(address)["state"] in ENDED for address in hers):
            break
        time.sleep(LOOK)
        looks.append((time.monotonic(), ann.answered(*hers), ben.answered(his)))
    begun, ended = looks[0], looks[-2] if len(looks) > 2 else looks[-1]  # at the last look one may have been done
    done = ended[1] - begun[1], ended[2] - begun[2]
    windows = list(windows_of(looks[:-1]))
    return {
        "share": max(shares),
        "shares": shares,
        "seconds": statistics.median(seconds),
        "rows_per_second": sum(done) / max(ended[0] - begun[0], 1e-3),
        "done": done,
        "jain": jain(done),
        "jain_of_windows": min(windows, default=jain(done)),
    }


def windows_of(looks: list[tuple[float, int, int]]) -> Iterator[float]:
    for begin in looks:
        end = next((look for look in looks if look[0] >= begin[0] + WINDOW), None)
        if end is not None:
            yield jain((end[1] - begin[1], end[2] - begin[2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 10])
    parser.add_argument("--provider", choices=("upstream", "sandbox"), nargs="+", default=["upstream"])
    parser.add_argument("--rows", type=int, default=200_000, help="of each of the large files")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    providers: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]] = {
        "upstream": lambda: running_upstream(50),
        "sandbox": lambda: contextlib.nullcontext(("", None)),
    }
    reports = []
    print("provider   database    workers   share of others' rows   seconds   rows/s   Jain   of 5 s", flush=True)
    with measure.server_of(options.database) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_distinct_locations(folder / "large.csv", options.rows)
        write_distinct_locations(folder / "small.csv", SMALL_ROWS, seed=2)
        for provider in options.provider:
            for workers in options.workers:
                with providers[provider]() as (url, _), measure.new_databases(server, folder) as databases:
                    settings = UNLIMITED | {"POSTCODES_IO_URL": url} if provider == "upstream" else {}
                    settings |= {"WORKERS": str(workers), "AUTH": "required", "SECRET_KEY": "b", "INTERNAL_TOKEN": "b"}
                    settings |= {"REQUESTS_PER_MINUTE": "0"}  # this looks more often
                    with running_stack(folder / f"{provider}-{workers}", **databases.environment, **settings) as stack:
                        report = measured(stack, folder, options.rows)
                reports.append({"provider": provider, "workers": workers} | report)
                print(
                    f"{provider:<10} {options.database:<11} {workers:>7}   {report['share']:>22.1%}"
                    f"   {report['seconds']:>7.1f}   {report['rows_per_second']:>6,.0f}   {report['jain']:.3f}"
                    f"   {report['jain_of_windows']:.3f}",
                    flush=True,
                )
        if options.json:
            measure.write_result(options.json, reports, server=server, database=options.database)


if __name__ == "__main__":
    main()
