"""One call, and calls that are tried again: HTTP becomes answers and errors here, and nowhere else."""

import json as json_text
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from postcodes_cli.connections import Answer, Connections
from postcodes_cli.errors import (
    BusyError,
    ConflictError,
    KeyRefusedError,
    NotFoundError,
    ProblemError,
    RetryableError,
    UnexpectedAnswerError,
)

_RETRYABLE = (429, 502, 503, 504)
_KINDS = {401: KeyRefusedError, 403: KeyRefusedError, 404: NotFoundError, 409: ConflictError}
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_CONNECT_SECONDS = 10.0
#: The gateway gives up on a service after 75 s, and says so.
_ANSWER_SECONDS = 80.0
#: Large uploads and results may wait 300 s for their place.
TRANSFER_SECONDS = 310.0
#: Called before each pause with the error and the seconds.
Notice = Callable[[RetryableError, float], None]


class Patience:
    """For how many seconds without a sign of life a call is tried again. `renew` is that sign."""

    def __init__(self, seconds: float, notice: Notice | None = None) -> None:
        self._seconds = seconds
        self._notice = notice
        self.renew()

    def renew(self) -> None:
        self._since = time.monotonic()
        self._pause = _FIRST_PAUSE

    def wait(self, error: RetryableError) -> None:
        """Pauses before the next attempt, or raises the error where there is no time for one."""
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads calls, guards nothing
        pause = max(error.retry_after or 0, pause)
        if time.monotonic() + pause > self._since + self._seconds:
            raise error
        error.until = time.time() + self._since + self._seconds - time.monotonic()
        if self._notice:
            self._notice(error, pause)
        time.sleep(pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class Transport:
    """The connections to one server. Raises the errors of `errors`."""

    def __init__(self, server: str, api_key: str | None, timeout: float, notice: Notice | None = None) -> None:
        self._connections = Connections(server)
        self.server = server.rstrip("/")
        self.timeout = timeout
        self._notice = notice
        self._answer_seconds = min(_ANSWER_SECONDS, max(timeout, 1.0))
        self._headers = {"User-Agent": "postcodes-cli", "Accept": "*/*", "Accept-Encoding": "gzip"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def close(self) -> None:
        self._connections.close()

    def patience(self) -> Patience:
        return Patience(self.timeout, self._notice)

    def call(self, method: str, path: str, *, patience: Patience | None = None, **options: Any) -> Answer:
        """As `once`, tried again while the server is away or asks for it."""
        patience = patience or self.patience()
        while True:
            try:
                return self.once(method, path, **options)
            except RetryableError as error:
                patience.wait(error)

    def once(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Any = None,
        stream: bool = False,
        seconds: float | None = None,
        expected: tuple[int, ...] = (),
    ) -> Answer:
        """One call. `expected` are statuses that are answers here, beside 2xx. All of the answer has come, but with
        `stream`; then it is to be closed.

        `seconds` may pass without a sign of life.
        """
        limit = seconds or self._answer_seconds
        sent = self._headers | dict(headers or {})
        if json is not None:
            data = json_text.dumps(json).encode()
            sent["Content-Type"] = "application/json"
        if data is not None:
            sent["Content-Length"] = str(len(data))
        query = urlencode(_said(params))
        answer = self._connections.send(
            method,
            f"{path}?{query}" if query else path,
            sent,
            data,
            connecting=min(_CONNECT_SECONDS, limit),
            answering=limit,
        )
        is_good = 200 <= answer.status < 300 or answer.status in expected
        if not (stream and is_good):
            answer.read()
        if not is_good:
            raise _error_of(answer)
        return answer


def json_of(answer: Answer) -> Any:
    """The answer as JSON. Raises UnexpectedAnswerError for anything else."""
    try:
        return json_text.loads(answer.read())
    except ValueError:
        said = answer.headers.get("Content-Type", "no type")
        raise UnexpectedAnswerError(
            f"{answer.url} answered {answer.status} with {said} instead of JSON: is it the postcode service?"
        ) from None


def _said(params: Mapping[str, Any] | None) -> dict[str, str]:
    """Parameters as they are sent: without those that are None."""
    known = {name: value for name, value in (params or {}).items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in known.items()}


def _error_of(answer: Answer) -> Exception:
    status = answer.status
    try:
        members = json_text.loads(answer.read())
    except ValueError:
        members = None
    if not isinstance(members, dict) or not ("title" in members or "type" in members):
        # What lies in between: a proxy that has no answer of the service.
        if status not in _RETRYABLE:
            return UnexpectedAnswerError(f"{answer.url} answered {status}, without a reason that is the service's")
        members = {"title": f"The answer was {status} {answer.reason}"}
    kind = {401: KeyRefusedError, 403: KeyRefusedError, 404: NotFoundError, 409: ConflictError}.get(
        status, ProblemError
    )
    problem = ProblemError(status, members)
    if status in _RETRYABLE or problem.type == "upload-in-flight":
        kind = BusyError
    error = kind(status, members, answer.headers.get("X-Request-Id"))
    if isinstance(error, BusyError):
        error.retry_after = _seconds_of(answer.headers.get("Retry-After"))
    return error


def _seconds_of(text: str | None) -> float | None:
    """A Retry-After: seconds, or a date."""
    if not text:
        return None
    with suppress(ValueError):
        return max(0.0, float(text))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None
