"""A short storm on each database, and the proof that it has teeth: workers without a fence fail it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.storm
#: Seeds whose first events are of many kinds, so that a short storm has them.
SEEDS = {"sqlite": "1861", "postgresql": "563"}


def storm(database: str, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    program = Path(__file__).with_name("storm.py")
    ended = subprocess.run(
        [sys.executable, program, "--database", database, *options], stdout=subprocess.PIPE, text=True, check=False
    )
    print(ended.stdout)
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("database", SEEDS)
def test_whatever_dies_every_row_is_answered_once(database: str) -> None:
    code, report = storm(database, "--seconds", "22", "--seed", SEEDS[database], "--rows", "10000")
    assert (code, report["violations"]) == (0, [])
    assert report["kills"] >= 3
    # The fence was needed: without it, the same late writes would have gone through.
    assert report["stale writes refused"] >= 1


@pytest.mark.parametrize("database", SEEDS)
def test_workers_without_a_fence_are_found_out(database: str) -> None:
    code, report = storm(database, "--seconds", "60", "--seed", SEEDS[database], "--rows", "5000", "--mutant")
    assert code == 1
    assert report["stale writes refused"] == 0
    # What is wrong is in the data, as a look at the database or at an upload shows it.
    assert any(violation.startswith(("upload ", "a look: AssertionError")) for violation in report["violations"])
