"""Locks on files (flock), which end with their process: a file that can be locked belongs to nobody."""

import fcntl
import os
from pathlib import Path
from typing import BinaryIO


def lock(file: BinaryIO, path: Path) -> bool:
    """Locks an open file until it is closed. False when another has it locked, or the name is not its name any more.

    Raises OSError where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def is_locked(path: Path) -> bool:
    """Whether a process holds a file. False when it is not there, or nobody can know."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def open_unlocked(path: Path) -> BinaryIO | None:
    """The file of that name, now locked; None when a request holds it, or nobody can know."""
    try:
        file = path.open("r+b")
    except OSError:
        return None
    try:
        if lock(file, path):
            return file
    except OSError:
        pass
    file.close()
    return None


def remove_unlocked(path: Path) -> bool:
    file = open_unlocked(path)
    if file is None:
        return False
    with file:
        path.unlink()
    return True
