"""What requests left on disk when they died before their upload was committed, and results that nobody uses."""

import contextlib
import itertools
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from uploads.files.locks import open_unlocked, remove_unlocked
from uploads.files.stored import incoming_folder, path_of, results_folder

#: Files that were not written to for this long (seconds) have their upload in the database, or never will: the
#: commit of a request that died is over too.
ABANDONED_AFTER = 3_600
#: Results that nobody asked for in this time (seconds) are no longer kept: they can be written again.
UNUSED_AFTER = 86_400


def remove_parts() -> int:
    """Removes the temporary files of requests that died; returns how many."""
    return sum(remove_unlocked(path) for path in incoming_folder().glob("*.part"))


def remove_unused_results() -> None:
    """Removes the results that nobody asked for within UNUSED_AFTER."""
    for path in results_folder().glob("*/*"):
        with contextlib.suppress(OSError):  # it is gone already, or the folder has another one
            if path.stat().st_mtime < time.time() - UNUSED_AFTER:
                path.unlink()
                path.parent.rmdir()


def doubtful_files(size: int) -> Iterator[list[uuid.UUID]]:
    """The uploads whose request ended ABANDONED_AFTER ago or earlier and did not say that they are committed, in lists
    of at most `size`."""
    found = (public_id for path in incoming_folder().glob("*.intent") if (public_id := _id_of_old(path)))
    while ids := list(itertools.islice(found, size)):
        yield ids


def count_doubtful() -> int:
    """How many files may be without an upload, the temporary ones included: also those of requests that go on."""
    return sum(map(len, doubtful_files(1_000))) + sum(1 for _ in incoming_folder().glob("*.part"))


@contextlib.contextmanager
def locked_files(ids: Iterable[uuid.UUID]) -> Iterator[set[uuid.UUID]]:
    """Locks the files of these uploads while the context lasts; gives those that no request holds, or that are not."""
    with contextlib.ExitStack() as stack:
        held = set()
        for public_id in ids:
            path = path_of(public_id)
            if file := open_unlocked(path):
                stack.enter_context(file)
            if file or not path.exists():
                held.add(public_id)
        yield held


def _id_of_old(path: Path) -> uuid.UUID | None:
    try:
        is_old = path.stat().st_mtime < time.time() - ABANDONED_AFTER
        return uuid.UUID(path.stem) if is_old else None
    except (FileNotFoundError, ValueError):
        return None
