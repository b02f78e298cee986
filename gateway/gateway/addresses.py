"""Where a request comes from. What proxies say of it is believed when they are trusted, and only then."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import web

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: One customer of a provider usually has a whole /64.
_IPV6_PREFIX = 64
#: Understanding an address costs more than all the rest here, and the same few come again and again.
_remembered = lru_cache(maxsize=1_024)


def client_address(request: web.BaseRequest, trusted_proxies: Sequence[Network]) -> str:
    """The peer's address; behind trusted proxies, the last address of X-Forwarded-For that is none of theirs."""
    peer = request.remote or ""
    address = _parsed(peer) if trusted_proxies else None
    if address is None:
        return _text(peer)
    if not _is_trusted(address, trusted_proxies):
        return str(address)
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while forwarded and _is_trusted(address, trusted_proxies):
        before = _parsed(forwarded.pop())
        if before is None:
            break
        address = before
    return str(address)


def client_scheme(request: web.BaseRequest, trusted_proxies: Sequence[Network]) -> str:
    """`http` or `https`, as the client itself spoke."""
    peer = _parsed(request.remote or "")
    if peer is not None and _is_trusted(peer, trusted_proxies):
        sent = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        if sent in ("http", "https"):
            return sent
    return request.scheme


@_remembered
def network_of(address: str) -> str:
    """What is counted as one caller: an IPv4 address, or the network of an IPv6 address."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed), _IPV6_PREFIX), strict=False))
    return address


@_remembered
def is_loopback_name(host: str) -> bool:
    """Whether `host`, with or without a port, is `localhost` or an address of this machine for itself."""
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    if port and not (port.isascii() and port.isdecimal()):
        return False
    if name.lower() == "localhost":
        return True
    try:
        if name.startswith("[") and name.endswith("]"):
            return ipaddress.IPv6Address(name[1:-1]).is_loopback
        return ipaddress.IPv4Address(name).is_loopback
    except ValueError:
        return False


def is_proxy(peer: str, trusted_proxies: Sequence[Network]) -> bool:
    """Whether a peer is a trusted proxy: the connections of many clients come from it."""
    address = _parsed(peer)
    return address is not None and _is_trusted(address, trusted_proxies)


def _is_trusted(address: Address, trusted_proxies: Sequence[Network]) -> bool:
    return any(address in network for network in trusted_proxies)


@_remembered
def _text(address: str) -> str:
    parsed = _parsed(address)
    return "unknown" if parsed is None else str(parsed)


@_remembered
def _parsed(text: str) -> Address | None:
    """The address, of which some proxies also tell the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
