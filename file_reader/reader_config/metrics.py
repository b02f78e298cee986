"""`/metrics`, for Prometheus: of all web processes together, and what there is to do."""

from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service_kit.database_metrics import DatabaseConnections
from service_kit.metrics import Disk, Kept, page
from uploads.files.alive import ALIVE_SECONDS, last_signs
from uploads.queue import CHUNK_STATES, UPLOAD_STATES, Waiting, queue

#: However often somebody scrapes, the database is asked once in so many seconds.
_KEPT_SECONDS = 5.0
queue_now = Kept(queue, _KEPT_SECONDS)


class Queue(Collector):
    """What there is to do; nothing when the database does not answer."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        try:
            found = queue_now()
        except Error:
            return
        uploads = GaugeMetricFamily(
            "file_reader_uploads",
            "Uploads that are not over, by state.",
            labels=["state"],
        )
        oldest = GaugeMetricFamily(
            "file_reader_oldest_upload_seconds", "How long the first upload has been there, by state.", labels=["state"]
        )
        for state in UPLOAD_STATES:
            waiting = found.get(("upload", state), Waiting())
            uploads.add_metric([state], waiting.number)
            oldest.add_metric([state], waiting.seconds)
        chunks = GaugeMetricFamily("file_reader_chunks", "Chunks that have work left, by state.", labels=["state"])
        rows = GaugeMetricFamily("file_reader_chunk_rows", "Rows of these chunks.", labels=["state"])
        due = GaugeMetricFamily(
            "file_reader_oldest_chunk_seconds",
            "How long the first chunk could have been taken already, by state.",
            labels=["state"],
        )
        for state in CHUNK_STATES:
            waiting = found.get(("chunk", state), Waiting())
            chunks.add_metric([state], waiting.number)
            rows.add_metric([state], waiting.rows)
            due.add_metric([state], waiting.seconds)
        deliveries = found.get(("delivery", "waiting"), Waiting())
        yield from (uploads, oldest, chunks, rows, due)
        yield GaugeMetricFamily("file_reader_deliveries", "Webhooks that wait for their delivery.", deliveries.number)
        yield GaugeMetricFamily(
            "file_reader_oldest_delivery_seconds", "How long the first of them has been waiting.", deliveries.seconds
        )


class Workers(Collector):
    """Those that share DATA_DIR with this process."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        signs = last_signs()
        silent = GaugeMetricFamily(
            "file_reader_worker_silent_seconds",
            "How long ago a worker whose process is there has shown that it lives.",
            labels=["worker"],
        )
        for worker, seconds in signs.items():
            silent.add_metric([worker], seconds)
        yield silent
        alive = sum(seconds <= ALIVE_SECONDS for seconds in signs.values())
        yield GaugeMetricFamily("file_reader_workers_alive", "Workers that have done so within half a minute.", alive)


class DiskFloor(Collector):
    """What uploads leave free."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        yield GaugeMetricFamily(
            "file_reader_disk_floor_bytes",
            "MIN_FREE_BYTES: with less free, uploads are refused.",
            settings.MIN_FREE_BYTES,
        )


def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus."""
    service = settings.SERVICE
    disk = Disk(service, settings.DATA_DIR)
    body, content_type = page(Queue(), Workers(), disk, DiskFloor(), DatabaseConnections(service))
    return HttpResponse(body, content_type=content_type)
