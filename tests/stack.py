"""The embedded stack as tests use it: started by serve.py on free ports, called through its gateway."""

import csv
import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests
from country import Location, expected
from databases import FROM_TEMPLATE

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120.0
ENDED = ("done", "failed", "cancelled")


def find_chromium() -> str | None:
    """The browser for the tests of pages: Debian's, or whatever CHROMIUM names."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ones: each stays taken until all are found."""
    with ExitStack() as taken:
        probes = [taken.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait_for(look: Callable[[], Any], what: str, *, seconds: float = 60.0) -> Any:
    """Looks until there is something (truthy), and returns it; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return found


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that a process has had resident so far (VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


@dataclass
class Stack:
    """A running stack of the code in `root`. `headers` go with every call."""

    environment: dict[str, str]
    supervisor: "subprocess.Popen[bytes]"
    log: Path
    headers: dict[str, str] = field(default_factory=dict)
    root: Path = ROOT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['GATEWAY_PORT']}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 60)
        options["headers"] = self.headers | options.get("headers", {})
        return requests.request(method, path if path.startswith("http") else self.url + path, **options)

    def secrets(self) -> dict[str, str]:
        """What commands of manage.py want besides `environment`."""
        folder = Path(self.environment["DATA_DIR"])
        return {name: (folder / name.lower()).read_text() for name in ("SECRET_KEY", "INTERNAL_TOKEN")}

    def use_key(self, user: str) -> None:
        """From now on, calls have a key of that user, with all scopes."""
        made = subprocess.run(
            [sys.executable, "manage.py", "make_key", user, "--create-user"],
            cwd=self.root / "file_reader",
            env=self.environment | self.secrets(),
            check=True,
            capture_output=True,
            text=True,
        )
        self.headers["Authorization"] = f"Bearer {made.stdout.split()[-1]}"

    def upload(self, content: bytes, **options: str) -> dict[str, Any]:
        answer = self.call("POST", "/api/v1/uploads/", files={"file": ("file.csv", content)}, params=options)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def look(self, upload: dict[str, Any]) -> dict[str, Any]:
        return dict(self.call("GET", upload["links"]["self"]).json())

    def wait(
        self, upload: dict[str, Any], until: Callable[[dict[str, Any]], bool], what: str, *, seconds: float = 120
    ) -> dict[str, Any]:
        """The upload, as soon as it is as wanted; its rows add up at every look."""

        def look() -> dict[str, Any] | None:
            seen = self.look(upload)
            rows = seen["rows"]
            assert rows["read"] == sum(count for name, count in rows.items() if name != "read"), rows
            return seen if until(seen) else None

        return wait_for(look, what, seconds=seconds)

    def wait_until_done(self, upload: dict[str, Any], *, seconds: float = 120) -> dict[str, Any]:
        ended = self.wait(upload, lambda seen: seen["state"] in ENDED, "the upload ends", seconds=seconds)
        assert ended["state"] == "done", ended
        return ended

    def result(self, upload: dict[str, Any]) -> bytes:
        answer = self.call("GET", upload["links"]["result_csv"])
        assert answer.status_code == 200
        return answer.content

    def processes(self, what: str) -> list[psutil.Process]:
        """The stack's processes with that text in their command line."""
        children = psutil.Process(self.supervisor.pid).children(recursive=True)
        return [child for child in children if what in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _command_of(data_dir: Path, settings: dict[str, str]) -> list[str]:
    """What starts serve.py: with nothing to migrate, on a copy of what the run of tests has prepared, where it has."""
    made, database = os.environ.get("TEST_PREPARED"), settings.get("FILE_READER_DATABASE_URL")
    is_used = (data_dir / "secret_key").exists() or any(data_dir.glob("*.sqlite3"))
    if not made or is_used or (database and database not in FROM_TEMPLATE):
        return [sys.executable, "serve.py"]
    shutil.copytree(made, data_dir, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sqlite3*" if database else ""))
    return [sys.executable, "-c", "import serve; serve.prepare = lambda environment: None; serve.main()"]


@contextmanager
def running_stack(data_dir: Path, *, root: Path = ROOT, log: Path | None = None, **settings: str) -> Iterator[Stack]:
    """Starts the stack, waits until it is ready, and stops it as an operator would. `root` may have another version."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
    names = ("GATEWAY_PORT", "FILE_READER_PORT", "POSTCODE_CONSUMER_PORT")
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    usual = {"WORKER_METRICS_PORT": "0", "GATEWAY_METRICS_PORT": "0", "LOG_FORMAT": "text"}
    environment = inherited | ports | usual | {"DATA_DIR": str(data_dir), "PROVIDER": "sandbox"} | settings
    data_dir.mkdir(parents=True, exist_ok=True)
    log = log or data_dir / "stack.log"
    with log.open("ab") as log_file:
        supervisor = subprocess.Popen(_command_of(data_dir, settings), cwd=root, env=environment, stderr=log_file)
    stack = Stack(environment, supervisor, log, root=root)
    try:
        wait_for(lambda: _is_ready(stack), f"the stack is ready, see {log}", seconds=START_SECONDS)
        yield stack
    except BaseException:
        print(log.read_text(errors="replace")[-8_000:])
        raise
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=60)


def _is_ready(stack: Stack) -> bool:
    assert stack.supervisor.poll() is None, stack.log.read_text(errors="replace")
    try:
        return stack.call("GET", "/readyz").status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def check_result(original: bytes, result: bytes, upload: dict[str, Any], *, poison: Collection[Location] = ()) -> None:
    """Every record back in its place, each with the right answer, and the counts are those of the rows.

    The locations of `poison` have failed, because the external API refuses them.
    """
    sent = list(csv.reader(io.StringIO(original.decode())))
    rows = list(csv.DictReader(io.StringIO(result.decode())))
    assert [row["id"] for row in rows] == [record[0] for record in sent[1:]]
    assert [line.split(b",result_")[0] for line in result.splitlines()[:1]] == original.splitlines()[:1]
    for row in rows:
        location = float(row["lat"]), float(row["lon"])
        if location in poison:
            assert (row["result_status"], row["result_reason"]) == ("failed", "upstream_rejected"), row
            continue
        right = expected(location)
        assert row["result_postcode"] in (right or {""}), row
        assert row["result_status"] == ("match" if row["result_postcode"] else "no_match"), row
    statuses = [row["result_status"] for row in rows]
    assert upload["rows"] == {
        "read": len(rows),
        "matched": statuses.count("match"),
        "no_match": statuses.count("no_match"),
        "failed": statuses.count("failed"),
        "rejected": 0,
        "pending": 0,
    }
