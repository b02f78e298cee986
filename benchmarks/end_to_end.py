"""From the upload to the last row: this project, a bare script and the usual way, in turn, in one run.

    python benchmarks/end_to_end.py --database sqlite --rows 10000 1000000 --rounds 5

Prints rows per second of each, their medians and ratios, CPU seconds per million rows and peak memory of each process;
`--json FILE` writes all of it. Files of more than a million rows take `--large-rounds` rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import files
import measure
from measure import ROOT, Cost
from stack import running_stack

#: Rows for the usual way: its rate does not depend on their number, and it is slow.
USUAL_ROWS = 1_000
LARGE = 1_000_000


def index_of(postcodes: Path, folder: Path) -> Path:
    """The local index of a postcode file, built unless it is there."""
    if not folder.exists():
        environment = {**os.environ, "SECRET_KEY": "bench", "INTERNAL_TOKEN": "bench", "LOCAL_INDEX": str(folder)}
        command = [sys.executable, "manage.py", "build_index", str(postcodes.absolute())]
        subprocess.run(command, cwd=ROOT / "postcode_consumer", env=environment, check=True)
    return folder


def add_country(folder: Path) -> Path:
    """The postcode file of a made-up country, written unless it is there."""
    path = folder / "country.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        files.write_country(path)
    return path


def compare(options: argparse.Namespace, file: Path, rows: int, folder: Path, server: str) -> dict[str, Any]:
    settings = {
        "PROVIDER": "local",
        "LOCAL_INDEX": str(options.index),
        "INTERNAL_TOKEN": "bench",
        "SECRET_KEY": "bench",
    }
    ours: list[Cost] = []
    bare: list[Cost] = []
    usual: list[Cost] = []
    for number in range(options.large_rounds if rows > LARGE else options.rounds):
        with measure.new_databases(server, folder) as databases:
            workers = databases.environment | {"WORKERS": str(options.workers)}
            with running_stack(folder / f"data-{rows}-{number}", **settings | workers) as stack:
                ours.append(measure.one_upload(stack, file, server))
            line = f"{rows:>9,} rows: {rows / ours[-1].seconds:>9,.0f} rows/s"
            if options.scripts:
                with running_stack(folder / f"scripts-{rows}-{number}", **settings | {"WORKERS": "0"}) as stack:
                    where = ["--consumer", f"http://127.0.0.1:{stack.environment['POSTCODE_CONSUMER_PORT']}"]
                    where += ["--token", "bench", "--database"]
                    stored, cost = measure.one_script("bare.py", file, *where, databases.script, server=server)
                    assert stored == rows
                    bare.append(cost)
                    url = databases.script if server else f"sqlite:///{databases.script}"
                    few = ["--rows", str(USUAL_ROWS)]
                    usual.append(measure.one_script("usual.py", file, *where, url, *few, server=server)[1])
                line += f", bare {rows / bare[-1].seconds:>9,.0f}, usual {USUAL_ROWS / usual[-1].seconds:>6,.0f}"
        print(line, flush=True)
    report = {"rows": rows} | summary(ours, rows)
    if bare:
        report["bare"] = summary(bare, rows)
        report["usual"] = summary(usual, USUAL_ROWS)
        report["of_bare"] = statistics.median(
            limit.seconds / mine.seconds for mine, limit in zip(ours, bare, strict=True)
        )
        report["times_usual"] = report["speed"] / report["usual"]["speed"]
    return report


def summary(costs: Sequence[Cost], rows: int) -> dict[str, Any]:
    """Medians of several rounds, the highest peaks, and the rounds themselves."""
    firsts = [cost.first_seconds for cost in costs if cost.first_seconds is not None]
    return {
        "speed": statistics.median(rows / cost.seconds for cost in costs),
        "first_seconds": statistics.median(firsts) if firsts else None,
        "cpu_per_million": {
            name: statistics.median(cost.cpu[name] for cost in costs) / rows * 1e6 for name in costs[0].cpu
        },
        "peak": {name: max(cost.peak[name] for cost in costs) for name in costs[0].peak},
        "rounds": [asdict(cost) for cost in costs],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large-rounds", type=int, default=3, help=f"rounds of files with more than {LARGE:,} rows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--index", type=Path, help="a local index of that file that is there already")
    parser.add_argument("--no-scripts", dest="scripts", action="store_false", help="only this project")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = ROOT / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    options.postcodes = options.postcodes or add_country(kept)
    options.index = options.index or index_of(options.postcodes, kept / f"index-{options.postcodes.name.split('.')[0]}")
    places = files.read_places(options.postcodes)
    reports = []
    with measure.server_of(options.database) as server:
        for rows in options.rows:
            with tempfile.TemporaryDirectory(dir=kept) as name:
                file = Path(name) / "locations.csv"
                files.write_locations(file, rows, places)
                reports.append(compare(options, file, rows, Path(name), server))
            print(described(reports[-1]), flush=True)
        if options.json:
            about = {"database": options.database, "workers": options.workers, "postcodes": options.postcodes.name}
            measure.write_result(options.json, reports, server=server, **about)


def described(report: dict[str, Any]) -> str:
    lines = [f"  first match after {report['first_seconds']:.2f} s"]
    lines += [f"  {what:20} {seconds:6.1f} CPU s a million rows" for what, seconds in report["cpu_per_million"].items()]
    lines += [f"  {what:20} {peak / 2**20:6.0f} MiB at most" for what, peak in report["peak"].items()]
    if "bare" in report:
        lines.append(f"  {report['of_bare']:.2f} of the bare script, {report['times_usual']:.0f} × the usual way")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
