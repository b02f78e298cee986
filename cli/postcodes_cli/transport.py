"""One call, and calls that are tried again: HTTP becomes answers and errors here, and nowhere else."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from postcodes_cli.errors import (
    BusyError,
    ConflictError,
    KeyRefusedError,
    NotFoundError,
    ProblemError,
    RetryableError,
    UnexpectedAnswerError,
    UnreachableError,
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
        if self._notice:
            self._notice(error, pause)
        time.sleep(pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class Transport:
    """The connections to one server. Raises the errors of `errors`."""

    def __init__(self, server: str, api_key: str | None, timeout: float, notice: Notice | None = None) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{server!r} is no address of a server, such as http://127.0.0.1:8080")
        self.server = server.rstrip("/")
        self.timeout = timeout
        self._notice = notice
        self._answer_seconds = min(_ANSWER_SECONDS, max(timeout, 1.0))
        self._session = requests.Session()
        # No keys out of ~/.netrc; proxies of the environment still hold.
        self._session.auth = _Bearer(api_key)
        self._session.headers["User-Agent"] = "postcodes-cli"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def close(self) -> None:
        self._session.close()

    def patience(self) -> Patience:
        return Patience(self.timeout, self._notice)

    def call(self, method: str, path: str, *, patience: Patience | None = None, **options: Any) -> requests.Response:
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
        connect_seconds: float | None = None,
        expected: tuple[int, ...] = (),
    ) -> requests.Response:
        """One call. `expected` are statuses that are answers here, beside 2xx.

        `seconds` may pass without a byte of the answer; `connect_seconds` while it connects, or sends.
        """
        limit = seconds or self._answer_seconds
        limits = (connect_seconds or min(_CONNECT_SECONDS, limit), limit)
        try:
            response = self._session.request(
                method,
                self.server + path,
                params=_said(params),
                headers=dict(headers or {}),
                json=json,
                data=data,
                stream=stream,
                timeout=limits,
                allow_redirects=False,
            )
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise UnreachableError(f"{self.server} cannot be reached: {_why(error)}") from error
        except requests.RequestException as error:
            raise UnexpectedAnswerError(f"{self.server} cannot be called: {error}") from error
        if response.ok and response.status_code < 300:
            return response
        if response.status_code in expected:
            return response
        with response:
            raise _error_of(response)


class _Bearer(requests.auth.AuthBase):
    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._api_key:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


def json_of(response: requests.Response) -> Any:
    """The answer as JSON. Raises UnexpectedAnswerError for anything else."""
    try:
        return response.json()
    except ValueError:
        said = response.headers.get("Content-Type", "no type")
        raise UnexpectedAnswerError(
            f"{response.url} answered {response.status_code} with {said} instead of JSON: is it the postcode service?"
        ) from None


def _said(params: Mapping[str, Any] | None) -> dict[str, str]:
    """Parameters as they are sent: without those that are None."""
    known = {name: value for name, value in (params or {}).items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in known.items()}


def _error_of(response: requests.Response) -> Exception:
    status = response.status_code
    try:
        members = response.json()
    except ValueError:
        members = None
    if not isinstance(members, dict) or not ("title" in members or "type" in members):
        # What lies in between: a proxy that has no answer of the service.
        if status not in _RETRYABLE:
            return UnexpectedAnswerError(f"{response.url} answered {status}, without a reason that is the service's")
        members = {"title": f"The answer was {status} {response.reason}"}
    kind = {401: KeyRefusedError, 403: KeyRefusedError, 404: NotFoundError, 409: ConflictError}.get(
        status, ProblemError
    )
    problem = ProblemError(status, members)
    if status in _RETRYABLE or problem.type == "upload-in-flight":
        kind = BusyError
    error = kind(status, members, response.headers.get("X-Request-Id"))
    if isinstance(error, BusyError):
        error.retry_after = _seconds_of(response.headers.get("Retry-After"))
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


def _why(error: BaseException) -> str:
    """The innermost cause, in words that say something to people."""
    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout):
        return "no answer in time"
    seen: BaseException = error
    while True:
        inner = getattr(seen, "reason", None)
        inner = inner if isinstance(inner, BaseException) else seen.__context__
        inner = inner or next((part for part in seen.args if isinstance(part, BaseException)), None)
        if inner is None or inner is seen:
            break
        seen = inner
    if isinstance(seen, TimeoutError):
        return "no answer in time"
    return getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
