"""Errors of requests, as RFC 9457 `application/problem+json`.

Every `type` is a relative reference `/problems/<slug>`; each has its constructor here.
"""

import http
import json
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from gateway.routes import Service

RETRY_AFTER_SECONDS = 2


class Problem(Exception):
    """A request that the gateway itself answers with an error. `members` help the caller."""

    def __init__(
        self,
        slug: str,
        title: str,
        *,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"type": f"/problems/{slug}", "title": title, "status": status, "detail": detail, **members}

    def answer(self, page: str | None = None) -> web.Response:
        """The whole answer; with a page, which a browser asked for, that instead of the problem."""
        kind = "application/problem+json" if page is None else "text/html; charset=utf-8"
        return web.Response(
            status=self.status,
            reason=_REASONS.get(self.status),
            body=(json.dumps(self.body) if page is None else page).encode(),
            headers={"Content-Type": kind, "Vary": "Accept", **self.headers},
        )


#: Python has newer names for some statuses in some versions; clients see the same in all of them.
_REASONS = {status.value: status.phrase for status in http.HTTPStatus}


def not_found() -> Problem:
    """No route has the path."""
    return Problem("not-found", "There is nothing here", status=404, detail="No part of this service has this path.")


def invalid_parameter(name: str, detail: str, accepted: Collection[str]) -> Problem:
    """A query parameter of the gateway's own addresses does not exist, or has a value that is not valid."""
    return Problem(
        "invalid-parameter",
        "A parameter is not valid",
        status=400,
        detail=detail,
        parameter=name,
        accepted=list(accepted),
    )


def method_not_allowed(method: str, allowed: str) -> Problem:
    """The path is known, the method is not for it. `allowed` is a list such as "GET, HEAD"."""
    return Problem(
        "method-not-allowed",
        "This method is not allowed here",
        status=405,
        detail=f"{method} is not allowed here. Allowed: {allowed}.",
        headers={"Allow": allowed},
    )


def internal_error() -> Problem:
    """The gateway itself failed."""
    return Problem("internal-error", "The gateway failed", status=500, detail="The log has more under the request id.")


def bad_request(detail: str) -> Problem:
    """What was sent is not HTTP, or cannot be passed on."""
    return Problem("bad-request", "The request is not valid HTTP", status=400, detail=detail)


def target_too_long(maximum: int) -> Problem:
    """The request line is over the limit, in bytes."""
    return Problem(
        "target-too-long",
        "The address is too long",
        status=414,
        detail=f"Path and query string may have {maximum} bytes together.",
        maximum_bytes=maximum,
    )


def headers_too_large(*, header_bytes: int, headers: int) -> Problem:
    """One header is over the limit, or there are too many."""
    return Problem(
        "headers-too-large",
        "The request's headers are too large",
        status=431,
        detail=f"A header may have {header_bytes} bytes, and there may be {headers} of them.",
        maximum_bytes=header_bytes,
        maximum_headers=headers,
    )


def body_too_large(maximum: int) -> Problem:
    """The body is declared to be, or turns out to be, over the limit, in bytes."""
    return Problem(
        "body-too-large",
        "The request's body is too large",
        status=413,
        detail=f"The body may have {maximum} bytes here.",
        maximum_bytes=maximum,
    )


def body_too_slow(*, seconds: float, floor: int) -> Problem:
    """The client stopped sending in the middle of its body, or fell too far behind."""
    return Problem(
        "client-too-slow",
        "The request's body did not arrive",
        status=408,
        detail=f"Nothing of the body arrived for {seconds:g} seconds, or for longer less than {floor} bytes a second.",
    )


def headers_too_slow(seconds: float) -> Problem:
    """The client began a request and did not end its headers."""
    return Problem(
        "client-too-slow",
        "The request did not arrive",
        status=408,
        detail=f"Its headers were not complete after {seconds:g} seconds.",
    )


def storage_full() -> Problem:
    """The body is too large to wait in memory, and the disk is full."""
    return Problem(
        "storage-full",
        "There is no room for the request's body",
        status=507,
        detail="The gateway has no room on its disk to take the body. Nothing was done.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def too_many_at_once(what: str, maximum: int) -> Problem:
    """One caller has as much at a time as one may have."""
    return Problem(
        "too-many-requests-at-once",
        "Too many requests at once",
        status=429,
        detail=f"You have {maximum} {what} at a time already. Wait for some of them.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        maximum=maximum,
    )


def service_busy(service: Service | None, detail: str) -> Problem:
    """There was no place for the request in time. Nothing was done; ask again."""
    return Problem(
        "service-busy",
        "There is too much to do",
        status=503,
        detail=detail,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        **({} if service is None else {"service": service.value}),
    )


def key_required() -> Problem:
    """No API key where one is needed."""
    return Problem(
        "key-required",
        "This call needs an API key",
        status=401,
        detail="Send it as `Authorization: Bearer <key>`, or as the user name of Basic authentication.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def unknown_key() -> Problem:
    """The API key is nobody's, or no longer."""
    return Problem(
        "unknown-key",
        "The API key is not valid",
        status=401,
        detail="The key is unknown, has expired or was revoked.",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def scope_missing(needed: Collection[str]) -> Problem:
    """The key is good, but not for this call. One of the scopes would do."""
    return Problem(
        "scope-missing",
        "The key is not for this call",
        status=403,
        detail=f"The key needs the scope {' or '.join(needed)}.",
        headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'},
        scopes=list(needed),
    )


def too_many_requests(limit: int, what: str, retry_after: int) -> Problem:
    """A limit of requests a minute is used up. `what` says of whom it is a limit, `retry_after` is in seconds."""
    return Problem(
        "too-many-requests",
        "Too many requests",
        status=429,
        detail=f"At most {limit} {what} in a minute. Come back in {retry_after} s.",
        headers={"Retry-After": str(retry_after)},
        limit=limit,
        window_seconds=60,
    )


def host_not_loopback() -> Problem:
    """With AUTH=off, a name that is not this machine's own for itself."""
    return Problem(
        "host-not-loopback",
        "Without keys, only this machine is served",
        status=421,
        detail="With AUTH=off, the host must be localhost, or an address such as 127.0.0.1. Others need AUTH=required.",
    )


def foreign_page() -> Problem:
    """With AUTH=off, the browser was sent here by a page that is not the gateway's own."""
    return Problem(
        "foreign-page",
        "A page of another origin may not do this",
        status=403,
        detail="With AUTH=off, only pages of the gateway itself, and of CORS_ALLOWED_ORIGINS, may send requests.",
    )


def service_unavailable(service: Service, detail: str) -> Problem:
    """A service that is needed cannot be reached, or says that it cannot work. Nothing was done; ask again."""
    return Problem(
        "service-unavailable",
        "A service is not available",
        status=503,
        detail=detail,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        service=service.value,
    )


def service_failed(service: Service) -> Problem:
    """A service took the request and broke off without an answer, or answered with something that is not HTTP."""
    return Problem(
        "service-failed",
        "A service gave no valid answer",
        status=502,
        detail=f"{service.value} broke off without a valid answer. Whether it did the work is not known.",
        service=service.value,
    )


def service_timeout(service: Service, seconds: float) -> Problem:
    """A service has the request and stays silent."""
    return Problem(
        "service-timeout",
        "A service did not answer in time",
        status=504,
        detail=f"{service.value} was silent for {seconds:g} seconds. Whether it did the work is not known.",
        service=service.value,
    )
