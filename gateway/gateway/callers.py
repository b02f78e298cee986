"""Who calls: what places and connections are counted by."""

import ipaddress

from aiohttp import web


def client_address(request: web.BaseRequest) -> str:
    """The address that a request came from."""
    return request.remote or "unknown"


def caller_of(request: web.BaseRequest, user_id: int | None) -> str:
    """The user, or where there is none, the network that the request came from."""
    return f"user {user_id}" if user_id is not None else network_of(client_address(request))


def network_of(address: str) -> str:
    """The address itself, of IPv6 its /64: a single machine there has as many addresses as it wants."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
