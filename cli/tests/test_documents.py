"""docs/cli.md is held against the command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LANDMARKS
from stack import ROOT, Stack

from postcodes_cli.main import cli

TEXT = (ROOT / "docs" / "cli.md").read_text()


def test_the_page_has_every_command_and_no_other() -> None:
    said = {word for row in re.findall(r"^\| `postcodes (\w+)[^|]*\|", TEXT, re.MULTILINE) for word in [row]}
    rows = re.findall(r"^\| (`postcodes (?:login|uploads)[^|]*)\|", TEXT, re.MULTILINE)
    said |= {name for row in rows if "login" in row for name in re.findall(r"`(\w+)`", row)}
    assert said == set(cli.commands)


EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def run_example(example: str, stack: Stack, key: str, folder: Path) -> list[str]:
    """The lines that it prints, in a folder with the landmarks as points.csv."""
    (folder / "points.csv").write_bytes(LANDMARKS.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", example.replace("http://127.0.0.1:8080", stack.url)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "cli"), "POSTCODES_API_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_in_python_runs(stack: Stack, key: str, tmp_path: Path) -> None:
    lines = run_example(EXAMPLES[0], stack, key, tmp_path)
    assert (lines[0], lines[-1]) == ("77", "SW1A 1AA")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_example_with_frames_runs(stack: Stack, key: str, tmp_path: Path, library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")
    (example,) = (one for one in EXAMPLES if f"import {library}\n" in one)
    assert run_example(example, stack, key, tmp_path)[-1] == "77"


def test_the_page_has_every_variable_that_is_read() -> None:
    said = set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)) | {"TERM"}  # which is told of with NO_COLOR
    sources = "".join(path.read_text() for path in (ROOT / "cli" / "postcodes_cli").rglob("*.py"))
    read = set(re.findall(r"""environ(?:\.get\(|\[)["']([A-Z_]+)""", sources))
    assert len(read) > 5
    assert read - said == set()
