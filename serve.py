#!/usr/bin/env python3
"""The embedded stack: gateway, file_reader, its workers and postcode_consumer, kept running by one command.

`python serve.py` migrates the databases, collects static files, starts the processes, starts again what dies (after
0.5 s, then twice as long each time, up to 15 s), and ends them all at SIGTERM or Ctrl-C: politely, by force after 35 s
(and STOP_READY_SECONDS; or STOP_GRACE_SECONDS + 15) or at the second Ctrl-C.

If this process is itself killed, none of the others may stay behind. On Linux the kernel sees to it: every child asks
for SIGTERM when its parent dies (PR_SET_PDEATHSIG), and gunicorn's workers watch their master. Other systems have
nothing like it: there, after a `kill -9` of this process, the others go on until they are ended by hand, and the next
start says that their ports are taken.
"""

import argparse
import ctypes
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from service_kit.logs import JsonFormatter, is_for_people

ROOT = Path(__file__).resolve().parent
_AS_JSON = JsonFormatter("serve")
DJANGO_SERVICES = ("file_reader", "postcode_consumer")
# Longer than any service takes by itself: the gateway lets requests in flight finish for 30 s, and workers their lookup
# for STOP_GRACE_SECONDS (20 when it is not set).
GRACE_SECONDS = 35.0
_WORKERS_NEED = 15.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
#: A process that ran for this long (seconds) was well: its next restart is quick again.
_WELL_AFTER = 30.0
#: How often the services tidy up, and how long after the start for the first time, in seconds.
MAINTENANCE_SECONDS, _FIRST_MAINTENANCE = 300.0, 20.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_SUPERVISOR = os.getpid()
#: The exit code of the gateway when a setting is missing or wrong: trying again does not help.
_WRONG_SETTING = 2


@dataclass
class Service:
    """One process that is to be running."""

    name: str
    command: list[str]
    folder: Path
    #: What it has in its environment besides.
    added: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    start_at: float = field(default=0.0)
    #: Of what is done every so many seconds, and ends by itself each time.
    every: float = 0.0

    def start(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, cwd=self.folder, env=environment | self.added, preexec_fn=_die_with_parent
        )
        self.started = time.monotonic()

    def watch(self, environment: dict[str, str]) -> None:
        """Starts the process, or starts it again when it has died and its pause is over."""
        now = time.monotonic()
        if self.every and self.process is not None and self.process.poll() is not None:
            # What went wrong it has said itself, and the next run tries again.
            self.process, self.start_at = None, self.started + self.every
        if self.process is not None and self.process.poll() is not None:
            if now - self.started > _WELL_AFTER:
                self.pause = _FIRST_PAUSE
            if self.process.returncode == _WRONG_SETTING:
                raise SystemExit(f"serve: {self.name} does not take its settings; the lines above say why")
            say(f"{self.name} ended ({_how(self.process.returncode)}), starting it again in {self.pause:.1f} s")
            self.process = None
            self.start_at = now + self.pause
            self.pause = min(self.pause * 2, _LONGEST_PAUSE)
        if self.process is None and now >= self.start_at:
            self.start(environment)


def _die_with_parent() -> None:
    """Runs in the child: a group of its own, so that Ctrl-C reaches only the supervisor, and no life without it."""
    os.setpgrp()
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != _SUPERVISOR:  # it died before the line above
            os._exit(1)


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def say(message: str) -> None:
    line = f"serve: {message}"
    if not is_for_people():
        line = _AS_JSON.format(logging.makeLogRecord({"msg": message, "levelname": "INFO"}))
    # A log on a disk that is full is no reason to end what works.
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def settings() -> dict[str, str]:
    """The environment of all processes: what was set, and what the embedded stack adds."""
    environment = dict(os.environ)
    # Also for all that is started here: nobody else on this machine reads databases, uploads and secrets.
    os.umask(0o077)
    data_dir = (ROOT / environment.get("DATA_DIR", "var")).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    environment["DATA_DIR"] = str(data_dir)
    environment["PYTHONUNBUFFERED"] = "1"
    environment.setdefault("GATEWAY_HOST", "127.0.0.1")
    environment.setdefault("GATEWAY_PORT", "8080")
    environment.setdefault("FILE_READER_PORT", "8000")
    environment.setdefault("POSTCODE_CONSUMER_PORT", "7000")
    for name in ("SECRET_KEY", "INTERNAL_TOKEN"):
        if not environment.get(name):
            environment[name] = kept_secret(data_dir / name.lower())
    return environment


