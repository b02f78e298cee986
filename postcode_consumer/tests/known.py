"""Locations that are known, or asked for, by several at once."""

import threading
import time
from collections.abc import Callable

from django.db import connection

from lookups.answers import Location, PostcodeDetails
from lookups.findings import Finding, Nearest

PALACE = Location(51.501009, -0.141588)
LEEDS = Location(53.8, -1.5)
SEA = Location(56.0, 2.5)
DETAILS = PostcodeDetails(outcode="SW1A", incode="1AA", country="England", admin_ward='St "J"\\ames\'s, {NULL}')
MATCH = Finding(looked_up_at=1_000, searched=100, nearest=Nearest("SW1A 1AA", 12.3456789012345, DETAILS))
MISS = Finding(looked_up_at=1_000, searched=100)


def in_threads(*works: Callable[[], object]) -> None:
    """Runs them at once, each on a connection of its own; raises what one of them raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (it is raised below)
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)
