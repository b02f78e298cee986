"""Addresses that users name, to be called by us: which of them lead out to the internet, and nowhere inside.

Knows no Django and calls nobody; `uploads.outbound` does.
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

#: Those that are called unless `WEBHOOK_ALLOWED_HOSTS` says more.
PORTS = (80, 443)
MAX_CHARS = 2_000
_USUAL_PORTS = {"http": 80, "https": 443}
#: Of IANA's IPv4 Special-Purpose Address Registry all that is not for everybody; with multicast, what is reserved, and
#: the address of Azure's platform, which every machine there reaches and which looks like any other.
_INSIDE_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "168.63.129.16/32",
    )
]  # fmt: skip
#: All of the IPv6 internet. Outside it are loopback, link-local, private and multicast addresses, and those that stand
#: for an IPv4 address: mapped ones and NAT64.
_INTERNET_V6 = ipaddress.IPv6Network("2000::/3")
#: Of IANA's IPv6 Special-Purpose Address Registry what lies in it: protocols and tunnels (Teredo, 6to4), which carry an
#: IPv4 address, documentation.
_INSIDE_V6 = [ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


class AddressError(ValueError):
    """We do not call this address; the message says what would be accepted."""


def check_address(url: str, allowed: Collection[tuple[str, int]]) -> None:
    """Raises AddressError for what can be told from an address alone: its form, its port, a number that leads inside.

    `allowed` are pairs of host and port that may be anywhere. Where a name leads is told when it is called.
    """
    try:
        parts = urlsplit(url)
        host = str(parts.hostname or "").encode("idna").decode()  # refuses what can be no name
        port = _USUAL_PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        host, port = "", 0
    if not host or parts.scheme not in _USUAL_PORTS or len(url) > MAX_CHARS or not re.fullmatch(r"[!-\[\]-~]+", url):
        raise AddressError(f"http://… or https://… with a host, at most {MAX_CHARS:,} ASCII characters")
    if "@" in parts.netloc:
        raise AddressError("an address without a user name and a password")
    if (host.rstrip("."), port) in allowed:
        return
    if port not in PORTS:
        raise AddressError("an address at port 80 or 443")
    number = _number_of(host.rstrip("."))
    if number is not None and not is_public(number):
        raise AddressError("an address on the internet")


def is_public(number: str) -> bool:
    """Whether an IP address is one of the internet, for everybody."""
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INSIDE_V4)
    return address in _INTERNET_V6 and not any(address in network for network in _INSIDE_V6)


def _number_of(host: str) -> str | None:
    """The IP address that a host is, in any spelling that the C library understands: 127.1, 0x7f000001, 017700000001,
    2130706433; None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
