"""Whose API key it is: asked of file_reader, and remembered for a few seconds."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from gateway import problems
from gateway.environment import Settings
from gateway.limits import Limits
from gateway.logs import current_request_id
from gateway.places import Lane, places_for_keys
from gateway.routes import Service

MAX_KEY_LENGTH = 1_000
MAX_ANSWER_BYTES = 10_000


def bearer_key(request: web.BaseRequest) -> str:
    """The key a request carries.

    Raises the problem `key-required`.
    """
    values = request.headers.getall("Authorization", [])
    scheme, _, key = (values[0] if len(values) == 1 else "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key or len(key) > MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise problems.key_required()
    return key


@dataclass(frozen=True, slots=True)
class _Answer:
    user_id: int | None
    expires: float


class Keys:
    """Remembers the owners of keys for a short while. Requests that wait for the same key share one question.

    `ask` gives the user's id of a key, or None for an unknown one; it gets the key and who sent it. Its errors are
    passed on and not remembered.
    Keys are kept only as their SHA-256.
    """

    def __init__(self, ask: Callable[[str, str], Awaitable[int | None]], limits: Limits) -> None:
        self._ask = ask
        self._limits = limits
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()
        self._questions: dict[bytes, asyncio.Task[int | None]] = {}

    async def user_id(self, key: str, network: str) -> int | None:
        """The id of the key's user, or None when the key is nobody's. `network` is where it came from."""
        digest = hashlib.sha256(key.encode()).digest()
        answer = self._answers.get(digest)
        if answer is not None and time.monotonic() < answer.expires:
            self._answers.move_to_end(digest)
            return answer.user_id
        question = self._questions.get(digest)
        if question is None:
            question = asyncio.create_task(self._ask_and_remember(digest, key, network))
            self._questions[digest] = question
            question.add_done_callback(lambda done: self._asked(digest, done))
        # Shielded: the client that asked first may leave, the others still wait for the answer.
        return await asyncio.shield(question)

    async def _ask_and_remember(self, digest: bytes, key: str, network: str) -> int | None:
        # The time counts from before the question: a key revoked while it was on its way is good for no longer.
        asked = time.monotonic()
        user_id = await self._ask(key, network)
        kept = self._limits.unknown_key if user_id is None else self._limits.known_key
        self._answers[digest] = _Answer(user_id, asked + kept)
        self._answers.move_to_end(digest)
        if len(self._answers) > self._limits.remembered_keys:
            self._answers.popitem(last=False)
        return user_id

    def _asked(self, digest: bytes, question: asyncio.Task[int | None]) -> None:
        del self._questions[digest]
        if not question.cancelled():
            question.exception()  # looked at here: perhaps nobody waits any more


class FileReaderKeys:
    """Asks file_reader whose key it is."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._session = session
        self._url = settings.services[Service.FILE_READER].with_path("/internal/authenticate/")
        self._internal_token = settings.internal_token
        self._timeout = aiohttp.ClientTimeout(total=limits.authenticate, connect=limits.connect)
        self._places = places_for_keys(settings.processes[Service.FILE_READER], limits)

    async def __call__(self, key: str, network: str) -> int | None:
        """The user's id, or None for a key that file_reader does not know.

        Raises the problem `service-unavailable`, or one of `Places`: guessing keys is nobody else's loss.
        """
        headers = {
            "Authorization": f"Bearer {key}",
            "X-Internal-Token": self._internal_token,
            "X-Request-Id": current_request_id.get(),
        }
        place = await self._places.take(network, Lane.KEY)
        try:
            async with self._session.get(
                self._url, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                return await self._read(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise problems.service_unavailable(
                Service.FILE_READER, "The API key could not be checked: file_reader does not answer."
            ) from error
        finally:
            place.free()

    async def _read(self, answer: aiohttp.ClientResponse) -> int | None:
        # Its other 401 says that INTERNAL_TOKEN differs between the services: no fault of the key's.
        if answer.status in (200, 401) and (answer.content_length or 0) <= MAX_ANSWER_BYTES:
            body = await answer.json(content_type=None)
            if answer.status == 401 and isinstance(body, dict) and body.get("type") == "/problems/unknown-key":
                return None
            user_id = body.get("user_id") if isinstance(body, dict) and answer.status == 200 else None
            if type(user_id) is int and user_id > 0:
                return user_id
        raise ValueError(f"not an answer to the question: status {answer.status}")
