"""What can go wrong, as one tree.

PostcodesError               everything that this package raises
├── RetryableError           the same call may succeed later; `retry_after` says in how many seconds, or is None
│   ├── UnreachableError     no connection, no answer in time, or a connection that broke off
│   └── BusyError            429, 502, 503, 504, or the same upload is just arriving; also a ProblemError
├── ProblemError             the server refuses: `status`, `type`, `title`, `detail`, `members`, `request_id`
│   ├── KeyRefusedError      401 or 403: no key, an unknown one, or one without the scope
│   ├── NotFoundError        404: no such upload or postcode
│   ├── ConflictError        409: not in this state, such as cancelling what has ended
│   └── BusyError            (the same as above)
├── UploadEndedError         the upload is `failed` or `cancelled`; `upload` is how it ended
├── ResultError              what arrived is not the whole result
└── UnexpectedAnswerError    the answer is none of this service's: another server, or a proxy

The client has tried a RetryableError again for as long as its `timeout` allows before it raises it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postcodes_cli.answers import Upload


class PostcodesError(Exception):
    """Everything that this package raises."""


class RetryableError(PostcodesError):
    """The same call may succeed later. `retry_after`: in how many seconds, where the server has said so."""

    retry_after: float | None = None
    #: Until when the client tries it again: seconds since 1970.
    until: float | None = None


class UnreachableError(RetryableError):
    """No connection, no answer in time, or a connection that broke off."""


class ProblemError(PostcodesError):
    """The server refuses, and says why (RFC 9457). docs/problems.md lists the types."""

    def __init__(self, status: int, members: Mapping[str, Any], request_id: str | None = None) -> None:
        self.status = status
        #: The last part of the problem's type, such as `columns-not-found`.
        self.type = str(members.get("type", "")).rpartition("/")[2]
        self.title = str(members.get("title", f"HTTP {status}"))
        self.detail = str(members.get("detail", ""))
        #: Everything that the problem says, with members of its own such as `columns_seen`.
        self.members = dict(members)
        self.request_id = request_id
        super().__init__(f"{self.title}. {self.detail}".rstrip(". ") + ".")


class KeyRefusedError(ProblemError):
    """No key, an unknown one, or one that is not for this."""


class NotFoundError(ProblemError):
    """There is no such thing, or it is somebody else's."""


class ConflictError(ProblemError):
    """Not in this state."""


class BusyError(ProblemError, RetryableError):
    """The server is there, and asks to come back later."""


class UploadEndedError(PostcodesError):
    """The upload is `failed` or `cancelled`. `upload` is how it ended."""

    def __init__(self, upload: "Upload") -> None:
        self.upload = upload
        error = upload["error"] or {}
        why = error.get("detail") or error.get("title") or ""
        super().__init__(f"The upload {upload['id']} was {upload['state']}. {why}".strip())


class ResultError(PostcodesError):
    """What arrived is not the whole result."""


class UnexpectedAnswerError(PostcodesError):
    """The answer is none of this service's."""
