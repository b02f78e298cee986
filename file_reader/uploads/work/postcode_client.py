"""Asks postcode_consumer: many locations as columns, several calls at once, within a deadline. Knows no Django.

PostcodeServiceError
├── OutageError     nobody could answer now: ask again later
├── StoppedError    this process was told to stop before all was answered
└── RefusedError    the service answered, but not with an answer: asking the same again will not help
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

import aiohttp
import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]
#: The names of an area, from the largest: country, region, admin_district, admin_ward.
AreaNames = tuple[str | None, str | None, str | None, str | None]

CONTENT_TYPE = "application/vnd.postcode-columns+msgpack"
#: The statuses and reasons of answers by their numbers on the wire.
STATUSES = ("match", "no_match", "failed")
REASONS = (
    None,
    "none_within_max_distance",
    "outside_uk",
    "upstream_rejected",
    "searched_to_2000_m",
    "not_covered",
)
MATCH = 0
#: The status of a location that has no answer so far.
UNANSWERED = 255
#: No answer of 5,000 locations is larger; what is larger is not an answer.
MAX_ANSWER_BYTES = 8 << 20
_OF_POSTCODES = np.isin(np.arange(256), np.frombuffer(b"\0 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", np.uint8))


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


class _Problem(msgspec.Struct):
    detail: str


class _Question(msgspec.Struct):
    """Degrees, as little-endian float64; metres."""

    latitudes: bytes
    longitudes: bytes
    max_distance: float


class _Answer(msgspec.Struct):
    """One entry a location in the first four, one a place in the next two; `asked` is the digest of the question."""

    status: bytes
    reason: bytes
    distance: bytes
    place: bytes
    postcodes: bytes
    area: bytes
    areas: list[AreaNames]
    asked: bytes


_decoder = msgspec.msgpack.Decoder(_Answer)


@dataclass
class Answers:
    """The answers to some locations, as columns in their order.

    `place` is the number of the place that was found, or -1; then there is no distance (metres) either. Each place has
    a postcode (8 ASCII bytes at most) and the number of its area.
    """

    status: Integers
    reason: Integers
    distance: Floats
    place: Integers
    postcodes: npt.NDArray[np.bytes_] = field(default_factory=lambda: np.empty(0, "S8"))
    area: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    areas: list[AreaNames] = field(default_factory=list)

    @classmethod
    def none_so_far(cls, count: int) -> "Answers":
        status = np.full(count, UNANSWERED, np.uint8)
        return cls(status, np.zeros(count, np.uint8), np.full(count, np.nan), np.full(count, -1, np.int64))

    def put(self, start: int, part: "Answers") -> None:
        """Puts in the answers to the locations from `start` on."""
        here = slice(start, start + len(part.status))
        self.status[here], self.reason[here], self.distance[here] = part.status, part.reason, part.distance
        self.place[here] = np.where(part.place >= 0, part.place.astype(np.int64) + len(self.postcodes), -1)
        self.postcodes = np.concatenate([self.postcodes, part.postcodes])
        self.area = np.concatenate([self.area, part.area.astype(np.int64) + len(self.areas)])
        self.areas = self.areas + part.areas


@dataclass
class FanOut:
    """What came of a fan-out: the answers that arrived, why there are not more, and how long it took in seconds."""

    answers: Answers
    error: PostcodeServiceError | None = None
    seconds: float = 0.0


class PostcodeClient:
    """How postcode_consumer is asked: `per_call` locations a call, `in_flight` calls at once.

    Belongs to one event loop. Connections stay open for a moment, for the next lookup.
    """

    def __init__(self, url: str, token: str, *, per_call: int, in_flight: int) -> None:
        self._url = f"{url}/api/v1/reverse-geocode/"
        self._headers = {"X-Internal-Token": token, "Content-Type": CONTENT_TYPE}
        self._per_call = per_call
        self._in_flight = in_flight
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Closes the connections; the next lookup opens others."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reverse_geocode(
        self,
        latitudes: Floats,
        longitudes: Floats,
        *,
        max_distance: float,
        seconds: float,
        request_id: str = "-",
        is_stopping: Callable[[], bool] = lambda: False,
        stop_grace: float = 0.0,
    ) -> FanOut:
        """Asks for distinct locations; returns within `seconds` with what was answered by then.

        After the first error no further call is started; those in flight may still bring their answers, and when
        `is_stopping` gets true they may go on for `stop_grace` seconds.
        """
        started = time.monotonic()
        outcome = FanOut(Answers.none_so_far(len(latitudes)))
        # All tasks take their calls from this one iterator.
        starts = iter(range(0, len(latitudes), self._per_call))

        async def ask_in_turn(limit: asyncio.Timeout) -> None:
            while outcome.error is None and (start := next(starts, None)) is not None:
                here = slice(start, start + self._per_call)
                try:
                    question = latitudes[here], longitudes[here]
                    part = await self._ask(*question, max_distance, seconds=_remaining(limit), request_id=request_id)
                except PostcodeServiceError as error:
                    outcome.error = outcome.error or error
                else:
                    outcome.answers.put(start, part)

        try:
            async with asyncio.timeout(seconds) as limit:
                stop = asyncio.create_task(_stop_in_time(limit, is_stopping, stop_grace))
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for _ in range(self._in_flight):
                            tasks.create_task(ask_in_turn(limit))
                finally:
                    stop.cancel()
        except TimeoutError:
            if outcome.error is None and is_stopping():
                outcome.error = StoppedError("the worker was told to stop")
            elif outcome.error is None:
                outcome.error = OutageError("lookup_timeout", f"There was no answer within {seconds:.0f} s.")
        outcome.seconds = time.monotonic() - started
        return outcome

    async def _ask(
        self, latitudes: Floats, longitudes: Floats, max_distance: float, *, seconds: float, request_id: str
    ) -> Answers:
        asked = latitudes.astype("<f8").tobytes(), longitudes.astype("<f8").tobytes()
        body = msgspec.msgpack.encode(_Question(*asked, max_distance))
        # Work that nobody waits for any more would cost a free public service its time.
        headers = {"X-Request-Id": request_id, "X-Request-Deadline": f"{seconds:.3f}"}
        try:
            async with self._open_session().post(self._url, data=body, headers=headers) as response:
                content = await _capped(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutageError(
                "lookup_service_unreachable", f"postcode_consumer cannot be reached ({type(error).__name__} {error})."
            ) from error
        if response.status == 504:
            raise OutageError("lookup_timeout", _detail(content) or "postcode_consumer says 504.")
        if response.status in (429, 502, 503):
            raise OutageError("provider_unavailable", _detail(content) or f"postcode_consumer says {response.status}.")
        if response.status == 415:
            raise _unusable("It does not know columns: is it of another version?")
        if response.status != 200:
            raise RefusedError(f"postcode_consumer answered {response.status}: {content[:200]!r}")
        return _believed(content, len(latitudes), blake2b(b"".join(asked), digest_size=16).digest())

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._in_flight, keepalive_timeout=3),
                timeout=aiohttp.ClientTimeout(total=None, connect=5),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _stop_in_time(limit: asyncio.Timeout, is_stopping: Callable[[], bool], grace: float) -> None:
    while not is_stopping():  # noqa: ASYNC110 - a signal, or another process, says so: nothing to wait on
        await asyncio.sleep(0.1)
    end = asyncio.get_running_loop().time() + grace
    limit.reschedule(min(end, limit.when() or end))


def _remaining(limit: asyncio.Timeout) -> float:
    """Seconds that are left of it."""
    return max(0.0, (limit.when() or 0.0) - asyncio.get_running_loop().time())


async def _capped(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise _unusable(f"It has more than {MAX_ANSWER_BYTES} bytes.")
    return bytes(content)


def _believed(content: bytes, count: int, asked: bytes) -> Answers:
    """The answers, if they are to the question: with its digest, as many, and without a contradiction."""
    try:
        got = _decoder.decode(content)
        status, reason = np.frombuffer(got.status, np.uint8), np.frombuffer(got.reason, np.uint8)
        distance, place = np.frombuffer(got.distance, "<f8"), np.frombuffer(got.place, "<i4")
        postcodes, area = np.frombuffer(got.postcodes, "S8"), np.frombuffer(got.area, "<u4")
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unusable(f"It cannot be read: {error}.") from None
    if got.asked != asked or {len(status), len(reason), len(distance), len(place)} != {count}:
        raise _unusable("It is not to the question that was asked.")
    is_match = status == MATCH
    if not np.array_equal(is_match, place >= 0) or not np.array_equal(is_match, np.isfinite(distance)):
        raise _unusable("It has a match without a postcode or distance, or one of them without a match.")
    if len(area) != len(postcodes) or not (
        _all_below(place, len(postcodes)) and _all_below(area, len(got.areas))
        and _all_below(status, len(STATUSES)) and _all_below(reason, len(REASONS))
    ):  # fmt: skip
        raise _unusable("It speaks of what it does not have.")
    if not _are_postcodes(postcodes):
        raise _unusable("It has a postcode that is none.")
    return Answers(status, reason, distance, place, postcodes, area, got.areas)


def _are_postcodes(texts: npt.NDArray[np.bytes_]) -> bool:
    """Whether they have nothing but capitals, digits and spaces, and then NULs."""
    characters = texts.view(np.uint8).reshape(-1, 8)
    is_nul = characters == 0
    return bool(_OF_POSTCODES[characters].all() and not is_nul[:, 0].any() and (is_nul[:, 1:] >= is_nul[:, :-1]).all())


def _all_below(numbers: Integers, limit: int) -> bool:
    return not len(numbers) or int(numbers.max()) < limit


def _unusable(why: str) -> OutageError:
    return OutageError("unusable_answer", f"postcode_consumer's answer cannot be used. {why}")


def _detail(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Problem).detail[:300]
    except msgspec.MsgspecError:
        return ""
