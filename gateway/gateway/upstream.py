"""The connections to the services."""

import aiohttp

from gateway.aiohttp_private import ServiceConnector
from gateway.limits import Limits


def open_session(limits: Limits) -> aiohttp.ClientSession:
    """The one session for every call to a service. It keeps no cookies and changes no bytes."""
    return aiohttp.ClientSession(
        connector=ServiceConnector(
            limit=0, limit_per_host=limits.connections_per_service, keepalive_timeout=limits.service_keepalive
        ),
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_read=limits.answer_idle),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )
