"""A file that cannot be read as its sender sees it: at once, or as the upload's `error`."""

from typing import Any

from service_kit.problem_body import problem_body
from uploads.reading.errors import InflatedError, ReadingError, UnsupportedFileError

_STATUS = {UnsupportedFileError: 415, InflatedError: 413}


def status_of(error: ReadingError) -> int:
    """The status of an answer that says so."""
    return _STATUS.get(type(error), 422)


def body_of(error: ReadingError) -> dict[str, Any]:
    """The problem that says so."""
    return problem_body(slug=error.slug, title=error.title, status=status_of(error), detail=error.detail, **error.extra)
