"""Asks postcode_consumer: many locations, several calls at once, within a deadline. Knows nothing of Django.

PostcodeServiceError
├── OutageError     nobody could answer now: ask again later
├── StoppedError    this process was told to stop before all was answered
└── RefusedError    the service answered, but not with an answer: asking the same again will not help
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import msgspec

Location = tuple[float, float]

#: No answer of 1,000 locations is larger; what is larger is not an answer.
MAX_ANSWER_BYTES = 8 << 20


class PostcodeServiceError(Exception):
    """postcode_consumer did not answer a call."""


class OutageError(PostcodeServiceError):
    """Nobody could answer now: ask again later. `reason` is one of docs/problems.md; the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoppedError(PostcodeServiceError):
    """This process was told to stop, and its grace was over before all was answered."""


class RefusedError(PostcodeServiceError):
    """The service answered, but not with an answer: asking the same again will not help."""


class Details(msgspec.Struct, gc=False):
    """What is known about a postcode; latitude and longitude in degrees."""

    outcode: str
    incode: str
    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Answer(msgspec.Struct, gc=False):
    """The answer for one location; `distance_m` in metres."""

    latitude: float
    longitude: float
    status: Literal["match", "no_match", "failed"]
    reason: str | None = None
    postcode: str | None = None
    distance_m: float | None = None
    postcode_details: Details | None = None


class _Problem(msgspec.Struct):
    detail: str


class _Answers(msgspec.Struct):
    results: list[Answer]


@dataclass
class FanOut:
    """What came of a fan-out: the answers that arrived, and why there are not more."""

    answers: dict[Location, Answer] = field(default_factory=dict)
    error: PostcodeServiceError | None = None


@dataclass(frozen=True)
class PostcodeClient:
    """How postcode_consumer is asked. `per_call` locations a call, `in_flight` calls at once.

    What is in flight when `is_stopping` gets true may go on for `stop_grace` seconds.
    """

    url: str
    token: str
    per_call: int
    in_flight: int
    is_stopping: Callable[[], bool] = lambda: False
    stop_grace: float = 0.0

    async def reverse_geocode(
        self, locations: Sequence[Location], *, max_distance: float, seconds: float, request_id: str = "-"
    ) -> FanOut:
        """Asks for distinct locations; returns within `seconds` with what was answered by then.

        After the first error no further call is started; those in flight may still bring their answers.
        """
        outcome = FanOut()
        # Ended by whoever takes the last part; an error empties it.
        parts = _parts(locations, self.per_call)
        stopped = False

        async def ask_in_turn(session: aiohttp.ClientSession, limit: asyncio.Timeout) -> None:
            nonlocal stopped
            while not stopped and (part := next(parts, None)) is not None:
                try:
                    answers = await self._ask(session, part, max_distance, seconds=_remaining(limit))
                except PostcodeServiceError as error:
                    stopped = True
                    outcome.error = outcome.error or error
                else:
                    outcome.answers.update(zip(part, answers, strict=True))

        timeout = aiohttp.ClientTimeout(total=None, connect=5)
        headers = {"X-Internal-Token": self.token, "X-Request-Id": request_id, "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=self.in_flight, keepalive_timeout=3)
        try:
            async with (
                asyncio.timeout(seconds) as limit,
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
                ) as session,
            ):
                stop = asyncio.create_task(self._stop_in_time(limit))
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for _ in range(self.in_flight):
                            tasks.create_task(ask_in_turn(session, limit))
                finally:
                    stop.cancel()
        except TimeoutError:
            if outcome.error is None and self.is_stopping():
                outcome.error = StoppedError("the worker was told to stop")
            elif outcome.error is None:
                outcome.error = OutageError("lookup_timeout", f"There was no answer within {seconds:.0f} s.")
        return outcome

    async def _stop_in_time(self, limit: asyncio.Timeout) -> None:
        while not self.is_stopping():  # noqa: ASYNC110 - a signal, or another process, says so: nothing to wait on
            await asyncio.sleep(0.1)
        end = asyncio.get_running_loop().time() + self.stop_grace
        limit.reschedule(min(end, limit.when() or end))

    async def _ask(
        self, session: aiohttp.ClientSession, part: Sequence[Location], max_distance: float, *, seconds: float
    ) -> list[Answer]:
        body = msgspec.json.encode(
            {
                "locations": [{"latitude": latitude, "longitude": longitude} for latitude, longitude in part],
                "max_distance": max_distance,
            }
        )
        # Work that nobody waits for any more would cost a free public service its time.
        headers = {"X-Request-Deadline": f"{seconds:.3f}"}
        try:
            async with session.post(f"{self.url}/api/v1/reverse-geocode/", data=body, headers=headers) as response:
                content = await _capped(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutageError(
                "lookup_service_unreachable", f"postcode_consumer cannot be reached ({type(error).__name__} {error})."
            ) from error
        if response.status == 504:
            raise OutageError("lookup_timeout", _detail(content) or "postcode_consumer says 504.")
        if response.status in (429, 502, 503):
            raise OutageError("provider_unavailable", _detail(content) or f"postcode_consumer says {response.status}.")
        if response.status != 200:
            raise RefusedError(f"postcode_consumer answered {response.status}: {content[:200]!r}")
        return _believed(content, part)


def _remaining(limit: asyncio.Timeout) -> float:
    """Seconds that are left of it."""
    return max(0.0, (limit.when() or 0.0) - asyncio.get_running_loop().time())


def _parts(locations: Sequence[Location], size: int) -> Iterator[Sequence[Location]]:
    return (locations[start : start + size] for start in range(0, len(locations), size))


async def _capped(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise _unusable(f"It has more than {MAX_ANSWER_BYTES} bytes.")
    return bytes(content)


def _believed(content: bytes, part: Sequence[Location]) -> list[Answer]:
    """The answers, if they are to the question: as many, in its order, and with the coordinates that were asked."""
    try:
        answers = msgspec.json.decode(content, type=_Answers).results
    except msgspec.MsgspecError as error:
        raise _unusable(f"It cannot be read: {error}.") from None
    if [(answer.latitude, answer.longitude) for answer in answers] != list(part):
        raise _unusable("It is not to the question that was asked.")
    if any((answer.status == "match") != (answer.postcode is not None) for answer in answers):
        raise _unusable("It has a match without a postcode, or a postcode without a match.")
    return answers


def _unusable(why: str) -> OutageError:
    return OutageError("unusable_answer", f"postcode_consumer's answer cannot be used. {why}")


def _detail(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Problem).detail[:300]
    except msgspec.MsgspecError:
        return ""
