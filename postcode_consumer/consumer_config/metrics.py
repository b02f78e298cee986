"""`/metrics`, for Prometheus: of all processes of this service together.

What they count is in files, one for each process, in the folder that `PROMETHEUS_MULTIPROC_DIR` names; gunicorn's
settings see to it. Without that folder, one process tells what it counted itself.
"""

import os
from collections.abc import Iterator

from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from lookups.memory import known_locations as memory


class KnownLocations(Collector):
    """How many locations are known; nothing when the database does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        try:
            known = memory.about_how_many()
        except Error:
            return
        yield GaugeMetricFamily("postcode_consumer_known_locations", "Locations that are known, about.", known)


def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(KnownLocations())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted = b""
    else:
        counted = generate_latest(REGISTRY)
    return HttpResponse(counted + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
