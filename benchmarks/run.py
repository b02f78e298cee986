"""All benchmarks, one after the other, and then the report: what `make bench` runs. See README.md beside this file.

    python benchmarks/run.py [--rows 10000 100000] [--rounds 3] [--postcodes FILE] [--only upstream]

Results go to `benchmarks/results/`. A benchmark that fails does not keep the others from running; exit code 1 then.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import report
from end_to_end import add_country
from measure import HERE, ROOT

RESULTS = HERE / "results"
DATABASES = ("sqlite", "postgresql")
ROWS = (10_000, 100_000, 1_000_000, 2_600_000)


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """The name of each result, and what makes it."""
    postcodes, rounds, most = str(options.postcodes), str(options.rounds), str(max(options.rows))
    all_rows = [str(rows) for rows in options.rows]
    found: dict[str, list[str]] = {}
    for database in DATABASES:
        on = ["--database", database]
        found[f"end_to_end-{database}"] = [
            "end_to_end.py", *on, "--rows", *all_rows, "--rounds", rounds, "--postcodes", postcodes
        ]  # fmt: skip
        found[f"upstream-{database}"] = [
            "upstream.py", *on, "--rows", str(min(max(options.rows), 100_000)), "--rounds", rounds
        ]  # fmt: skip
        found[f"reads-{database}"] = ["reads.py", *on, "--rows", most, "--postcodes", postcodes]
        found[f"transfers-{database}"] = [
            "transfers.py", *on, "--rows", most, "--rounds", rounds, "--postcodes", postcodes
        ]  # fmt: skip
    found["lookups"] = ["lookups.py", "--rounds", rounds, "--postcodes", postcodes]
    return {name: [*command, "--json", str(RESULTS / f"{name}.json")] for name, command in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--only", default="", help="only those with this in their name")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    options.postcodes = options.postcodes or add_country(ROOT / "var" / "bench")
    failed = []
    for name, command in commands(options).items():
        if options.only in name and (HERE / command[0]).exists():
            print(f"\n=== {name}: {' '.join(command)}", flush=True)
            if subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False).returncode:
                failed.append(name)
    if options.only in "local_index":
        print("\n=== local_index", flush=True)
        done = subprocess.run(
            [sys.executable, str(HERE / "local_index.py"), str(options.postcodes)], check=False, stdout=subprocess.PIPE
        )
        (RESULTS / "local_index.txt").write_bytes(done.stdout)
        print(done.stdout.decode(), flush=True)
        if done.returncode:
            failed.append("local_index")
    report.write()
    print(f"\nfailed: {', '.join(failed)}" if failed else "\ndocs/performance.md is written")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
