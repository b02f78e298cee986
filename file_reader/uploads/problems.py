"""A file that cannot be read as its sender sees it: at once, or as the upload's `error`."""

from service_kit.problems import Problem
from uploads.reading.errors import InflatedError, ReadingError, UnsupportedFileError

#: Every other file that cannot be read is a 422.
_STATUS = {UnsupportedFileError: 415, InflatedError: 413}


def problem_of(error: ReadingError) -> Problem:
    """The problem that says so."""
    return Problem(error.slug, error.title, status=_STATUS.get(type(error), 422), detail=error.detail, **error.extra)
