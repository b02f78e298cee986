"""One call to postcodes.io: the question, the whole answer in time and in size, and whether it can be believed."""

import math
import time
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import aiohttp
import msgspec

from lookups.answers import Location
from lookups.call_minutes import counted_call
from lookups.deadline import Deadline
from lookups.errors import (
    CallFailedError,
    ConnectionFailedError,
    CrashedError,
    DeadlineExceededError,
    OverloadedError,
    RefusedError,
    TimedOutError,
    UntrustedError,
)
from lookups.politeness.turns import UNLIMITED_CONCURRENCY, Politeness

#: Seconds; the server closes a connection that was idle for 5.
KEEPALIVE_SECONDS = 4
#: The largest answer to a question like ours has 133 kB; 0.8 MB if the server ignored that we ask for one postcode each
#: and sent its usual ten.
MAX_ANSWER_BYTES = 2_000_000
_PIECE_BYTES = 1 << 16
#: Degrees; how far an echoed coordinate may be from the one that was sent, a tenth of a millimetre.
ECHO_TOLERANCE = 1e-9

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Search(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far to look: within `radius` whole metres, or in a wide search."""

    radius: int | None = None
    widesearch: bool = False


class Found(msgspec.Struct, frozen=True):
    """The nearest postcode, as the server tells it; `distance` is in metres. Members we do not know are ignored."""

    postcode: _Text
    outcode: _Text
    incode: _Text
    distance: Annotated[float, msgspec.Meta(ge=0)]
    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class _Echo(msgspec.Struct):
    latitude: float
    longitude: float


class _Item(msgspec.Struct):
    query: _Echo
    #: `null` when nothing was found, never an empty list.
    result: Annotated[list[Found], msgspec.Meta(min_length=1)] | None


class _Reply(msgspec.Struct):
    result: list[_Item]


_decoder = msgspec.json.Decoder(_Reply)


class Client:
    """The connections of one process, used from one event loop. `call_seconds` limits a call as a whole."""

    def __init__(self, *, url: str, contact: str, call_seconds: float, politeness: Politeness) -> None:
        self._url = f"{url}/postcodes"
        self._user_agent = "postcode_consumer/1.0" + (f" ({contact})" if contact else "")
        self._call_seconds = call_seconds
        self._politeness = politeness
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, batch: Sequence[Location], search: Search, deadline: Deadline) -> list[Found | None]:
        """The nearest postcode to each location, or None, in order.

        Raises `CallFailedError` or `ProviderUnavailableError`.
        """
        body = _question(batch, search)
        # Judged before the turn ends: what came of the call decides about those that wait for theirs.
        async with self._politeness.turn(deadline):
            with counted_call():
                return await self._answer(batch, body, deadline)

    async def _answer(self, batch: Sequence[Location], body: bytes, deadline: Deadline) -> list[Found | None]:
        status, retry_after, answer = await self._post(body, deadline)
        if status != 200:
            raise _refusal(status, retry_after)
        return _believed(batch, answer)

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _post(self, body: bytes, deadline: Deadline) -> tuple[int, float | None, bytes]:
        """The status, the seconds of Retry-After, and the body of an answer with status 200."""
        seconds = min(self._call_seconds, deadline.remaining())
        # For aiohttp, 0 is no limit.
        timeout = aiohttp.ClientTimeout(total=seconds or 0.001)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._open_session().post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                retry_after = _seconds(response.headers.get("Retry-After"))
                # What an error says is of no use to us, so it is not waited for.
                return response.status, retry_after, await _read(response) if response.status == 200 else b""
        except TimeoutError:
            if seconds < self._call_seconds:
                # It had less time than a call may take: that says nothing about the provider.
                raise DeadlineExceededError("The provider did not answer in the time that was left.") from None
            raise TimedOutError("The provider did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailedError(f"The provider cannot be reached: {type(error).__name__}.") from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_SECONDS, limit=UNLIMITED_CONCURRENCY)
            self._session = aiohttp.ClientSession(
                connector=connector, trust_env=False, headers={"User-Agent": self._user_agent}
            )
        return self._session


def _question(batch: Sequence[Location], search: Search) -> bytes:
    how: dict[str, Any] = msgspec.to_builtins(search)
    return msgspec.json.encode(
        {
            "geolocations": [
                {"longitude": location.longitude, "latitude": location.latitude, "limit": 1, **how}
                for location in batch
            ]
        }
    )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    answer = bytearray()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        answer += piece
        if len(answer) > MAX_ANSWER_BYTES:
            raise UntrustedError(f"The provider's answer is larger than {MAX_ANSWER_BYTES} bytes.")
    return bytes(answer)


def _refusal(status: int, retry_after: float | None) -> CallFailedError:
    detail = f"The provider answered with status {status}."
    if status in {400, 413}:
        return RefusedError(detail)
    if status == 500:
        return CrashedError(detail)
    if status in {429, 502, 503, 504}:
        return OverloadedError(detail, retry_after=retry_after if status in {429, 503} else None)
    return UntrustedError(detail)


def _believed(batch: Sequence[Location], answer: bytes) -> list[Found | None]:
    """The answers, if they are answers to what was asked: otherwise a postcode could end up with its neighbour."""
    try:
        items = _decoder.decode(answer).result
    except (ValueError, RecursionError) as error:
        raise UntrustedError("The provider's answer cannot be read.") from error
    if len(items) != len(batch):
        raise UntrustedError(f"The provider answered {len(items)} locations instead of {len(batch)}.")
    for location, item in zip(batch, items, strict=True):
        echo = item.query
        if (
            abs(echo.latitude - location.latitude) > ECHO_TOLERANCE
            or abs(echo.longitude - location.longitude) > ECHO_TOLERANCE
        ):
            raise UntrustedError("The provider answered other locations than those that were asked.")
    return [item.result[0] if item.result else None for item in items]


def _seconds(header: str | None) -> float | None:
    """`Retry-After`, in seconds or as a date; None when there is none that can be read."""
    if not header:
        return None
    try:
        seconds = float(header) if header.strip().isdecimal() else _until(parsedate_to_datetime(header))
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(moment: datetime) -> float:
    return moment.timestamp() - time.time()
