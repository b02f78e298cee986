"""A real server for the whole run, and the command as people start it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from postcodes_cli import Client
from proxy import Proxy
from stack import ROOT, Stack, running_stack

LANDMARKS = ROOT / "examples" / "landmarks.csv"


@dataclass
class Command:
    """`postcodes` in a folder of its own, with that server."""

    server: str
    home: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def _options(self) -> dict[str, object]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("POSTCODES_", "PYTHON"))}
        told = {"POSTCODES_SERVER": self.server, "POSTCODES_HOME": str(self.home), "PYTHONPATH": str(ROOT / "cli")}
        return {"cwd": self.folder, "env": kept | told | self.environment}

    def start(self, *arguments: str, **more: object) -> "subprocess.Popen[bytes]":
        line = [sys.executable, "-m", "postcodes_cli", *arguments]
        return subprocess.Popen(line, **({"stderr": subprocess.PIPE} | self._options() | more))  # type: ignore[call-overload,no-any-return]

    def __call__(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, errors = process.communicate(stdin, timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out.decode(), errors.decode())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def command(stack: Stack, tmp_path: Path) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(stack.url, tmp_path / "home", folder)


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    with Proxy(int(stack.environment["GATEWAY_PORT"])) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url, timeout=10) as opened:
        yield opened


@pytest.fixture
def points(command: Command) -> Path:
    """The landmarks, in a file that no other test has sent."""
    return write_points(command.folder / "points.csv", 0, unique=str(command.folder))


def write_points(path: Path, rows: int, *, unique: str) -> Path:
    """The landmarks, and so many rows more; nobody has sent this file before."""
    text = LANDMARKS.read_text().rstrip("\n") + f'\nLM-999,"{unique}",1900,51.501009,-0.141588,\n'
    more = "".join(f"R{number},Tower,1078,51.508036,-0.075853,{'x' * 60}\n" for number in range(rows))
    path.write_text(text + more)
    return path
