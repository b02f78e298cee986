"""Errors of requests, as RFC 9457 `application/problem+json`.

Every `type` is a relative reference `/problems/<slug>`; docs/problems.md lists them all.
"""

import http
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from service_kit.problem_body import problem_body

CONTENT_TYPE = "application/problem+json"


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
        """The problem as the caller sees it."""
        return problem_body(
            slug=self.slug, title=self.title, status=self.status_code, detail=self.message, **self.extra
        )


def problem_response(*, slug: str, title: str, status: int, detail: str, **extra: Any) -> JsonResponse:
    """A whole answer, for places that REST framework's handler does not reach."""
    body = problem_body(slug=slug, title=title, status=status, detail=detail, **extra)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


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
    """REST framework's handler: what it, Django or a service raises → a problem; None for what nobody foresaw, which
    becomes a 500. Each service's own handler puts its errors in front of it."""
    if isinstance(exception, Http404):
        exception = exceptions.NotFound()
    elif isinstance(exception, PermissionDenied):
        exception = exceptions.PermissionDenied()
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
