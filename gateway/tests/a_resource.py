"""A stand-in of file_reader with one resource that changes: ETag, 304, and Retry-After while it will change again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from servers import Client, gateway, service

from gateway.limits import Limits

PATH = "/api/v1/uploads/7f/"


class Resource:
    """Has a state, as text, of which there is a new version at each change."""

    def __init__(self, text: str = "", **headers: str) -> None:
        self.text = text
        self.version = 1
        self.is_running = True
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        #: Keys that are good, and whose they are.
        self.users = {"key-of-ann": 1, "other-key-of-ann": 1, "key-of-ben": 2}
        #: Of each GET: its user, and its If-None-Match.
        self.asked: list[tuple[str | None, str | None]] = []
        #: The Host of each.
        self.hosts: list[str] = []
        #: None lets the connection break.
        self.status: int | None = 200
        #: Answers to GET wait for it.
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def change(self, text: str = "", *, is_running: bool = True) -> None:
        self.version += 1
        self.text, self.is_running = text, is_running

    @property
    def etag(self) -> str:
        return f'"{self.version}"'

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            user_id = self.users.get(request.headers["Authorization"].removeprefix("Bearer "))
            if user_id is None:
                return web.json_response({"type": "/problems/unknown-key"}, status=401)
            return web.json_response({"user_id": user_id})
        if request.method != "GET":
            self.change("changed by hand")
            return web.Response(text="done")
        self.asked.append((request.headers.get("X-User-Id"), request.headers.get("If-None-Match")))
        self.hosts.append(request.host)
        answer = self._answer(request)
        await self.may_answer.wait()
        if self.status is None and request.transport is not None:
            request.transport.abort()
        return answer

    def _answer(self, request: web.BaseRequest) -> web.Response:
        if self.status != 200:
            return web.json_response({"type": "/problems/not-found"}, status=self.status or 500)
        headers = {"ETag": self.etag, **self.headers} | ({"Retry-After": "1"} if self.is_running else {})
        headers = {name: value for name, value in headers.items() if value}
        if request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(text=f"{request.path} {self.version} {self.text}", headers=headers)


@asynccontextmanager
async def serving(resource: Resource, limits: Limits | None = None, **settings: Any) -> AsyncIterator[Client]:
    """A gateway in front of it."""
    async with service(resource) as backend, gateway(backend, backend, limits=limits, **settings) as client:
        yield client
