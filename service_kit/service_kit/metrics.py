"""`/metrics` of a Django service, for Prometheus: of all its processes together.

What they count is in files, one for each process, in the folder that `PROMETHEUS_MULTIPROC_DIR` names; gunicorn's
settings see to it. Without that folder, one process tells what it counted itself. docs/monitoring.md has every metric.
"""

import contextlib
import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Histogram,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# When a series began is of no use to us, and doubles their number.
disable_created_metrics()  # type: ignore[no-untyped-call]
logger = logging.getLogger(__name__)

#: Seconds.
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def counted() -> CollectorRegistry:
    """What this process and those that share its folder have counted."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    _OfProcesses(registry)  # type: ignore[no-untyped-call]
    return registry


class _OfProcesses(MultiProcessCollector):
    """A file is empty for a moment when it is made, and for ever if its process dies then: prometheus_client raises."""

    def collect(self) -> Iterable[Metric]:
        """Asked at every scrape."""
        files = (str(path) for path in Path(self._path).glob("*.db") if _size(path))
        return self.merge(files)  # type: ignore[no-untyped-call, no-any-return]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # its process has ended, and another one has taken its counts
        return 0


def page(*collectors: Collector) -> tuple[bytes, str]:
    """What was counted, and what these say now, in the text format of Prometheus; and its content type."""
    moment = CollectorRegistry()
    for collector in collectors:
        moment.register(collector)
    return generate_latest(counted()) + generate_latest(moment), CONTENT_TYPE_LATEST


def listen(host: str, port: int) -> None:
    """Shows what was counted at a port of its own, for a process that has no other; 0: not at all.

    A port that is taken is said, and is no reason to stop working.
    """
    if not port:
        return
    for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR):  # about Python, not about the work
        with contextlib.suppress(KeyError):
            REGISTRY.unregister(collector)
    try:
        start_http_server(port, host, counted())
    except OSError as error:
        logger.warning("metrics cannot be shown host=%s port=%s why=%s", host, port, error.strerror)


@functools.cache
def request_seconds(service: str) -> Histogram:
    """How long requests took: their number, errors and durations by route."""
    return Histogram(
        f"{service}_request_seconds",
        "How long requests took until the answer began, by method, route and status.",
        ["method", "route", "status"],
        buckets=REQUEST_BUCKETS,
    )


class Kept:
    """What a question says, asked again when the answer is older than so many seconds.

    An answer is kept for whoever scrapes next; nothing is kept when the question raises.
    """

    def __init__(self, ask: Callable[[], Any], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._answer: Any = None
        self._until = 0.0

    def __call__(self) -> Any:
        """The answer."""
        if time.monotonic() >= self._until:
            self._answer = self._ask()
            self._until = time.monotonic() + self._seconds
        return self._answer


def disk_bytes(folder: Path) -> tuple[int, int]:
    """What is free on the disk that the folder is on, and its size, in bytes. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


class Disk(Collector):
    """The disk that a folder is on."""

    def __init__(self, service: str, folder: Path) -> None:
        self._service = service
        self._folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        free, size = disk_bytes(self._folder)
        yield GaugeMetricFamily(f"{self._service}_disk_free_bytes", "Free on the disk of DATA_DIR.", free)
        yield GaugeMetricFamily(f"{self._service}_disk_bytes", "Size of the disk of DATA_DIR.", size)
