"""From errors to problems: the one table of this service."""

import logging
import math
from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from lookups.errors import ProviderUnavailableError
from service_kit import problems
from service_kit.problems import Problem

logger = logging.getLogger(__name__)

#: Seconds; what callers are told when the provider did not say when it is back.
DEFAULT_RETRY_AFTER = 5.0


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to what a view raises; None for what nobody foresaw."""
    if isinstance(exception, Error):
        # Whatever it is, it says nothing about any location: callers must not give one up for it.
        logger.error("database trouble", exc_info=exception)
        exception = Problem(
            "database-unavailable",
            "The database does not answer",
            status=503,
            detail="The database of known locations is away, full or too busy just now. Try again.",
            retry_after=5,
        )
    elif isinstance(exception, ProviderUnavailableError):
        exception = Problem(
            "upstream-unavailable",
            "The postcode provider cannot be reached",
            status=503,
            detail=exception.detail,
            retry_after=whole_seconds(exception.retry_after or DEFAULT_RETRY_AFTER),
        )
    return problems.exception_handler(exception, context)


def plain_view(**methods: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view with a function for each method, without REST framework's dispatch, which costs as much as a lookup.

    The function of GET serves HEAD, too. What it raises becomes the problem that `exception_handler` has for it.
    """
    functions = {**methods, "HEAD": methods["GET"]}

    def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            if request.method not in functions:
                raise MethodNotAllowed(str(request.method))
            response = functions[request.method](request, **parts)
        except Exception as error:
            problem = exception_handler(error, {})
            if problem is None:
                raise
            problem.accepted_renderer, problem.accepted_media_type = JSONRenderer(), "application/json"
            problem.renderer_context = {}  # type: ignore[attr-defined] # not in the stubs
            response = problem
        response["Allow"] = ", ".join(functions)
        return response

    return view


def whole_seconds(seconds: float) -> int:
    """As `Retry-After` has them: not too few, and not none."""
    return max(1, math.ceil(seconds))
