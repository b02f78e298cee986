"""Which headers cross the gateway, and which only it may set."""

from collections.abc import Mapping
from functools import lru_cache

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.exchange import Exchange
from gateway.routes import ROUTES, STATUS

#: RFC 9110, 7.6.1: they are about one connection, not about the message.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: The services believe these because they come from the gateway, or the gateway deals with them itself. Of the key
#: only the user's id goes on.
SET_BY_GATEWAY = frozenset(
    {"authorization", "content-length", "expect", "forwarded", "x-real-ip", "x-request-id", "x-user-id"}
)
SET_BY_GATEWAY_PREFIXES = ("x-forwarded-", "x-internal-")

#: The pages of the admins, and that of the API: all they load is their own, and no other page may show them in a frame.
PAGES = ("/admin/", "/api/docs/", "/static/")
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
#: Those of people: nothing is allowed that they do not need. `img-src` is added.
PEOPLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOR_PEOPLE = [STATUS, *(route for route in ROUTES if route.page)]
#: Nothing else is a page. A browser that shows it as one loads and runs nothing.
NO_PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'"
HSTS = "max-age=31536000"
ON_EVERY_ANSWER = {
    "Server": "gateway",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class UnsendableHeaderError(Exception):
    """A header's value is not valid UTF-8."""


def forwarded_headers(
    request: web.BaseRequest, exchange: Exchange, internal_headers: Mapping[str, str]
) -> CIMultiDict[str]:
    """The headers of a client's request as a service gets them, `internal_headers` among them.

    A name with an underscore is dropped: WSGI makes the same variable of `X_User_Id` and `X-User-Id`.
    Raises `UnsendableHeaderError`.
    """
    headers = _end_to_end(request.headers)
    for name in list(headers.keys()):
        lowered = name.lower()
        if lowered in SET_BY_GATEWAY or lowered.startswith(SET_BY_GATEWAY_PREFIXES) or "_" in name:
            headers.popall(name, None)
    # HTTP/1.0 may have none: then links would show where the service itself listens.
    headers["Host"] = _own_address(request) if exchange.host is None else exchange.host
    if not all(_is_sendable(value) for value in headers.values()):
        raise UnsendableHeaderError
    if request.body_exists and request.content_length is not None:
        headers["Content-Length"] = str(request.content_length)
    headers.update(own_headers(exchange, internal_headers))
    return headers


def own_headers(exchange: Exchange, internal_headers: Mapping[str, str]) -> CIMultiDict[str]:
    """What the gateway itself says of a request to its service."""
    headers = CIMultiDict(internal_headers)
    if exchange.host is not None:  # links in the answer are built from it
        headers["Host"] = exchange.host
    headers["X-Forwarded-For"] = exchange.address
    headers["X-Forwarded-Proto"] = exchange.scheme
    headers["X-Request-Id"] = exchange.request_id
    if exchange.user_id is not None:
        headers["X-User-Id"] = str(exchange.user_id)
        headers["X-Internal-Key"] = exchange.key
    return headers


def returned_headers(answer: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers of a service's answer that are for the client."""
    return CIMultiDict((name, value) for name, value in _end_to_end(answer).items() if _is_sendable(value))


def complete(headers: CIMultiDict[str], exchange: Exchange) -> CIMultiDict[str]:
    """`headers` with those that the gateway adds to every answer, its own and those of the services."""
    headers.update(ON_EVERY_ANSWER)
    headers["X-Request-Id"] = exchange.request_id
    headers["Content-Security-Policy"] = _policy(exchange.path, exchange.tiles_origin, exchange.is_page)
    if exchange.scheme == "https":
        headers["Strict-Transport-Security"] = HSTS
        cookies = headers.popall("Set-Cookie", ())
        headers.extend(("Set-Cookie", _secure(cookie)) for cookie in cookies)
    if exchange.private and "Cache-Control" in headers:
        control = ", ".join(headers.getall("Cache-Control"))
        headers["Cache-Control"] = control.replace("public", "private")
    headers.extend(exchange.headers)
    return headers


@lru_cache(maxsize=1_024)
def _policy(path: str, tiles_origin: str, is_page: bool) -> str:
    if path.startswith(PAGES):
        return PAGE_POLICY
    is_for_people = is_page or any(route.has(path) for route in _FOR_PEOPLE)
    return f"{PEOPLE_POLICY}; img-src 'self' {tiles_origin}".rstrip() if is_for_people else NO_PAGE_POLICY


def _secure(cookie: str) -> str:
    attributes = {attribute.strip().lower() for attribute in cookie.split(";")[1:]}
    return cookie if "secure" in attributes else f"{cookie}; Secure"


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    named = {
        name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",") if name.strip()
    }
    # The body's length is not the client's to take away, nor the name that links are built from.
    dropped = HOP_BY_HOP | (named - {"content-length", "host"})
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


def _is_sendable(value: str) -> bool:
    """Whether the value goes out as it came in: aiohttp keeps bytes that are not UTF-8 as lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _own_address(request: web.BaseRequest) -> str:
    host, port = request.transport.get_extra_info("sockname")[:2] if request.transport else ("localhost", 80)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
