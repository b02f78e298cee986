"""Real processes: the service under gunicorn, and workers, on the tests' database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

HOME = Path(__file__).resolve().parents[1]


def process_environment(data_dir: Path, **added: str) -> dict[str, str]:
    """The environment of a process that works on the tests' database and in that folder."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "reader_config.settings",
        "FILE_READER_DATABASE_URL": _database_url(),
        "DATA_DIR": str(data_dir),
        "WORKER_METRICS_PORT": "0",
        "LOG_FORMAT": "text",
        **added,
    }


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    # A server that listens on a socket in the file system has its folder as its host.
    host = quote(database["HOST"] or database["OPTIONS"].get("host", ""), safe="")
    return f"postgres://{database['USER']}{password}@{host}:{database['PORT'] or 5432}/{database['NAME']}"


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Looks until it is so; fails when that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Answer = tuple[int, dict[str, str], bytes]


class WorkerProcess:
    """`manage.py worker`; with DIE_AT in its environment, one that dies there (tests.dying_worker)."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str) -> None:
        program = ["-m", "tests.dying_worker"] if "DIE_AT" in environment else ["manage.py", "worker", *arguments]
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([sys.executable, *program], cwd=HOME, env=environment, stderr=stderr)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def terminate(self) -> int:
        """Ends it politely; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def wait_until_killed(self) -> None:
        """Returns when somebody else, or it itself, has killed it with kill -9."""
        assert self.process.wait(timeout=30) == -signal.SIGKILL, self.log()

    def freeze(self) -> None:
        """Stops it in the middle of whatever it does; returns when it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        self.wait_until_frozen()

    def wait_until_frozen(self) -> None:
        end = time.monotonic() + 30
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < end, "it is not frozen"
            assert self.process.poll() is None, self.log()
            time.sleep(0.01)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Service:
    """`gunicorn reader_config.wsgi` on a free port; answers are (status, headers, body) of raw requests.

    `wsgi` is what gunicorn serves, `prefix` what it is started by, `until` the address that answers 200 when it runs.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        wsgi: str = "reader_config.wsgi",
        prefix: Sequence[str] = (),
        until: str = "/readyz",
        **environment: str,
    ) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._command = [*prefix, sys.executable, "-m", "gunicorn", "-c", "reader_config/gunicorn.conf.py", wsgi]
        self._until = until
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            cwd=HOME,
            env=process_environment(self.data_dir, **{"FILE_READER_PORT": str(self.port), **self._environment}),
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while not self._ready():
            assert time.monotonic() < end, "gunicorn does not answer"
            assert self._process.poll() is None, "gunicorn ended"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self.tell_to_stop()
            self._process.wait(timeout=30)

    def tell_to_stop(self) -> None:
        """SIGTERM to gunicorn's master."""
        assert self._process is not None
        self._process.terminate()

    def wait_until_stopped(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return self._process.wait(timeout=30)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self._until}", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:  # refused, or too slow on a busy machine
            return False

    def processes(self) -> list[psutil.Process]:
        """What gunicorn has started, and what that has started."""
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    def kill_processes(self) -> None:
        """kill -9 of what serves requests; gunicorn's master starts it anew."""
        assert self._process is not None
        victims = psutil.Process(self._process.pid).children()
        assert victims
        for victim in victims:
            victim.kill()
        psutil.wait_procs(victims, timeout=10)

    def send(self, head: str, body: bytes = b"", *, half_close: bool = True) -> Answer:
        """Sends `head` (request line and headers, token added) and `body` as they are; returns the whole answer."""
        with self.begin(head, body) as line:
            if half_close:
                line.shutdown(socket.SHUT_WR)
            return answer_of(line)

    def begin(self, head: str, body: bytes = b"") -> socket.socket:
        """Sends `head` (request line and headers, token added) and `body` as they are; returns the connection."""
        lines = [line.strip() for line in head.strip().splitlines()]
        lines += ["Host: files.example", f"X-Internal-Token: {settings.INTERNAL_TOKEN}", "Connection: close", "", ""]
        line = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        line.sendall("\r\n".join(lines).encode() + body)
        return line

    def stored_files(self) -> list[Path]:
        """Every file that an upload left, whole or not."""
        return [path for path in (self.data_dir / "uploads").rglob("*") if path.is_file()]

    def parts(self) -> list[Path]:
        """The temporary files."""
        return list((self.data_dir / "uploads" / "incoming").glob("*"))


def answer_of(line: socket.socket) -> Answer:
    """Reads a whole answer; ConnectionError when the service hangs up without one."""
    answer = b"".join(iter(lambda: line.recv(65536), b""))
    if not answer:
        raise ConnectionError("hung up without an answer")
    start, _, content = answer.partition(b"\r\n\r\n")
    status, *fields = start.decode("latin-1").split("\r\n")
    headers: dict[str, Any] = dict(field.split(": ", 1) for field in fields)
    return int(status.split()[1]), headers, content
