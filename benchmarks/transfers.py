"""Files through the gateway: how quickly an upload is taken, and how quickly its result.csv comes back.

    python benchmarks/transfers.py --database sqlite --rows 2600000 --rounds 5

Sends a file of `--megabytes` as it is and as a form, with nobody to work on it; then one of `--rows`, waits until it is
done, and takes its result. Prints MB and rows per second, CPU seconds by process (per 100 MB, per million rows) and
peak memory of each process; `--json FILE` writes all of it.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import measure
import requests
from end_to_end import add_country, index_of
from files import read_places, write_locations
from measure import ROOT
from stack import Stack, peak_bytes, running_stack

PIECE_BYTES = 1 << 18
BOUNDARY = b"benchmark"
NAMES = {"raw": "upload, the file itself", "form": "upload, as a form", "result": "result.csv"}
#: Nothing takes longer, on any machine.
SECONDS = 600.0


@dataclass
class Transfer:
    """One file on its way. Seconds of the clock, and of the CPU by process; bytes; peaks since the processes began."""

    size: int
    seconds: float
    first_seconds: float
    cpu: dict[str, float]
    peak: dict[str, int]


def measured(stack: Stack, transfer: Callable[[], tuple[int, float]]) -> Transfer:
    """Runs a transfer, which gives the number of bytes and the time of the first byte of the answer."""
    found = {name: group for name, group in measure.processes(stack).items() if name in ("gateway", "file_reader")}
    before, began = measure.cpu_seconds(found), time.perf_counter()
    size, first = transfer()
    seconds = time.perf_counter() - began
    spent = {name: after - before[name] for name, after in measure.cpu_seconds(found).items()}
    peak = {name: max(map(peak_bytes, group)) for name, group in found.items()}
    return Transfer(size, seconds, first - began, spent, peak)


def send(stack: Stack, file: Path, *, as_form: bool) -> dict[str, Any]:
    """Sends a file in large pieces, and its length before; gives the upload."""
    head = tail = b""
    if as_form:
        head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="bench.csv"\r\n\r\n' % BOUNDARY
        tail = b"\r\n--%s--\r\n" % BOUNDARY

    def pieces() -> Iterator[bytes]:
        yield head
        with file.open("rb") as body:
            while piece := body.read(PIECE_BYTES):
                yield piece
        yield tail

    size = file.stat().st_size
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}" if as_form else "text/csv",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    # requests would send a body of a known length in pieces of 16 kB.
    connection = HTTPConnection(urlsplit(stack.url).netloc, timeout=SECONDS)
    with closing(connection):
        connection.request("POST", "/api/v1/uploads/", pieces(), headers)
        answer = connection.getresponse()
        upload: dict[str, Any] = json.loads(answer.read())
    assert answer.status == 202, upload
    assert upload["size"] == size
    return upload


def uploads(data_dir: Path, file: Path, settings: dict[str, str], rounds: int) -> dict[str, list[Transfer]]:
    """Sends a file as it is and as a form, in turn. Nothing of it is left."""
    done: dict[str, list[Transfer]] = {"raw": [], "form": []}
    sent: list[dict[str, Any]] = []

    def transfer(*, as_form: bool) -> tuple[int, float]:
        sent.append(send(stack, file, as_form=as_form))
        return file.stat().st_size, time.perf_counter()

    with running_stack(data_dir, **settings | {"WORKERS": "0"}) as stack:
        for _ in range(rounds):
            for name, transfers in done.items():
                transfers.append(measured(stack, partial(transfer, as_form=name == "form")))
                stack.call("DELETE", sent[-1]["links"]["self"])
                for path in (data_dir / "uploads" / "files").iterdir():
                    path.unlink()
    return done


def downloads(data_dir: Path, file: Path, rows: int, settings: dict[str, str], rounds: int) -> list[Transfer]:
    with running_stack(data_dir, **settings) as stack:
        upload = stack.wait_until_done(send(stack, file, as_form=False), seconds=3_600)

        def transfer() -> tuple[int, float]:
            size = lines = 0
            first = 0.0
            with requests.get(upload["links"]["result_csv"], stream=True, timeout=SECONDS) as answer:
                assert answer.status_code == 200, answer.text
                for piece in answer.iter_content(PIECE_BYTES):
                    first = first or time.perf_counter()
                    size += len(piece)
                    lines += piece.count(b"\n")
            assert lines == rows + 1, lines
            return size, first

        return [measured(stack, transfer) for _ in range(rounds)]


def report(name: str, transfers: list[Transfer], *, of: float, unit: str) -> dict[str, Any]:
    """Prints and returns the medians; a transfer is `of` units, for each of which the CPU seconds are."""
    size = transfers[0].size
    speed = statistics.median(size / done.seconds for done in transfers) / 1e6
    cpu = {key: statistics.median(done.cpu[key] for done in transfers) / of for key in transfers[0].cpu}
    peak = {key: max(done.peak[key] for done in transfers) for key in transfers[0].peak}
    print(
        f"{name:>10}: {speed:7.1f} MB/s, CPU s per {unit}: { ({key: round(value, 3) for key, value in cpu.items()}) },"
        f" peak MB: { ({key: value >> 20 for key, value in peak.items()}) }",
        flush=True,
    )
    mib = {key: value / 2**20 for key, value in peak.items()}
    return {
        "mb_per_second": speed,
        f"cpu_per_{unit.replace(' ', '_')}": cpu,
        "peak_mib": mib,
        "rounds": [asdict(done) for done in transfers],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=2_600_000)
    parser.add_argument("--megabytes", type=int, default=500, help="of the file that is sent; 0 leaves that out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--index", type=Path, help="its index, if it is built")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = ROOT / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    options.postcodes = options.postcodes or add_country(kept)
    index = options.index or index_of(options.postcodes, kept / f"index-{options.postcodes.name.split('.')[0]}")
    settings = {"PROVIDER": "local", "LOCAL_INDEX": str(index), "INTERNAL_TOKEN": "bench", "SECRET_KEY": "bench"}
    found: dict[str, Any] = {"database": options.database, "rows": options.rows}
    with (
        tempfile.TemporaryDirectory(dir=kept) as name,
        measure.server_of(options.database) as server,
        measure.new_databases(server, Path(name)) as databases,
    ):
        made = databases.environment
        file = Path(name) / "locations.csv"
        write_locations(file, options.rows, read_places(options.postcodes))
        if options.megabytes:
            large = Path(name) / "large.csv"
            body = file.read_bytes().partition(b"\n")[2]
            with large.open("wb") as target:
                target.write(b"lat,lon\n")
                while target.tell() < options.megabytes * 1e6:
                    target.write(body)
            for kind, sent in uploads(Path(name) / "up", large, settings | made, options.rounds).items():
                found[kind] = report(kind, sent, of=large.stat().st_size / 1e8, unit="100 MB")
            large.unlink()
        taken = downloads(Path(name) / "down", file, options.rows, settings | made, options.rounds)
    found["result"] = report("result.csv", taken, of=options.rows / 1e6, unit="million rows")
    speed = found["result"]["rows_per_second"] = statistics.median(options.rows / done.seconds for done in taken)
    first = found["result"]["first_seconds"] = statistics.median(done.first_seconds for done in taken)
    print(f"{'':>10}  {speed:,.0f} rows/s, the first byte after {first:.2f} s", flush=True)
    if options.json:
        kinds = [kind for kind in ("raw", "form", "result") if kind in found]
        records = [{"what": NAMES[kind], **found[kind]} for kind in kinds]
        measure.write_result(options.json, records, database=options.database, rows=options.rows)


if __name__ == "__main__":
    main()
