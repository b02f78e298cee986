"""The connections to the database, for `/metrics`."""

from collections.abc import Iterator

from django.db import Error, connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

#: Everybody may count them. An SQLite database has none.
_CONNECTIONS = """
    SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity WHERE datname = current_database()
"""


class DatabaseConnections(Collector):
    """Those to this service's database on PostgreSQL, of all processes; nothing when it does not answer."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Asked at every scrape."""
        if connection.vendor != "postgresql":
            return
        try:
            with connection.cursor() as cursor:
                cursor.execute(_CONNECTIONS)
                count, limit = cursor.fetchone()
        except Error:
            return
        name = f"{self._service}_database_connections"
        yield GaugeMetricFamily(name, "Connections to the database of this service (PostgreSQL).", count)
        yield GaugeMetricFamily(f"{name}_limit", "Connections that the PostgreSQL server takes, of everybody.", limit)
