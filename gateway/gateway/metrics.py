"""What the gateway counts, for Prometheus, and the port at which it shows that.

Counting is a step of every request, so it is a dictionary of plain numbers: 1.2 µs a request, where a histogram and a
counter of prometheus_client take 9 (decision 42). docs/monitoring.md has every metric.
"""

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import accumulate

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

logger = logging.getLogger("gateway.metrics")

#: Seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BOUNDS = (*(str(float(bucket)) for bucket in BUCKETS), "+Inf")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: By label and value, what a gauge says at a moment.
Moment = Callable[[], dict[str, float]]


class Requests(Collector):
    """The requests of this process, by method, route and status, and how they came out."""

    def __init__(self) -> None:
        #: How many requests took up to each bound, and in the end the seconds of all.
        self._seconds: dict[tuple[str, str, int], list[float]] = {}
        self._outcomes: Counter[str] = Counter()

    def count(self, method: str, route: str, status: int, outcome: str, seconds: float) -> None:
        """One request is over."""
        key = method, route, status
        counts = self._seconds.get(key)
        if counts is None:
            # Clients may make methods up, and each would be counted for ever.
            key = method if method in _METHODS else "other", route, status
            counts = self._seconds.setdefault(key, [0.0] * (len(_BOUNDS) + 1))
        counts[bisect_left(BUCKETS, seconds)] += 1
        counts[-1] += seconds
        self._outcomes[outcome] += 1

    def collect(self) -> Iterator[HistogramMetricFamily | CounterMetricFamily]:
        """Asked at every scrape."""
        seconds = HistogramMetricFamily(
            "gateway_request_seconds",
            "How long requests took, their bodies included, by method, route and status.",
            labels=["method", "route", "status"],
        )
        for (method, route, status), counts in self._seconds.items():
            buckets = list(zip(_BOUNDS, accumulate(counts[:-1]), strict=True))
            seconds.add_metric([method, route, str(status)], buckets, counts[-1])
        yield seconds
        outcomes = CounterMetricFamily(
            "gateway_outcomes", "How requests came out, as the log says it.", labels=["outcome"]
        )
        for outcome, count in self._outcomes.items():
            outcomes.add_metric([outcome], count)
        yield outcomes


class Gauge(Collector):
    """What something is at the moment; `label` names what its values are told apart by."""

    def __init__(self, name: str, meaning: str, label: str | None, moment: Moment) -> None:
        self._name, self._meaning, self._label, self._moment = name, meaning, label, moment

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label] if self._label else [])
        for value, amount in self._moment().items():
            family.add_metric([value] if self._label else [], amount)
        yield family


@asynccontextmanager
async def shown(host: str, port: int | None, collectors: list[Collector]) -> AsyncIterator[int | None]:
    """A second port that answers `GET /metrics` and nothing else, while the context lasts; gives its number.

    None: there is none. One that is taken is said, and is no reason not to serve.
    """
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    ProcessCollector(registry=registry)

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path != "/metrics" or request.method not in ("GET", "HEAD"):
            return web.Response(status=404)
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            logger.warning("metrics cannot be shown host=%s port=%d why=%s", host, port, error.strerror)
            yield None
        else:
            yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
