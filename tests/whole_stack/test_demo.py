"""`make demo`: the first thing that a newcomer sees."""

import csv
import os
import subprocess
import sys
from pathlib import Path

from stack import ROOT


def test_the_demo_shows_every_landmark_with_its_answer(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Buckingham Palace" in done.stdout
    assert "SW1A 1AA" in done.stdout
    assert "$ postcodes geocode examples/landmarks.csv" in done.stdout
    with (tmp_path / "landmarks-result.csv").open(newline="", encoding="utf-8") as result:
        rows = list(csv.DictReader(result))
    with (ROOT / "examples" / "landmarks.csv").open(newline="", encoding="utf-8") as source:
        assert [row["name"] for row in rows] == [row["name"] for row in csv.DictReader(source)]
    assert {row["result_status"] for row in rows} == {"match", "no_match", "rejected"}