def kept_secret(path: Path) -> str:
    """A secret that is made at the first start and kept in a file that only its owner can read."""
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(40))
        with suppress(FileExistsError):  # another one that starts at this moment has made it
            path.hardlink_to(part)
        part.unlink()
    return path.read_text().strip()


@contextmanager
def taken_data_dir(environment: dict[str, str], parent: int | None) -> Iterator[None]:
    """The folder is this server's until the end, however that comes. Others read in `serve.lock` whose it is."""
    with Path(environment["DATA_DIR"], "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            said = json.loads(lock.read() or "{}")
            raise SystemExit(
                f"serve: the server at {said.get('url', '?')} (process {said.get('pid', '?')}) has DATA_DIR="
                f"{environment['DATA_DIR']} already: use that one, or end it, or set another DATA_DIR"
            ) from None
        lock.truncate(0)
        provider = environment.get("PROVIDER") or "postcodes_io"
        said = {"pid": os.getpid(), "url": f"http://{address(environment)}", "provider": provider, "end_with": parent}
        lock.write(json.dumps(said))
        lock.flush()
        yield


def address(environment: dict[str, str]) -> str:
    """Where the gateway is for a program on this machine."""
    host = environment["GATEWAY_HOST"]
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"{host}:{environment['GATEWAY_PORT']}"


def check_ports(environment: dict[str, str]) -> None:
    """Ends with a clear word when a port is taken: the services themselves would only try again and again."""
    for name in ("GATEWAY_PORT", "FILE_READER_PORT", "POSTCODE_CONSUMER_PORT"):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", int(environment[name])))
            except (OSError, ValueError, OverflowError) as error:
                raise SystemExit(f"serve: {name}={environment[name]} cannot be used: {error}") from None


def prepare(environment: dict[str, str]) -> None:
    """Migrates both databases, collects static files, and makes the first administrators, with one password."""
    for folder, code in manage(DJANGO_SERVICES, environment, "migrate", "--verbosity", "0").items():
        if code:
            raise SystemExit(f"serve: {folder} cannot be prepared; the lines above say why")
    if any(manage(("file_reader",), environment, "collectstatic", "--noinput", "--verbosity", "0").values()):
        raise SystemExit("serve: the static files of the pages cannot be collected; the lines above say why")
    data_dir = Path(environment["DATA_DIR"])
    password_file = data_dir / "admin_password"
    is_used = password_file.exists()
    # A file says that there is an administrator, who may have another name or password by now.
    without = [folder for folder in DJANGO_SERVICES if not (data_dir / f"{folder}.administrator").exists()]
    if without:
        is_used |= make_administrators(without, environment, kept_secret(password_file))
        for folder in without:
            (data_dir / f"{folder}.administrator").touch()
    if not is_used:  # the databases are older than this folder, and have administrators already
        password_file.unlink(missing_ok=True)


def make_administrators(folders: Sequence[str], environment: dict[str, str], password: str) -> bool:
    """False when each of these services has an `admin` already."""
    options = ("--noinput", "--username", "admin", "--email", "")
    environment = environment | {"DJANGO_SUPERUSER_PASSWORD": password}
    return 0 in manage(folders, environment, "createsuperuser", *options, output=subprocess.DEVNULL).values()


def manage(
    folders: Sequence[str], environment: dict[str, str], *command: str, output: int | None = None
) -> dict[str, int]:
    """Runs a command of manage.py for these services at once; returns the exit code of each."""
    started = {
        folder: subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, "manage.py", *command], cwd=ROOT / folder, env=environment, stdout=output, stderr=output
        )
        for folder in folders
    }
    return {folder: process.wait() for folder, process in started.items()}


def services(environment: dict[str, str]) -> list[Service]:
    try:
        # Two: while one waits for answers, the other reads and writes.
        workers = int(environment.get("WORKERS", "2"))
        if not 0 <= workers <= 64:
            raise ValueError
    except ValueError:
        raise SystemExit(f"serve: WORKERS={environment['WORKERS']!r} is not a whole number from 0 to 64") from None
    gunicorn = [sys.executable, "-m", "gunicorn", "-c"]
    reader, consumer = ROOT / "file_reader", ROOT / "postcode_consumer"
    return [
        Service("postcode_consumer", [*gunicorn, "consumer_config/gunicorn.conf.py", "consumer_config.wsgi"], consumer),
        Service("file_reader", [*gunicorn, "reader_config/gunicorn.conf.py", "reader_config.wsgi"], reader),
        *(
            workers_with_broker(workers, environment)
            if environment.get("CELERY_BROKER_URL", "").strip()
            else poll_workers(workers, environment)
        ),
        Service("gateway", [sys.executable, "-m", "gateway"], ROOT / "gateway"),
        *(maintenance(folder) for folder in (reader, consumer)),
    ]


