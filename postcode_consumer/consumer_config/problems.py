"""Errors of requests, as RFC 9457 `application/problem+json`.

Every `type` is a relative reference `/problems/<slug>`.
"""

import http
import logging
from typing import Any

from django.db import Error
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class Problem(exceptions.APIException):
    """An error of a request that has a type of its own.

    `extra` are members that help the caller, such as `index`; `retry_after` is in whole seconds.
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


def problem_body(*, slug: str, title: str, status: int, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem, in the order in which people read them."""
    return {"type": f"/problems/{slug}", "title": title, "status": status, "detail": detail, **extra}


def problem_response(*, slug: str, title: str, status: int, detail: str) -> JsonResponse:
    """A whole answer, for places that REST framework's handler does not reach."""
    body = problem_body(slug=slug, title=title, status=status, detail=detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def _database_unavailable() -> Problem:
    return Problem(
        "database-unavailable",
        "The database does not answer",
        status=503,
        detail="The database of known locations is away, full or too busy just now. Try again.",
        retry_after=5,
    )


_KNOWN: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.NotFound: ("not-found", "There is nothing here"),
    exceptions.MethodNotAllowed: ("method-not-allowed", "This address does not take that method"),
}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Turns what a view raises into a problem. What nobody foresaw goes on to Django's handler and becomes a 500."""
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, Error):
        # Whatever it is, it says nothing about any location: callers must not give one up for it.
        logger.error("database trouble", exc_info=exception)
        exception = _database_unavailable()
    if not isinstance(exception, exceptions.APIException):
        return None
    status = exception.status_code
    headers: dict[str, str] = {}
    if isinstance(exception, Problem):
        body = problem_body(
            slug=exception.slug, title=exception.title, status=status, detail=exception.message, **exception.extra
        )
        if exception.retry_after is not None:
            headers["Retry-After"] = str(exception.retry_after)
    else:
        slug, title = _KNOWN.get(type(exception), ("request-refused", http.HTTPStatus(status).phrase))
        body = problem_body(slug=slug, title=title, status=status, detail=str(exception.detail))
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


class IgnoreAccept(DefaultContentNegotiation):
    """Answers are JSON whatever `Accept` says: a 406 would hide the real answer, or the real error."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """The first renderer, always."""
        return renderers[0], renderers[0].media_type


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
