"""`/metrics`, for Prometheus: of all processes of this service together."""

from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lookups.errors import LimiterFailedError
from lookups.memory import known_locations as memory
from lookups.providers import shared_limiter
from service_kit.database_metrics import DatabaseConnections
from service_kit.metrics import Disk, page


class KnownLocations(Collector):
    """How many locations are known; nothing when the database does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        try:
            known = memory.about_how_many()
        except Error:
            return
        yield GaugeMetricFamily("postcode_consumer_known_locations", "Locations that are known, about.", known)


class Silence(Collector):
    """Whether upstream is left alone just now; nothing where processes do not agree on that, or cannot be asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        store = shared_limiter()
        if store is None:
            return
        try:
            state, now = store.read()
        except LimiterFailedError:
            return
        finally:
            store.close()
        yield GaugeMetricFamily(
            "postcode_consumer_breaker_open",
            "1 while upstream is left alone because its calls failed.",
            float(bool(state.silence)),
        )
        yield GaugeMetricFamily(
            "postcode_consumer_pause_seconds",
            "How long upstream is left alone yet because it asked for that (Retry-After).",
            max(0.0, state.paused_until - now),
        )


def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus."""
    service = settings.SERVICE
    body, content_type = page(
        KnownLocations(), Silence(), Disk(service, settings.DATA_DIR), DatabaseConnections(service)
    )
    return HttpResponse(body, content_type=content_type)
