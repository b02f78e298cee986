"""Whose API key it is: asked of file_reader, and remembered for a few seconds."""

import asyncio
import base64
import binascii
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import cast

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


def api_key(request: web.BaseRequest) -> str | None:
    """The key a request carries, as `Bearer`, or as the user name of `Basic`; None when there is none, or several."""
    values = request.headers.getall("Authorization", [])
    scheme, _, key = (values[0] if len(values) == 1 else "").partition(" ")
    key = key.strip()
    if scheme.lower() == "basic":
        key = _user_name(key)
    elif scheme.lower() != "bearer":
        return None
    return key if key and len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable() else None


def _user_name(credentials: str) -> str:
    """The user name of `Basic` (RFC 7617). The password says nothing: some programs do not leave it empty."""
    try:
        name, colon, _ = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return name if colon else ""


@dataclass(frozen=True, slots=True)
class User:
    """The user of a key, what the key is for (None is everything), and by what it is called: its beginning."""

    id: int
    scopes: frozenset[str] | None = None
    key: str = ""

    def may(self, scopes: Collection[str]) -> bool:
        """Whether the key has one of these scopes, or the one for everything."""
        return self.scopes is None or "admin" in self.scopes or not self.scopes.isdisjoint(scopes)


@dataclass(frozen=True, slots=True)
class _Answer:
    user: User | None
    expires: float


class Keys:
    """Remembers the users of keys for a short while. Requests that wait for the same key share one question.

    `ask` gives the user of a key, or None for an unknown one; it gets the key and the network that it came from. Its
    errors are passed on and not remembered.
    Keys are kept only as their SHA-256.
    """

    def __init__(self, ask: Callable[[str, str], Awaitable[User | None]], limits: Limits) -> None:
        self._ask = ask
        self._limits = limits
        #: Apart from the others, so that no number of guesses makes a good key forgotten.
        self._good: OrderedDict[bytes, _Answer] = OrderedDict()
        self._unknown: OrderedDict[bytes, _Answer] = OrderedDict()
        self._questions: dict[bytes, asyncio.Task[User | None]] = {}

    async def user(
        self, key: str, network: str, *, before_asking: Callable[[], None], seconds: float = 0.0
    ) -> User | None:
        """The key's user, or None when the key is nobody's. `network` is where it came from.

        What is remembered must be good for so many `seconds` more.
        `before_asking` is called, and may raise, before somebody is asked about a key that was not good when it was
        asked about last.
        """
        digest = hashlib.sha256(key.encode()).digest()
        for answers in (self._good, self._unknown):
            answer = answers.get(digest)
            if answer is not None and time.monotonic() + seconds < answer.expires:
                answers.move_to_end(digest)
                return answer.user
        question = self._questions.get(digest)
        if question is None:
            if digest not in self._good:
                before_asking()
            question = asyncio.create_task(self._ask_and_remember(digest, key, network))
            self._questions[digest] = question
            question.add_done_callback(lambda done: self._asked(digest, done))
        # Shielded: the client that asked first may leave, the others still wait for the answer.
        return await asyncio.shield(question)

    async def _ask_and_remember(self, digest: bytes, key: str, network: str) -> User | None:
        # The time counts from before the question: a key revoked while it was on its way is good for no longer.
        asked = time.monotonic()
        user = await self._ask(key, network)
        answers, others = (self._unknown, self._good) if user is None else (self._good, self._unknown)
        answers[digest] = _Answer(user, asked + (self._limits.unknown_key if user is None else self._limits.known_key))
        answers.move_to_end(digest)
        others.pop(digest, None)
        if len(answers) > self._limits.remembered_keys:
            answers.popitem(last=False)
        return user

    def _asked(self, digest: bytes, question: asyncio.Task[User | None]) -> None:
        del self._questions[digest]
        if not question.cancelled():
            question.exception()  # looked at here: perhaps nobody waits any more


class FileReaderKeys:
    """Asks file_reader whose key it is."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._session = session
        self._url = settings.services[Service.FILE_READER].with_path("/internal/authenticate/")
        self._internal_headers = settings.internal_headers
        self._timeout = aiohttp.ClientTimeout(total=limits.authenticate, connect=limits.connect)
        self._places = places_for_keys(settings.processes[Service.FILE_READER], limits)

    async def __call__(self, key: str, network: str) -> User | None:
        """The user and the key's scopes, or None for a key that file_reader does not know.

        Raises the problem `service-unavailable`, or one of `Places`: guessing keys is nobody else's loss.
        """
        headers = {
            **self._internal_headers,
            "Authorization": f"Bearer {key}",
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

    async def _read(self, answer: aiohttp.ClientResponse) -> User | None:
        # Its other 401 says that INTERNAL_TOKEN differs between the services: no fault of the key's.
        if answer.status in (200, 401) and (answer.content_length or 0) <= MAX_ANSWER_BYTES:
            body = await answer.json(content_type=None)
            if answer.status == 401 and isinstance(body, dict) and body.get("type") == "/problems/unknown-key":
                return None
            if answer.status == 200 and isinstance(body, dict):
                user_id, scopes, key = body.get("user_id"), body.get("scopes"), body.get("key", "")
                is_user = type(user_id) is int and user_id > 0 and isinstance(key, str)
                if is_user and (scopes is None or _are_words(scopes)):
                    return User(cast(int, user_id), None if scopes is None else frozenset(scopes), key)
        raise ValueError(f"not an answer to the question: status {answer.status}")


def _are_words(scopes: object) -> bool:
    return isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes)