def maintenance(folder: Path) -> Service:
    """Not at the very start, when everything else wants the processor."""
    command = [sys.executable, "manage.py", "maintenance", "--quiet"]
    first = time.monotonic() + _FIRST_MAINTENANCE
    return Service(f"maintenance of {folder.name}", command, folder, start_at=first, every=MAINTENANCE_SECONDS)


def poll_workers(count: int, environment: dict[str, str]) -> list[Service]:
    command = [sys.executable, "manage.py", "worker"]
    return [
        Service(f"worker {number}", command, ROOT / "file_reader", metrics_port(number, environment))
        for number in range(1, count + 1)
    ]


def metrics_port(number: int, environment: dict[str, str]) -> dict[str, str]:
    """Workers show their metrics at ports that follow each other."""
    first = environment.get("WORKER_METRICS_PORT", "8001")
    return {"WORKER_METRICS_PORT": str(int(first) + number - 1) if first.isdecimal() and int(first) else first}


def workers_with_broker(count: int, environment: dict[str, str]) -> list[Service]:
    """Celery's, which the broker wakes, and one that needs no broker: with it the work goes on while that is gone."""
    if count == 0:
        return []
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "reader_config"]
    # Looks are all that goes through the broker: its workers have nothing to tell each other.
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # Its processes count in files there; those of an earlier run are not theirs.
    counts = Path(environment["DATA_DIR"]) / "metrics" / "celery"
    shutil.rmtree(counts, ignore_errors=True)
    counts.mkdir(parents=True)
    shown = metrics_port(2, environment) | {"PROMETHEUS_MULTIPROC_DIR": str(counts)}
    return [
        *poll_workers(1, environment),
        Service("celery worker", [*celery, "worker", "--concurrency", str(count), *alone], ROOT / "file_reader", shown),
        Service("celery beat", [*celery, "beat"], ROOT / "file_reader"),
    ]


def grace(environment: dict[str, str]) -> float:
    """How long the processes may take to end, in seconds."""
    services = GRACE_SECONDS + float(environment.get("STOP_READY_SECONDS") or 0)
    return max(services, float(environment.get("STOP_GRACE_SECONDS") or 0) + _WORKERS_NEED)


def stop(running: list[Service], signals: list[int], seconds: float) -> None:
    """Ends everything: politely, then by force when that time is over, or at once at the second signal."""
    for service in reversed(running):
        if service.process is not None:
            service.process.terminate()
    deadline = time.monotonic() + seconds
    for service in running:
        if service.process is None:
            continue
        while service.process.poll() is None and time.monotonic() < deadline and len(signals) < 2:
            time.sleep(0.05)
        if service.process.poll() is None:
            say(f"{service.name} does not end, killing it")
            os.killpg(service.process.pid, signal.SIGKILL)
            service.process.wait()


def is_ready(environment: dict[str, str]) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address(environment)}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    arguments = argparse.ArgumentParser(description="Runs everything until SIGTERM or Ctrl-C.")
    arguments.add_argument("--end-with", type=int, metavar="PID", help="the parent: ends when that has ended, however")
    parent = arguments.parse_args().end_with
    environment = settings()
    with taken_data_dir(environment, parent):
        check_ports(environment)
        prepare(environment)
        run(environment, parent)
    return 0


def run(environment: dict[str, str], parent: int | None) -> None:
    """Keeps all services running until a signal, or until the parent has ended."""
    running = services(environment)
    ended: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: ended.append(number))
    ready = False
    try:
        while not ended and parent in (None, os.getppid()):
            for service in running:
                service.watch(environment)
            if not ready and is_ready(environment):
                ready = True
                say(f"ready on http://{environment['GATEWAY_HOST']}:{environment['GATEWAY_PORT']}/")
                password_file = f"{environment['DATA_DIR']}/admin_password"
                say(f"admin: /admin/ and /admin/lookups/, user admin, password in {password_file}")
            time.sleep(0.2)
    finally:
        say("stopping")
        stop(running, ended, grace(environment))


if __name__ == "__main__":
    sys.exit(main())
