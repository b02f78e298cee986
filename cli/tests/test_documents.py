"""docs/cli.md is held against the command."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import LANDMARKS, Command
from stack import ROOT, Stack

from postcodes_cli.main import cli

TEXT = (ROOT / "docs" / "cli.md").read_text()


def test_the_page_has_every_command_and_no_other() -> None:
    said = {word for row in re.findall(r"^\| `postcodes (\w+)[^|]*\|", TEXT, re.MULTILINE) for word in [row]}
    rows = re.findall(r"^\| (`postcodes (?:login|uploads)[^|]*)\|", TEXT, re.MULTILINE)
    said |= {name for row in rows if "login" in row for name in re.findall(r"`(\w+)`", row)}
    assert said == set(cli.commands)


def test_the_example_in_python_runs(stack: Stack, key: str, command: Command, tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "points.csv").write_bytes(LANDMARKS.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", example.replace("http://127.0.0.1:8080", stack.url)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "cli"), "POSTCODES_API_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "77"
    assert done.stdout.splitlines()[-1] == "SW1A 1AA"
