"""Which headers cross the gateway, and which only it may set."""

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

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


class UnsendableHeaderError(Exception):
    """A header's value is not valid UTF-8."""


def forwarded_headers(
    request: web.BaseRequest, *, internal_token: str, request_id: str, user_id: int | None
) -> CIMultiDict[str]:
    """The headers of a client's request as a service gets them.

    A name with an underscore is dropped: WSGI makes the same variable of `X_User_Id` and `X-User-Id`.
    Raises `UnsendableHeaderError`.
    """
    headers = _end_to_end(request.headers)
    for name in list(headers.keys()):
        lowered = name.lower()
        if lowered in SET_BY_GATEWAY or lowered.startswith(SET_BY_GATEWAY_PREFIXES) or "_" in name:
            headers.popall(name, None)
    if "Host" not in headers:  # HTTP/1.0: without it, links would show where the service itself listens
        headers["Host"] = _own_address(request)
    if not all(_is_sendable(value) for value in headers.values()):
        raise UnsendableHeaderError
    if request.body_exists and request.content_length is not None:
        headers["Content-Length"] = str(request.content_length)
    headers["X-Forwarded-For"] = _forwarded_for(request)
    headers["X-Forwarded-Proto"] = _forwarded_proto(request)
    headers["X-Internal-Token"] = internal_token
    headers["X-Request-Id"] = request_id
    if user_id is not None:
        headers["X-User-Id"] = str(user_id)
    return headers


def returned_headers(answer: CIMultiDictProxy[str], *, request_id: str) -> CIMultiDict[str]:
    """The headers of a service's answer as the client gets them."""
    headers = CIMultiDict((name, value) for name, value in _end_to_end(answer).items() if _is_sendable(value))
    return with_own_headers(headers, request_id=request_id)


def with_own_headers(headers: CIMultiDict[str], *, request_id: str) -> CIMultiDict[str]:
    """`headers` with the two that every answer carries."""
    headers["Server"] = "gateway"
    headers["X-Request-Id"] = request_id
    return headers


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


def _forwarded_for(request: web.BaseRequest) -> str:
    seen = [value for value in request.headers.getall("X-Forwarded-For", ()) if _is_sendable(value)]
    return ", ".join([*seen, request.remote or "unknown"])


def _forwarded_proto(request: web.BaseRequest) -> str:
    sent = request.headers.get("X-Forwarded-Proto", "").strip().lower()
    return sent if sent in ("http", "https") else request.scheme
