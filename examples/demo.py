#!/usr/bin/env python3
"""The whole way in one line: `postcodes geocode FILE --serve`, and its result as a table.

`make demo` runs it with examples/landmarks.csv and the sandbox provider: no network, nothing to set up. The
environment of the services (.env.example) applies; `python examples/demo.py my.csv` takes another file.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_SHOWN = ("name", "lat", "lon", "result_status", "result_postcode", "result_distance_m", "result_admin_district")
_WIDEST = 30


def main() -> int:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples" / "landmarks.csv"
    data_dir = (ROOT / os.environ.get("DATA_DIR", "var/demo")).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    result = data_dir / f"{source.stem}-result.csv"
    upload = _geocode(source, result, data_dir)
    rows = _read(result)
    _show(rows)
    counts = Counter(row["result_status"] for row in rows)
    seconds = _seconds(upload)
    told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.most_common())
    print(f"\n{len(rows)} rows: {told}, in {seconds:.1f} s. The file: {_short(result)}")
    return 0 if upload["state"] == "done" and upload["rows"]["read"] == len(rows) else 1


def _geocode(source: Path, result: Path, data_dir: Path) -> dict[str, Any]:
    """What a user would type; the rest of this file shows the result."""
    print(f"$ postcodes geocode {_short(source)} -o {_short(result)} --serve", flush=True)
    line = [sys.executable, "-m", "postcodes_cli", "geocode", str(source), "-o", str(result), "--serve"]
    environment = {"PROVIDER": "sandbox"} | os.environ
    environment |= {
        "DATA_DIR": str(data_dir),
        "POSTCODES_HOME": str(data_dir / "postcodes"),
        "PYTHONPATH": str(ROOT / "cli"),
    }
    arguments = [*line, "--again", "--force", "--json"]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, env=environment, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(f"The command ended with exit code {done.returncode}; the lines above say why.")
    upload: dict[str, Any] = json.loads(done.stdout)["files"][0]["upload"]
    return upload


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _show(rows: list[dict[str, str]]) -> None:
    columns = [name for name in _SHOWN if rows and name in rows[0]]
    cells = [[name.removeprefix("result_") for name in columns]]
    cells += [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    print()
    for number, line in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("─" * width for width in widths))


def _cell(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _seconds(upload: dict[str, Any]) -> float:
    begin, end = (datetime.fromisoformat(upload[name]) for name in ("created_at", "finished_at"))
    return (end - begin).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
