"""Connections to the services."""

import functools
import os
from collections.abc import Callable
from contextlib import suppress

import aiohttp
from aiohttp.client_proto import ResponseHandler

from .limits import Limits

LAST_WORDS_BYTES = 65_536


class ServiceConnection(ResponseHandler):
    """One connection to a service, which hears the service out before it fails.

    A service may refuse an upload half-way: it answers and closes. The next write of the body then fails, and an
    ordinary connection would fail with it, while the answer still lies unread in the socket.
    """

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """Fail what waits for an answer, unless there is one after all."""
        self._hear_last_words(exc)
        super().set_exception(exc, *cause)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, for the reason `exc`."""
        self._hear_last_words(exc)
        super().connection_lost(exc)

    def _hear_last_words(self, exc: BaseException | None) -> None:
        transport = self.transport
        if not isinstance(exc, OSError) or transport is None or transport.get_extra_info("sslcontext") is not None:
            return
        with suppress(OSError):  # the end of what can be read
            while words := os.read(transport.get_extra_info("socket").fileno(), LAST_WORDS_BYTES):
                self.data_received(words)


class ServiceConnector(aiohttp.TCPConnector):
    """Makes `ServiceConnection`s."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(
            limit=0, limit_per_host=limits.connections_per_service, keepalive_timeout=limits.service_keepalive
        )
        factory: Callable[..., ResponseHandler] = ServiceConnection
        self._factory = functools.partial(factory, loop=self._loop)


def open_session(limits: Limits) -> aiohttp.ClientSession:
    """The one session for every call to a service. It keeps no cookies and changes no bytes."""
    return aiohttp.ClientSession(
        connector=ServiceConnector(limits),
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=limits.answer_idle),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )
