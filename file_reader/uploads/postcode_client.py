"""Asks postcode_consumer: many locations, several calls at once, within a deadline. Knows nothing of Django.

PostcodeServiceError
├── OutageError     nobody could answer now: ask again later
└── RefusedError    the service answered, but not with an answer: asking the same again will not help
"""

import asyncio
from collections.abc import Iterator, Sequence
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
    """Nobody could answer now: ask again later."""


class RefusedError(PostcodeServiceError):
    """The service answered, but not with an answer: asking the same again will not help."""


class Details(msgspec.Struct):
    """What is known about a postcode; latitude and longitude in degrees."""

    outcode: str
    incode: str
    country: str | None = None
    region: str | None = None
    admin_district: str | None = None
    admin_ward: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class Answer(msgspec.Struct):
    """The answer for one location; `distance_m` in metres."""

    latitude: float
    longitude: float
    status: Literal["match", "no_match", "failed"]
    reason: str | None = None
    postcode: str | None = None
    distance_m: float | None = None
    postcode_details: Details | None = None


class _Answers(msgspec.Struct):
    results: list[Answer]


@dataclass
class FanOut:
    """What came of a fan-out: the answers that arrived, and why there are not more."""

    answers: dict[Location, Answer] = field(default_factory=dict)
    error: PostcodeServiceError | None = None


@dataclass(frozen=True)
class PostcodeClient:
    """How postcode_consumer is asked. `per_call` locations a call, `in_flight` calls at once."""

    url: str
    token: str
    per_call: int
    in_flight: int

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

        async def ask_in_turn(session: aiohttp.ClientSession) -> None:
            nonlocal stopped
            while not stopped and (part := next(parts, None)) is not None:
                try:
                    answers = await self._ask(session, part, max_distance)
                except PostcodeServiceError as error:
                    stopped = True
                    outcome.error = outcome.error or error
                else:
                    outcome.answers.update(zip(part, answers, strict=True))

        timeout = aiohttp.ClientTimeout(total=seconds, connect=5)
        headers = {"X-Internal-Token": self.token, "X-Request-Id": request_id, "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=self.in_flight, keepalive_timeout=3)
        try:
            async with (
                asyncio.timeout(seconds),
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
                ) as session,
                asyncio.TaskGroup() as tasks,
            ):
                for _ in range(self.in_flight):
                    tasks.create_task(ask_in_turn(session))
        except TimeoutError:
            outcome.error = outcome.error or OutageError(f"no answer within {seconds:.0f} s")
        return outcome

    async def _ask(self, session: aiohttp.ClientSession, part: Sequence[Location], max_distance: float) -> list[Answer]:
        body = msgspec.json.encode(
            {
                "locations": [{"latitude": latitude, "longitude": longitude} for latitude, longitude in part],
                "max_distance": max_distance,
            }
        )
        try:
            async with session.post(f"{self.url}/api/v1/reverse-geocode/", data=body) as response:
                content = await _capped(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutageError(f"postcode_consumer cannot be reached: {type(error).__name__} {error}") from error
        if response.status in (429, 502, 503, 504):
            raise OutageError(f"postcode_consumer answered {response.status}: {_detail(content)}")
        if response.status != 200:
            raise RefusedError(f"postcode_consumer answered {response.status}: {_detail(content)}")
        return _believed(content, part)


def _parts(locations: Sequence[Location], size: int) -> Iterator[Sequence[Location]]:
    return (locations[start : start + size] for start in range(0, len(locations), size))


async def _capped(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise OutageError(f"postcode_consumer sent more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _believed(content: bytes, part: Sequence[Location]) -> list[Answer]:
    """The answers, if they are to the question: as many, in its order, and with the coordinates that were asked."""
    try:
        answers = msgspec.json.decode(content, type=_Answers).results
    except msgspec.MsgspecError as error:
        raise OutageError(f"postcode_consumer's answer cannot be read: {error}") from None
    if [(answer.latitude, answer.longitude) for answer in answers] != list(part):
        raise OutageError("postcode_consumer's answer is not to the question that was asked")
    if any((answer.status == "match") != (answer.postcode is not None) for answer in answers):
        raise OutageError("postcode_consumer's answer has a match without a postcode, or a postcode without a match")
    return answers


def _detail(content: bytes) -> str:
    return content[:200].decode("utf-8", errors="replace")
