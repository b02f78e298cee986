"""Errors of requests, as RFC 9457 `application/problem+json`.

Every `type` is a relative reference `/problems/<slug>`; docs/problems.md lists them all.
"""

import http
import logging
import sqlite3
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_PG_DISK_FULL = "53100"


class Problem(exceptions.APIException):
    """An error of a request that has a type of its own.

    `extra` are members that help the caller, such as `columns_seen` or `line`; `retry_after` is in seconds.
    """

    def __init__(
        self, slug: str, title: str, *, status: int, detail: str, retry_after: int | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.slug = slug
        self.title = title
        self.message = detail
        self.retry_after = retry_after
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The problem as the caller sees it; also what an upload that failed shows as its `error`."""
        return problem_body(
            slug=self.slug, title=self.title, status=self.status_code, detail=self.message, **self.extra
        )


def problem_body(*, slug: str, title: str, status: int, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem, in the order in which people read them."""
    return {"type": f"/problems/{slug}", "title": title, "status": status, "detail": detail, **extra}


def problem_response(*, slug: str, title: str, status: int, detail: str, **extra: Any) -> JsonResponse:
    """A whole answer, for places that REST framework's handler does not reach."""
    body = problem_body(slug=slug, title=title, status=status, detail=detail, **extra)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def storage_full() -> Problem:
    """507: the disk is full, that of the files or that of the database."""
    return Problem(
        "storage-full",
        "There is no room on the disk",
        status=507,
        detail="The disk is full. Nothing was stored; try again later.",
        retry_after=300,
    )


def database_is_full(error: Error) -> bool:
    """Whether the database has refused to write because its disk is full."""
    return _sqlite_code(error) == sqlite3.SQLITE_FULL or getattr(error.__cause__, "pgcode", None) == _PG_DISK_FULL


def database_is_away(error: Exception) -> bool:
    """The database is away, or cannot write just now: nobody's fault, and no reason to count an attempt.

    psycopg2 also raises plain DatabaseError when the server ends the connection; its other subclasses are faults.
    """
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def _database_problem(error: Error) -> Problem | None:
    """What the state of the database is to blame for, not the statement that it was given."""
    if database_is_full(error):
        return storage_full()
    # SQLite has the same exception for statements that are wrong.
    if not database_is_away(error) or _sqlite_code(error) == sqlite3.SQLITE_ERROR:
        return None
    return Problem(
        "database-unavailable",
        "The database does not answer",
        status=503,
        detail="The database is away or too busy just now. Try again, an upload with the same Idempotency-Key.",
        retry_after=2,
    )


def _sqlite_code(error: Error) -> int | None:
    return getattr(error.__cause__, "sqlite_errorcode", None)


_KNOWN: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.NotAuthenticated: ("key-required", "This call needs an API key"),
    exceptions.AuthenticationFailed: ("unknown-key", "The API key is not valid"),
    exceptions.NotFound: ("not-found", "There is nothing here"),
    exceptions.MethodNotAllowed: ("method-not-allowed", "This address does not take that method"),
    exceptions.UnsupportedMediaType: ("unsupported-media-type", "This kind of body is not taken here"),
    exceptions.ValidationError: ("invalid-parameter", "A parameter is not valid"),
    exceptions.ParseError: ("invalid-body", "The body cannot be read"),
}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Turns what a view raises into a problem. What nobody foresaw goes on to Django's handler and becomes a 500."""
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
    elif isinstance(exception, Error) and (problem := _database_problem(exception)):
        logger.warning("database trouble: %s", exception)
        exception = problem
    if not isinstance(exception, exceptions.APIException):
        return None
    headers: dict[str, str] = {}
    if isinstance(exception, Problem):
        body = exception.body()
        if exception.retry_after is not None:
            headers["Retry-After"] = str(exception.retry_after)
    else:
        status = exception.status_code
        slug, title = _KNOWN.get(type(exception), ("request-refused", http.HTTPStatus(status).phrase))
        body = problem_body(slug=slug, title=title, status=status, detail=_sentence(exception.detail))
    if isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        body["status"] = 401
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        return " ".join(f"{name}: {_sentence(value)}" for name, value in detail.items())
    if isinstance(detail, list | tuple):
        return " ".join(_sentence(item) for item in detail)
    return str(detail)


class IgnoreAccept(DefaultContentNegotiation):
    """Answers are JSON whatever `Accept` says: a 406 would hide the real answer, or the real error."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler for a request that it does not trust, such as one with thousands of parameters."""
    return problem_response(
        slug="invalid-request", title="The request is not valid", status=400, detail="The request cannot be read."
    )


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler for an address that no route knows."""
    return problem_response(
        slug="not-found", title="There is nothing here", status=404, detail=f"No such address: {request.path}"
    )


def internal_error(request: HttpRequest) -> JsonResponse:
    """Django's handler for an exception that nobody caught; the traceback is in the log."""
    return problem_response(
        slug="internal-error",
        title="Something went wrong here",
        status=500,
        detail="The error was logged under this request's X-Request-Id.",
    )
