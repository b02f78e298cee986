"""What web pages may have their visitors' browsers do here."""

from collections.abc import Set as AbstractSet

from aiohttp import web

from gateway import problems
from gateway.addresses import is_loopback_name
from gateway.exchange import Exchange
from gateway.routes import Route

_ALLOWED_HEADERS = (
    "Authorization, Cache-Control, Content-Digest, Content-Encoding, Content-Type, Idempotency-Key, If-None-Match, "
    "Last-Event-ID, Range, X-Request-Deadline, X-Request-Id"
)
_EXPOSED_HEADERS = (
    "Age, Content-Disposition, ETag, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
)
_PREFLIGHT_SECONDS = 600


def check_host(exchange: Exchange) -> None:
    """With AUTH=off: a page whose own name points at this machine would be of one origin with the gateway.

    Raises the problem `host-not-loopback`.
    """
    if exchange.host is not None and not is_loopback_name(exchange.host):
        raise problems.host_not_loopback()


def check_origin(request: web.BaseRequest, exchange: Exchange, allowed: AbstractSet[str]) -> None:
    """With AUTH=off: whoever reaches the gateway may do everything, so no page of somebody else may use it.

    A page of the same machine at another port is somebody else's, too. Raises the problem `foreign-page`.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin not in allowed and origin.lower() != f"{exchange.scheme}://{exchange.host}".lower():
            raise problems.foreign_page()
        return
    is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if is_foreign and not _is_link_followed(request):
        raise problems.foreign_page()


def _is_link_followed(request: web.BaseRequest) -> bool:
    """Somebody opens an address in a window of its own: the page with the link does not see what comes."""
    headers = request.headers
    opens_window = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    return opens_window and request.method in ("GET", "HEAD")


def share(request: web.BaseRequest, exchange: Exchange, route: Route, allowed: AbstractSet[str]) -> web.Response | None:
    """Lets pages of the allowed origins read the answers of the API (CORS); the whole answer to a preflight."""
    if not (allowed and route.needs_key):
        return None
    exchange.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin is None or origin not in allowed:
        return None
    exchange.headers["Access-Control-Allow-Origin"] = origin
    exchange.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    preflight = {
        "Access-Control-Allow-Methods": route.methods,
        "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    }
    return web.Response(status=204, headers=preflight)
