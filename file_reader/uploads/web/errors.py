"""From errors to problems: the one table of this service. What it does not know, nobody foresaw: a 500."""

import errno
import logging
import math
from datetime import UTC, datetime
from typing import Any

from django.db import Error
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from service_kit import problems
from service_kit.database_errors import database_is_away, database_is_full, statement_is_wrong
from service_kit.problems import Problem
from uploads.errors import (
    BacklogFullError,
    DigestMismatchError,
    DiskNearlyFullError,
    FetchError,
    FetchesBusyError,
    FormatMissingError,
    KeyReusedError,
    LookupServiceError,
    NotRetryableError,
    OptionError,
    ParameterError,
    QuotaExceededError,
    RowQueryTimeoutError,
    TotalsNotReadyError,
    UploadError,
    UploadHasEndedError,
    UploadInFlightError,
)
from uploads.problems import status_of
from uploads.reading.errors import ReadingError

logger = logging.getLogger(__name__)

#: The slug, the title and the status of each error.
_PROBLEMS: dict[type[UploadError], tuple[str, str, int]] = {
    UploadInFlightError: ("upload-in-flight", "The same upload is arriving just now", 409),
    KeyReusedError: ("idempotency-key-reused", "The Idempotency-Key was used for another upload", 422),
    UploadHasEndedError: ("upload-has-ended", "The upload has ended already", 409),
    NotRetryableError: ("upload-not-retryable", "This upload has no failed rows to retry", 409),
    TotalsNotReadyError: ("totals-not-ready", "The totals of this upload are not written yet", 409),
    OptionError: ("invalid-option", "An option of the upload is not valid", 400),
    ParameterError: ("invalid-parameter", "A parameter is not valid", 400),
    FormatMissingError: ("not-acceptable", "There is no result in such a format", 406),
    DigestMismatchError: ("digest-mismatch", "What arrived is not what was sent", 400),
    RowQueryTimeoutError: ("row-query-too-slow", "The question about rows takes too long", 503),
    QuotaExceededError: ("quota-exceeded", "A quota of yours is used up", 429),
    FetchError: ("fetch-failed", "The file cannot be fetched", 422),
    FetchesBusyError: ("fetches-busy", "Too many files are fetched just now", 503),
    BacklogFullError: ("backlog-full", "Too many rows wait for their answer", 503),
    DiskNearlyFullError: ("disk-nearly-full", "There is too little room on the disk", 507),
    LookupServiceError: ("lookup-service-unavailable", "Nobody can be asked about postcodes now", 503),
}
#: Of those that pass: when the call is worth repeating, in seconds.
_RETRY_AFTER: dict[type[UploadError], int] = {
    UploadInFlightError: 1,
    TotalsNotReadyError: 5,
    RowQueryTimeoutError: 10,
    FetchesBusyError: 10,
    BacklogFullError: 60,
    DiskNearlyFullError: 300,
    LookupServiceError: 5,
}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to what a view raises; None for what nobody foresaw."""
    return problems.exception_handler(_problem_of(exception) or exception, context)


def problem_response(exception: Exception) -> Response | None:
    """The same for views that are not those of REST framework."""
    response = exception_handler(exception, {})
    if response is not None:
        response.accepted_renderer = JSONRenderer()
        response.accepted_media_type = "application/json"
        response.renderer_context = {}  # type: ignore[attr-defined] # not in the stubs
    return response


def _problem_of(error: Exception) -> Problem | None:
    if isinstance(error, ReadingError):
        return Problem(error.slug, error.title, status=status_of(error), detail=error.detail, **error.extra)
    if isinstance(error, UploadError):
        slug, title, status = _PROBLEMS[type(error)]
        retry_after = _RETRY_AFTER.get(type(error))
        if isinstance(error, QuotaExceededError) and error.free_at:
            retry_after = max(1, math.ceil((error.free_at - datetime.now(UTC)).total_seconds()))
        return Problem(slug, title, status=status, detail=str(error), retry_after=retry_after, **vars(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _storage_full()
    return _database_problem(error) if isinstance(error, Error) else None


def _storage_full() -> Problem:
    """The disk of the files is full, or that of the database."""
    return Problem(
        "storage-full",
        "There is no room on the disk",
        status=507,
        detail="The disk is full. Nothing was stored; try again later.",
        retry_after=300,
    )


def _database_problem(error: Error) -> Problem | None:
    """What the state of the database is to blame for, not the statement that it was given."""
    if not database_is_full(error) and (not database_is_away(error) or statement_is_wrong(error)):
        return None
    logger.warning("database trouble: %s", error)
    if database_is_full(error):
        return _storage_full()
    return Problem(
        "database-unavailable",
        "The database does not answer",
        status=503,
        detail="The database is away or too busy just now. Try again, an upload with the same Idempotency-Key.",
        retry_after=2,
    )
