"""A real server for the whole run, with a key, and the command as people start it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from proxy import Proxy
from stack import ROOT, Stack, running_stack

from postcodes_cli import Client

LANDMARKS = ROOT / "examples" / "landmarks.csv"


@dataclass
class Command:
    """`postcodes` in a folder of its own, with that server and key."""

    server: str
    key: str
    home: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    #: Where the package is.
    package: Path = ROOT / "cli"

    def start(self, *arguments: str, **more: Any) -> "subprocess.Popen[bytes]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("POSTCODES_", "PYTHON"))}
        told = {
            "POSTCODES_SERVER": self.server,
            "POSTCODES_API_KEY": self.key,
            "POSTCODES_HOME": str(self.home),
            "PYTHONPATH": str(self.package),
        }
        line = [sys.executable, "-m", "postcodes_cli", *arguments]
        options = {"stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
        return subprocess.Popen(line, cwd=self.folder, env=kept | told | self.environment, **options)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[str]":
        process = self.start(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, errors = process.communicate(stdin, timeout=90)
        return subprocess.CompletedProcess(arguments, process.returncode, out.decode(), errors.decode())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With keys; `headers` have the one that tests use."""
    data_dir = tmp_path_factory.mktemp("stack")
    with running_stack(data_dir, AUTH="required", REQUESTS_PER_MINUTE="100000") as running:
        made = subprocess.run(
            [sys.executable, "manage.py", "make_key", "ann", "--create-user"],
            cwd=ROOT / "file_reader",
            env=running.environment
            | {name: (data_dir / name.lower()).read_text().strip() for name in ("SECRET_KEY", "INTERNAL_TOKEN")},
            capture_output=True,
            text=True,
            check=True,
        )
        running.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
        yield running


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built from a copy of the repository: building leaves things behind."""
    folder = tmp_path_factory.mktemp("wheel")
    left_out = ("tests", "var", "dist", "build", "*.egg-info", "__pycache__", ".*")
    shutil.copytree(ROOT, folder / "repository", ignore=shutil.ignore_patterns(*left_out))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    build = [sys.executable, "-m", "pip", "wheel", *options, "./repository/cli"]
    subprocess.run(build, cwd=folder, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def key(stack: Stack) -> str:
    return str(stack.headers["Authorization"]).removeprefix("Bearer ")


@pytest.fixture
def command(stack: Stack, key: str, tmp_path: Path) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(stack.url, key, tmp_path / "home", folder)


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    with Proxy(int(stack.environment["GATEWAY_PORT"])) as running:
        yield running


@pytest.fixture
def client(stack: Stack, key: str) -> Iterator[Client]:
    with Client(stack.url, key, timeout=30) as opened:
        yield opened


@pytest.fixture
def points(command: Command) -> Path:
    """The landmarks, in a file that no other test has sent."""
    return write_points(command.folder / "points.csv", 0)


def write_points(path: Path, rows: int) -> Path:
    """The landmarks, and so many rows more; nobody has sent this file before."""
    text = LANDMARKS.read_text().rstrip("\n") + f'\nLM-999,"{path}",1900,51.501009,-0.141588,\n'
    more = "".join(f"R{number},Tower,1078,51.508036,-0.075853,{'x' * 60}\n" for number in range(rows))
    path.write_text(text + more)
    return path
