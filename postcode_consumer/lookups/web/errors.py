"""From errors to problems: the one table of this service."""

import logging
from typing import Any

from django.db import Error
from rest_framework.response import Response

from service_kit import problems
from service_kit.problems import Problem

logger = logging.getLogger(__name__)


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
    return problems.exception_handler(exception, context)
