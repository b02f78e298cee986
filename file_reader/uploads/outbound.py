"""Calls to addresses that users name: bound to what was checked, no redirect followed, ended after their time.

The one check stands where a socket is made, of the very address that it is then connected to. So it does not matter how
a host is spelt, or what its name leads to at the next look-up. The request and TLS keep the name.
"""

import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from uploads.addresses import PORTS, is_public


class CallError(Exception):
    """There was no answer; the message says why, and nothing of what is inside our network."""


class _RefusedError(OSError):
    """This address is not called."""


@asynccontextmanager
async def called(
    method: str, url: str, *, seconds: float, allowed: Collection[tuple[str, int]], **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a call, whatever its status; its body is not read yet. All of it ends within `seconds`.

    Raises CallError, also when the body is read within the context.
    """
    try:
        target = URL(url)
    except ValueError:
        raise CallError(_REFUSED) from None
    host = (target.raw_host or "").rstrip(".")
    refused = []

    def checked_socket(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if (host, target.port) not in allowed and not (is_public(address[0]) and address[1] in PORTS):
            refused.append(address)
            raise _RefusedError
        return socket.socket(family, kind, protocol)

    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=checked_socket, force_close=True),
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            session.request(method, target, allow_redirects=False, **options) as answer,
        ):
            yield answer
    except TimeoutError:
        raise CallError(f"no whole answer within {seconds:g} s") from None
    except (aiohttp.ClientError, UnicodeError) as error:  # the latter of names that can be none, at the look-up
        raise CallError(_REFUSED if refused else _why(error)) from error


_REFUSED = "refused: this does not lead to an address of the internet, at port 80 or 443"


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):  # a host that is written in an unusual way
        return _REFUSED
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the certificate is not valid for this name"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection"
    return f"no answer that is HTTP ({type(error).__name__})"
