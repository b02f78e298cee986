"""The listening side: aiohttp's low-level server around `Gateway`, from start to a graceful end."""

import asyncio
import logging
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from . import problems
from .app import Gateway
from .body import BodyCutShort
from .environment import Settings
from .exchange import Exchange
from .headers import with_own_headers
from .limits import Limits
from .logs import details
from .upstream import open_session

logger = logging.getLogger("gateway.server")


class Door(web.RequestHandler):
    """One client's connection. Answers what cannot be parsed as HTTP with a problem instead of plain text."""

    __slots__ = ()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more. The connection stays open until it is clear whether there is somebody to answer."""
        self._loop.call_soon(self._client_has_ended)
        return True

    def _client_has_ended(self) -> None:
        """In the middle of a body that makes the body short, and the client may wait to be told so.

        Everywhere else the client is gone, as far as anybody can tell.
        """
        request = self._current_request
        if request is None and self._waiter is None and not self._force_close:
            self._loop.call_soon(self._client_has_ended)  # a request was read, and its handling has not begun
        elif request is None or request.content.is_eof():
            self.force_close()
        else:
            request.content.set_exception(BodyCutShort())
            self._lingering_time = 0  # there is no rest to wait for
            self.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no request. Everything else `Gateway.handle` has answered already."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun: no other can follow")
        exchange = Exchange(request)
        answer = self._problem(exc, status).answer()
        exchange.status, exchange.outcome = answer.status, "not_http"
        with_own_headers(answer.headers, request_id=exchange.request_id)
        answer.force_close()
        exchange.log()
        return answer

    def _problem(self, exc: BaseException | None, status: int) -> problems.Problem:
        if status >= 500:
            return problems.internal_error()
        # Address and header have different limits, and only that tells which of them was too long.
        if isinstance(exc, LineTooLong) and exc.args[1] == self.max_line_size:
            return problems.target_too_long(self.max_line_size)
        if isinstance(exc, LineTooLong) or "Too many headers" in str(exc):
            return problems.headers_too_large(header_bytes=self.max_field_size, headers=self.max_headers)
        return problems.bad_request("The request could not be parsed.")


class Doors(web.Server):
    """Makes a `Door` of every connection that is accepted."""

    def __call__(self) -> Door:
        """A door for one connection."""
        return Door(self, loop=self._loop, **self._kwargs)


@asynccontextmanager
async def open_gateway(settings: Settings, limits: Limits) -> AsyncIterator[tuple[str, int]]:
    """A gateway that listens while the context lasts, and finishes what is in flight when it ends.

    Gives the address it is bound to. Raises `OSError` when it cannot be bound.
    """
    limits = replace(limits, upload_bytes=settings.max_upload_bytes)
    async with open_session(limits) as session:
        gateway = Gateway(session, settings, limits)
        doors = Doors(
            gateway.handle,
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
            yield host, port
            # aiohttp's own shutdown would throw the rest of bodies away that are still arriving.
            await site.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.grace):
                    await gateway.drain()
        finally:
            await runner.cleanup()


async def serve(settings: Settings, limits: Limits) -> None:
    """Listen until SIGTERM or SIGINT. Raises `OSError` when the address cannot be bound."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    async with open_gateway(settings, limits) as (host, port):
        logger.info("listening %s", details(host=host, port=port, keys="required" if settings.keys_required else "off"))
        await stopped.wait()
        logger.info("stopping %s", details(grace_seconds=limits.grace))
    logger.info("stopped")


def allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: every request in flight has two connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
