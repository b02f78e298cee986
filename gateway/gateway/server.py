"""The listening side: aiohttp's low-level server around `Gateway`, from start to a graceful end."""

import asyncio
import logging
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from aiohttp import web
from prometheus_client.registry import Collector

from gateway.aiohttp_private import Doors
from gateway.app import Gateway
from gateway.environment import Settings
from gateway.exchange import REQUESTS
from gateway.limits import Limits
from gateway.logs import details
from gateway.metrics import Gauge, shown
from gateway.routes import Service
from gateway.upstream import open_session

logger = logging.getLogger("gateway.server")


@asynccontextmanager
async def open_gateway(settings: Settings, limits: Limits) -> AsyncIterator[tuple[str, int]]:
    """A gateway that listens while the context lasts, says at its end that it is about to stop, goes on for
    `stop_ready_seconds`, and finishes the requests in flight.

    Gives the address it is bound to. Raises `OSError` when it cannot be bound.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = replace(
        limits,
        upload_bytes=settings.max_upload_bytes,
        listeners=settings.listeners,
        listeners_per_caller=settings.listeners_per_caller,
        # A request has the client's connection, perhaps a file of its body or its answer, and one to the service, of
        # which there are so many at most.
        connections=min(
            limits.connections, max(files // 4, files // 2 - len(Service) * limits.connections_per_service)
        ),
    )
    async with open_session(limits) as session:
        gateway = Gateway(session, settings, limits)
        doors = Doors(
            gateway.handle,
            limits,
            settings.trusted_proxies,
            handler_cancellation=True,  # a client that leaves takes its call to the service with it
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.client_keepalive,
            lingering_time=limits.linger,
            max_line_size=limits.target_bytes,
            max_field_size=limits.header_bytes,
            max_headers=limits.headers,
        )
        runner = web.ServerRunner(doors, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
            await site.start()
            host, port = runner.addresses[0][:2]
            collectors = [REQUESTS, *gateway.gauges(), connections_of(doors)]
            async with shown(settings.metrics_host, settings.metrics_port, collectors):
                yield host, port
                gateway.announce_stop()
                await asyncio.sleep(settings.stop_ready_seconds)
            # aiohttp's own shutdown would throw the rest of bodies away that are still arriving.
            await site.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.grace):
                    await gateway.drain()
        finally:
            await runner.cleanup()


def connections_of(doors: Doors) -> Collector:
    """The clients' open connections, for metrics."""
    return Gauge("gateway_connections", "Open connections of clients.", None, lambda: {"": doors.open.total()})


async def serve(settings: Settings, limits: Limits) -> None:
    """Listen until SIGTERM or SIGINT. Raises `OSError` when the address cannot be bound."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    async with open_gateway(settings, limits) as (host, port):
        logger.info("listening %s", details(host=host, port=port, keys="required" if settings.keys_required else "off"))
        await stopped.wait()
        logger.info("stopping %s", details(in_seconds=settings.stop_ready_seconds, grace_seconds=limits.grace))
    logger.info("stopped")


def allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: every request in flight has two connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
