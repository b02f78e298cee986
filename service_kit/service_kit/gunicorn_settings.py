"""gunicorn's settings that both services have; their own `gunicorn.conf.py` take them all over.

Threads, because a view mostly waits: for disk, database, slow clients, or the provider.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from service_kit.environment import SettingError, env_int, env_str, refuse_to_stand_open
from service_kit.private_files import private_data_dir
from service_kit.stopping import announce_stops

worker_class = "gthread"
threads = 16
graceful_timeout = 30
# A gthread worker reports that it lives between requests and their pieces, so this limits no lookup and no upload.
timeout = 60
# The heartbeat's file belongs into memory: on a slow disk it looks like a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file there
# Its place is one per user: services on one machine would take it from each other.
control_socket_disable = True
_STOP_READY_SECONDS = env_int("STOP_READY_SECONDS", 0, minimum=0, maximum=300)


class QuietLogger(Logger):  # type: ignore[misc]
    """Every call is in the access log of the gateway. gunicorn would put a line together before it is thrown away."""

    def access(self, *args: object) -> None:
        """Nothing."""


logger_class = QuietLogger


def check_address(server: Any) -> None:
    """For gunicorn's `on_starting`: now it is known where it will listen, whoever said so (`--bind`)."""
    try:
        for address in server.cfg.address:
            if isinstance(address, tuple):  # others are sockets in the file system
                refuse_to_stand_open("bind", address[0])
    except SettingError as error:
        sys.exit(str(error))


def address_of(service: str, port: int) -> str:
    """What to bind to, by `<SERVICE>_HOST` and `<SERVICE>_PORT`. Raises SettingError."""
    host = env_str(f"{service}_HOST", "127.0.0.1")
    port = env_int(f"{service}_PORT", port, minimum=1, maximum=65_535)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def count_together(service: str, bind: str) -> None:
    """Gives this service's processes an empty folder for what they count: what an earlier run left is not theirs.

    One folder for each address: two services of one DATA_DIR do not count together. prometheus_client looks for it when
    it is imported, in the workers.
    """
    folder = private_data_dir() / "metrics" / f"{service}-{bind.rpartition(':')[2]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def when_ready(server: object) -> None:
    """Called in the master, whose handlers of signals are there now."""
    if _STOP_READY_SECONDS:
        announce_stops(_STOP_READY_SECONDS)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker counted stays; what it only was at the moment goes with it."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
