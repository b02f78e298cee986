"""The service on this machine: for one command, or until Ctrl-C.

Its programs lie in the wheel, or in the repository around this package. They are started, never imported.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import click

from postcodes_cli.app import App
from postcodes_cli.errors import UnreachableError

_HERE = Path(__file__).resolve().parent
_START_SECONDS = 240.0
_PORTS = ("GATEWAY_PORT", "FILE_READER_PORT", "POSTCODE_CONSUMER_PORT")
#: What a server for one command alone has: nothing but loopback, and no port at which another one could be.
_ALONE = {
    "AUTH": "off",
    **dict.fromkeys(("GATEWAY_HOST", "FILE_READER_HOST", "POSTCODE_CONSUMER_HOST"), "127.0.0.1"),
    **dict.fromkeys(("FILE_READER_URL", "POSTCODE_CONSUMER_URL"), ""),
    **dict.fromkeys(("GATEWAY_METRICS_PORT", "WORKER_METRICS_PORT"), "0"),
    "LOG_FORMAT": "text",
}


def local_server() -> str:
    """Where `postcodes serve` listens. A server for one command goes by the same name: it has the same files."""
    return f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT') or 8080}"


def data_dir() -> Path:
    """DATA_DIR, or the folder for data of this user."""
    if given := os.environ.get("DATA_DIR"):
        return Path(given).absolute()
    if sys.platform == "darwin":
        folder = Path("~/Library/Application Support").expanduser()
    else:
        given = os.environ.get("XDG_DATA_HOME", "")
        folder = Path(given) if Path(given).is_absolute() else Path("~/.local/share").expanduser()
    return folder / "postcodes" / "server"


def serve() -> NoReturn:
    """Becomes the supervisor of all services. Raises UsageError where they are not installed."""
    # People and programs come by the gateway only: the other services take ports that nobody else has.
    _become(_program("serve.py"), _free_ports(_PORTS[1:]) | environment())


def build_index(source: Path) -> NoReturn:
    """Becomes the command that makes an index of open postcode data. Raises UsageError where it is not installed."""
    program = [*_program("postcode_consumer/manage.py"), "build_index", str(source.absolute())]
    secrets = {"SECRET_KEY": "none", "INTERNAL_TOKEN": "none"}  # it asks for both, and keeps neither
    _become(program, environment(needs_index=False) | secrets)


@contextmanager
def server_for(app: App) -> Iterator[None]:
    """A server for `app` alone, from now until the end; or the one that `postcodes serve` runs in the same folder.

    Raises UsageError where that one has another provider, and ClickException when no server starts.
    """
    settings = environment() | _ALONE | _free_ports(_PORTS)
    folder = Path(settings["DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _turn(app, folder):
        if (running := _running(app, folder)) is None:
            yield from _started(app, settings, folder)
            return
    if running["provider"] != settings["PROVIDER"]:
        raise click.UsageError(
            f"The server at {running['url']} has {folder} and asks {running['provider']}, not {settings['PROVIDER']}:"
            " end it, or set another DATA_DIR"
        )
    app.say(f"The server at {running['url']} has {folder} already, and is used. Provider: {running['provider']}")
    app.server_option = running["url"]
    yield


@contextmanager
def _turn(app: App, folder: Path) -> Iterator[None]:
    """One command after the other has its server in a folder."""
    import fcntl

    with (folder / "command.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            app.say(f"Another command has its server in {folder}. Waiting until it has ended …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running(app: App, folder: Path) -> dict[str, Any] | None:
    """What is said of the server that has the folder. One of a command that is no more is waited for: it ends."""
    import fcntl

    with (folder / "serve.lock").open("a+") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                with suppress(ValueError):  # it is just being written
                    said: dict[str, Any] = json.loads(lock.read())
                    if said["end_with"] is None:
                        return said
                time.sleep(0.2)
            else:
                return None


def _started(app: App, settings: dict[str, str], folder: Path) -> Iterator[None]:
    log = folder / "serve.log"
    app.say(f"Starting a server for this command. Provider: {settings['PROVIDER']}. Files: {folder}")
    line = [*_program("serve.py"), "--end-with", str(os.getpid())]
    log.write_bytes(b"")
    with log.open("ab") as output:
        # A group of its own: Ctrl-C is for this command, which ends the server in its own time.
        process = subprocess.Popen(line, env=settings, stdout=output, stderr=output, process_group=0)  # noqa: S603 - ours
    try:
        app.address = f"http://127.0.0.1:{settings['GATEWAY_PORT']}"
        _wait_for(process, app.address, log)
        yield
    finally:
        _end(process)


def environment(*, needs_index: bool = True) -> dict[str, str]:
    """The settings of the services: those that are set, and what is this user's. Raises UsageError without an index."""
    settings = dict(os.environ)
    # Relative paths begin where the command is typed.
    for name in ("LOCAL_INDEX", "STATIC_ROOT", "IMPORT_DIR"):
        if given := settings.get(name):
            settings[name] = str(Path(given).absolute())
    settings["DATA_DIR"] = str(data_dir())
    settings["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_root() / "service_kit"), settings.get("PYTHONPATH"))))
    index = Path(settings.get("LOCAL_INDEX") or data_dir() / "index") / "postcodes.index"
    settings["PROVIDER"] = settings.get("PROVIDER") or ("local" if index.is_file() else "postcodes_io")
    if needs_index and "local" in settings["PROVIDER"].split(",") and not index.is_file():
        raise click.UsageError(f"There is no index of postcodes in {index.parent}. Build it: postcodes index FILE")
    return settings


def _root() -> Path:
    """The folder with serve.py and the services: in the wheel, or the repository."""
    found = next((folder for folder in (_HERE / "server", _HERE.parents[1]) if (folder / "serve.py").is_file()), None)
    if found is None or not find_spec("django"):
        raise click.UsageError("The service is not installed along with the command: it is in postcodes-cli[serve]")
    if sys.platform == "win32":
        raise click.UsageError("The service runs on Linux and macOS, and in containers")
    return found


def _program(name: str) -> list[str]:
    return [sys.executable, str(_root() / name)]


def _become(program: list[str], settings: dict[str, str]) -> NoReturn:
    """So that whoever ends this command ends the program."""
    sys.stdout.flush()
    os.execve(program[0], program, settings)  # noqa: S606 - our own program


def _free_ports(names: Sequence[str]) -> dict[str, str]:
    with ExitStack() as taken:
        probes = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: str(probe.getsockname()[1]) for name, probe in zip(names, probes, strict=True)}


def _wait_for(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    from postcodes_cli.client import Client

    deadline = time.monotonic() + _START_SECONDS
    with Client(url, timeout=0) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(UnreachableError):
                if client.has_begun():
                    return
            time.sleep(0.1)
    last = "\n  ".join(log.read_text(errors="replace").splitlines()[-8:])
    raise click.ClickException(f"The server does not start. The end of {log}:\n  {last}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Politely; at once when Ctrl-C comes meanwhile."""
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait()
        except KeyboardInterrupt:
            continue
        return
