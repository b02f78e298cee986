"""The command line against curl: how quickly a file is sent and its result taken, and how soon a command begins.

    python benchmarks/command_line.py points.csv --server http://127.0.0.1:8080 --rounds 5

The server runs already, and asks for no key. The file is sent by both in turn, each time as an upload that is deleted
at once (with WORKERS=0 nobody works on it meanwhile: `--only send`); then one upload is waited for, and both take its
result in turn. Prints the median seconds of each, and how fast `postcodes` is as a share of curl, from the start of the
program to its end: with its start, the digest of what it sends, and a result that is counted and synced. A command has
begun when a server that does nothing else has its first call; on a machine that is busy, only the CPU seconds say much.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import requests

COMMAND = [sys.executable, "-m", "postcodes_cli"]
PACKAGE = Path(__file__).resolve().parent.parent / "cli"


@dataclass
class Run:
    """Seconds of the clock and of the CPU, and the most memory in bytes."""

    seconds: float
    cpu: float
    peak: int
    said: str


def run(line: list[str], environment: dict[str, str], file: Path = Path(os.devnull)) -> Run:
    """Runs a program to its end, with that file as its standard input."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, file.open("rb") as given:
        process = subprocess.Popen(line, env=os.environ | environment, stdin=given, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"{line} ended with {process.returncode}")
        out.seek(0)
        said = out.read().decode()
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, said)


def told(what: str, size: int, runs: dict[str, list[Run]]) -> None:
    seconds = {name: statistics.median(one.seconds for one in some) for name, some in runs.items()}
    share = seconds["curl"] / seconds["postcodes"]
    print(f"{what}, {size / 1e6:.0f} MB, {len(runs['curl'])} times in turn:")
    for name, some in runs.items():
        cpu, peak = statistics.median(one.cpu for one in some), max(one.peak for one in some)
        every = ", ".join(f"{one.seconds:.2f}" for one in some)
        print(f"  {name:9} {seconds[name]:6.2f} s ({every}), CPU {cpu:.2f} s, peak {peak / 1e6:.0f} MB")
    print(f"  postcodes has {share:.2f} of curl's speed")


def send(server: str, file: Path, rounds: int, environment: dict[str, str]) -> None:
    url = f"{server}/api/v1/uploads/?filename=a.csv"
    lines = {
        # From standard input: behind an address that ends in / curl would put the name of a file.
        "curl": ["curl", "-sf", "--no-progress-meter", "-X", "POST", "-T", ".", "-H", "Content-Type: text/csv", url],
        "postcodes": [*COMMAND, "geocode", str(file), "-q", "--detach", "--again", "--json"],
    }
    runs: dict[str, list[Run]] = {name: [] for name in lines}
    known = ids(server)
    for _ in range(rounds):
        for name, line in lines.items():
            runs[name].append(run(line, environment, file))
            for upload_id in ids(server) - known:
                requests.delete(f"{server}/api/v1/uploads/{upload_id}/", timeout=60).raise_for_status()
    told("Sending", file.stat().st_size, runs)


def ids(server: str) -> set[str]:
    return {str(one["id"]) for one in requests.get(f"{server}/api/v1/uploads/", timeout=60).json()["results"]}


def take(server: str, file: Path, rounds: int, environment: dict[str, str], folder: Path) -> None:
    upload_id = run([*COMMAND, "geocode", str(file), "-q", "--detach"], environment).said.strip()
    run([*COMMAND, "uploads", "watch", upload_id, "-q"], environment)
    lines = {
        "curl": ["curl", "-sf", f"{server}/api/v1/uploads/{upload_id}/result.csv", "-o"],
        "postcodes": [*COMMAND, "uploads", "download", upload_id, "-q", "-o"],
    }
    runs: dict[str, list[Run]] = {name: [] for name in lines}
    contents = set()
    for _ in range(rounds):
        for name, line in lines.items():
            out = folder / f"{name}.csv"
            runs[name].append(run([*line, str(out)], environment))
            contents.add(run(["sha256sum", "-b"], {}, out).said)
            size = out.stat().st_size
            out.unlink()
    if len(contents) != 1:
        raise SystemExit("The results differ")
    told("Taking the result", size, runs)


def begin(rounds: int, environment: dict[str, str], folder: Path) -> None:
    """A server that refuses: the command ends after its first call."""
    first: list[float] = []
    (folder / "points.csv").write_text("lat,lon\n51.501009,-0.141588\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                first.append(time.perf_counter())
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        lines = {"geocode": ["geocode", str(folder / "points.csv"), "--server", url], "--help": ["--help"]}
        for name, line in lines.items():
            seconds, cpu = [], []
            for _ in range(rounds):
                first.clear()
                before, began = os.times(), time.perf_counter()
                subprocess.run([*COMMAND, *line], env=os.environ | environment, capture_output=True, check=False)
                seconds.append((first[0] if first else time.perf_counter()) - began)
                after = os.times()
                spent = sum(after[2:4]) - sum(before[2:4])  # of children that have ended
                cpu.append(spent)
            print(
                f"{name} begins within {statistics.median(seconds):.3f} s (least {min(seconds):.3f}),"
                f" CPU {statistics.median(cpu):.3f} s, of {rounds}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["begin", "send", "take"])
    options = parser.parse_args()
    wanted = [options.only] if options.only else ["begin", "send", "take"]
    with tempfile.TemporaryDirectory(prefix="command-line-") as name:
        folder = Path(name)
        environment = {
            "POSTCODES_SERVER": options.server,
            "POSTCODES_HOME": str(folder / "home"),
            "PYTHONPATH": str(PACKAGE),
        }
        run([*COMMAND, "uploads", "list"], environment)  # from now on, its modules are compiled
        if "begin" in wanted:
            begin(4 * options.rounds, environment, folder)
        if "send" in wanted:
            send(options.server, options.file, options.rounds, environment)
        if "take" in wanted:
            take(options.server, options.file, options.rounds, environment, folder)


if __name__ == "__main__":
    main()
