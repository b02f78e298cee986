"""Files for the eyes of this user alone: others on the machine must not read databases, uploads and secrets."""

import contextlib
import logging
import os
import stat
from pathlib import Path

from service_kit.environment import env_path

logger = logging.getLogger(__name__)

_OTHERS = 0o077


def private_data_dir() -> Path:
    """`DATA_DIR`, which from now on nobody else may enter; nobody else may read what this process makes, here or
    anywhere."""
    os.umask(_OTHERS)
    folder = env_path("DATA_DIR", Path("var"))
    folder.mkdir(parents=True, exist_ok=True)
    make_private(folder)
    return folder


def make_private(path: Path) -> None:
    """Takes a file or a folder that is there from everybody else.

    Where that cannot be done, it says so and goes on: in a volume that belongs to another user, and in a folder like
    /tmp, which is meant to be shared.
    """
    with contextlib.suppress(FileNotFoundError):  # SQLite takes away a -wal that it does not need any more
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & _OTHERS:
            return
        if mode & stat.S_ISVTX:
            logger.warning("%s is shared by all users of this machine. Give DATA_DIR a folder of its own.", path)
            return
        try:
            path.chmod(mode & ~_OTHERS)
        except PermissionError:
            logger.warning("%s is open to other users (mode %o), and belongs to somebody else.", path, mode)
