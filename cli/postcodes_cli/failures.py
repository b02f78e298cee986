"""From an error to what is said about it, and to the exit code."""

import shlex
from collections.abc import Iterator

from postcodes_cli.errors import (
    KeyRefusedError,
    PostcodesError,
    ProblemError,
    RetryableError,
    UnexpectedAnswerError,
    UploadEndedError,
)

OK, UNEXPECTED, USAGE, INCOMPLETE, KEY, UNREACHABLE, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
#: The reader of our output has gone: as a shell shows what SIGPIPE ended.
BROKEN_PIPE = 141
_OPTIONS = ("invalid-option", "invalid-parameter", "invalid-location", "invalid-max-distance")
_FLAGS = {"true": "--header", "false": "--no-header"}


def exit_code_of(error: BaseException) -> int:
    if isinstance(error, KeyRefusedError):
        return KEY
    if isinstance(error, RetryableError | UnexpectedAnswerError):
        return UNREACHABLE
    if isinstance(error, UploadEndedError):
        return FAILED
    if isinstance(error, ProblemError) and error.type in _OPTIONS:
        return USAGE
    return UNEXPECTED


def said_of(error: BaseException) -> list[str]:
    """What people are told: first what happened, then what helps."""
    if not isinstance(error, PostcodesError | OSError):
        return [f"{type(error).__name__}: {error}", "This is a fault of this program. -v shows where."]
    if isinstance(error, KeyRefusedError):
        return [str(error), *_about_keys(error)]
    if isinstance(error, ProblemError):
        return [str(error), *_about(error)]
    lines = [str(error)]
    if isinstance(error, UploadEndedError):
        lines += [f"  {line}" for line in options_of(error.upload["error"] or {})]
    elif isinstance(error, RetryableError):
        lines.append("  Is it running? Another one: --server URL, or POSTCODES_SERVER. `postcodes serve` starts one")
    return lines


def _about_keys(error: KeyRefusedError) -> Iterator[str]:
    if error.type in ("key-required", "unknown-key"):
        yield "  Keep a key with `postcodes login`, or set POSTCODES_API_KEY."
    yield from _request(error)


def _about(error: ProblemError) -> Iterator[str]:
    members = error.members
    if seen := members.get("columns_seen"):
        yield f"  Columns seen: {', '.join(str(name) for name in seen)}"
    if accepted := members.get("accepted"):
        yield f"  Accepted: {', '.join(str(name) for name in accepted)}"
    yield from (f"  {line}" for line in options_of(members))
    if error.type == "columns-not-found" and not members.get("fix"):
        yield "  Try: --latitude COLUMN --longitude COLUMN (names or numbers from 1), and --no-header if there is none"
    if error.type == "quota-exceeded" and members.get("free_at"):
        yield f"  Free again at {members['free_at']}"
    yield from _request(error)


def options_of(members: dict[str, object]) -> Iterator[str]:
    """The options that mend it, as they are typed here."""
    fixes = members.get("fix")
    for fix in fixes if isinstance(fixes, list) else [fixes]:
        if isinstance(fix, dict) and fix:
            yield "Try: " + " ".join(_as_typed(name, value) for name, value in fix.items())


def _as_typed(name: str, value: object) -> str:
    if name == "has_header":
        return _FLAGS[str(value).lower()]
    return f"--{name.replace('_', '-')} {shlex.quote(str(value))}"


def _request(error: ProblemError) -> Iterator[str]:
    if error.request_id:
        yield f"  Request id: {error.request_id}"
