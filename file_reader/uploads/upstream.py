"""How postcode_consumer is, where its answers come from, and how it treats the external API: asked for the admin and
the pages, and told what operators want.

Knows nothing of Django."""

from datetime import date

import msgspec
import requests

from uploads.errors import LookupServiceError

#: How long a page of the admin waits for postcode_consumer, in seconds.
SECONDS = 2.0


class Limiter(msgspec.Struct):
    """When the next call may be made; in seconds. `is_open` is the breaker's: then only probes are made."""

    calls_per_second: float
    is_open: bool
    paused_for: float
    next_call_in: float


class Calls(msgspec.Struct):
    """Those of one step of time. `seconds` are those of all of them, `most` those of the longest."""

    place: int
    answered: int
    refused: int
    timed_out: int
    failed: int
    seconds: float
    most: float

    @property
    def made(self) -> int:
        return self.answered + self.refused + self.timed_out + self.failed


class Upstream(msgspec.Struct):
    """Steps are of `step` minutes, from a moment on (Unix time in minutes); those without calls are left out."""

    provider: str
    first_minute: int
    step: int
    calls: list[Calls]
    limiter: Limiter | None = None


class Edition(msgspec.Struct):
    """Of an index: the name of the file that it is from, empty if that is not known, its postcodes, and its day."""

    source: str
    postcodes: int
    built_on: date


class Data(msgspec.Struct):
    """Where answers come from: the providers, with commas between, and the index, if there is one."""

    provider: str
    index: Edition | None = None


class UpstreamClient:
    """Calls postcode_consumer at that address. Raises LookupServiceError when it gives no answer in time."""

    def __init__(self, url: str, token: str, request_id: str, *, seconds: float = SECONDS) -> None:
        self._url = url
        self._seconds = seconds
        self._headers = {"X-Internal-Token": token, "X-Request-Id": request_id}

    def missing(self) -> dict[str, str]:
        """What it cannot work without, and why, by its own words; empty when it is ready."""
        body = self._call("GET", "/readyz", statuses=(200, 503))
        try:
            return msgspec.convert(msgspec.json.decode(body).get("missing", {}), dict[str, str])
        except (msgspec.MsgspecError, AttributeError) as error:
            raise LookupServiceError("postcode_consumer does not say whether it is ready.") from error

    def data(self) -> Data:
        """Where answers come from."""
        try:
            return msgspec.json.decode(self._call("GET", "/internal/data/"), type=Data)
        except msgspec.MsgspecError as error:
            raise LookupServiceError("postcode_consumer does not say where answers come from.") from error

    def look(self) -> Upstream:
        """The limiter, and the calls of the last day."""
        try:
            return msgspec.json.decode(self._call("GET", "/internal/upstream/"), type=Upstream)
        except msgspec.MsgspecError as error:
            raise LookupServiceError("postcode_consumer does not say how upstream is.") from error

    def pause(self) -> None:
        """No process calls the external API for ten minutes."""
        self._call("POST", "/internal/upstream/pause/")

    def close_breaker(self) -> None:
        """The external API is called again at once."""
        self._call("POST", "/internal/upstream/close-breaker/")

    def _call(self, method: str, path: str, *, statuses: tuple[int, ...] = (200,)) -> bytes:
        try:
            with requests.Session() as session:
                session.trust_env = False  # neither a proxy nor passwords of the machine's user are meant for it
                answer = session.request(
                    method, self._url + path, headers=self._headers, timeout=self._seconds, allow_redirects=False
                )
        except OSError as error:
            raise LookupServiceError(f"postcode_consumer does not answer ({type(error).__name__}).") from error
        if answer.status_code not in statuses:
            raise LookupServiceError(f"postcode_consumer answers with status {answer.status_code}.")
        return answer.content
