"""Real servers for the tests: stand-ins of the services, the gateway in this process, and the gateway as a process."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from gateway.environment import Settings
from gateway.limits import Limits
from gateway.routes import Service
from gateway.server import open_gateway

TOKEN = "the-internal-token"
NOBODY = URL("http://127.0.0.1:9")  # the discard port: nothing listens there
GATEWAY_FOLDER = Path(__file__).resolve().parents[1]

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def whole_body(request: web.BaseRequest) -> bytes:
    """A body of any size; aiohttp's own `read` refuses those above 1 MiB."""
    return b"".join([piece async for piece in request.content.iter_any()])


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Answers with what arrived: method, target, headers as a list of pairs, body."""
    body = await request.read()
    headers = [[name.decode(), value.decode()] for name, value in request.raw_headers]
    return web.json_response(
        {"method": request.method, "target": request.raw_path, "headers": headers, "body": body.decode()}
    )


@asynccontextmanager
async def service(handler: Handler = echo) -> AsyncIterator[URL]:
    """An HTTP server that answers everything with `handler`, which sees bodies as they were sent."""
    server = web.Server(handler, access_log=None, auto_decompress=False, lingering_time=0, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield URL.build(scheme="http", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_service(connection: Connection) -> AsyncIterator[URL]:
    """A server that has every connection in its own hands, for whatever HTTP servers do not do."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connection(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio would complain
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    async with server:
        yield URL.build(scheme="http", host="127.0.0.1", port=server.sockets[0].getsockname()[1])


@dataclass
class Client:
    """Someone who calls the gateway at `url`."""

    url: URL
    session: aiohttp.ClientSession

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator["Client"]:
        """The same gateway, called from another address."""
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            yield Client(self.url, session)

    def call(
        self, method: str, target: str, **options: Any
    ) -> "aiohttp.client._BaseRequestContextManager[aiohttp.ClientResponse]":
        """A request to exactly this path and query string."""
        url = URL.build(scheme="http", host="127.0.0.1", port=self.url.port, path=target, encoded=True)
        return self.session.request(method, url, allow_redirects=False, **options)

    def get(self, target: str, **options: Any) -> "aiohttp.client._BaseRequestContextManager[aiohttp.ClientResponse]":
        """GET exactly this path and query string."""
        return self.call("GET", target, **options)

    async def problem(self, method: str, target: str, **options: Any) -> dict[str, Any]:
        """The problem that is the answer, after checking that it is a proper one."""
        async with self.call(method, target, **options) as answer:
            assert answer.content_type == "application/problem+json", await answer.text()
            problem: dict[str, Any] = json.loads(await answer.read())
            assert problem["status"] == answer.status
            assert problem["type"].startswith("/problems/")
            assert problem["title"]
            assert problem["detail"]
            return problem

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection to the gateway."""
        assert self.url.port is not None
        return await asyncio.open_connection("127.0.0.1", self.url.port)

    async def send(self, data: bytes) -> bytes:
        """All that comes back for these bytes until the gateway closes the connection."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@asynccontextmanager
async def gateway(
    file_reader: URL = NOBODY,
    postcode_consumer: URL = NOBODY,
    *,
    keys_required: bool = False,
    limits: Limits | None = None,
    **settings: Any,
) -> AsyncIterator[Client]:
    """A gateway in this process, with these `settings` besides, and a client of it."""
    limits = limits or Limits(linger=0.5)
    whole = Settings(
        host="127.0.0.1",
        port=0,
        services={Service.FILE_READER: file_reader, Service.POSTCODE_CONSUMER: postcode_consumer},
        processes=dict.fromkeys(Service, 1),
        internal_token=TOKEN,
        keys_required=keys_required,
        max_upload_bytes=limits.upload_bytes,
        listeners=limits.listeners,
        listeners_per_caller=limits.listeners_per_caller,
        **settings,
    )
    async with (
        open_gateway(whole, limits) as (_, port),
        aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        yield Client(URL.build(scheme="http", host="127.0.0.1", port=port), session)


async def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


def environment(**variables: str) -> dict[str, str]:
    """The environment of a gateway process: this one's without any setting, plus `variables`."""
    settings = {"AUTH", "INTERNAL_TOKEN", "MAX_UPLOAD_BYTES", "TRUSTED_PROXIES", "REQUESTS_PER_MINUTE"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in settings and not name.endswith(("_HOST", "_PORT", "_URL"))
    }
    # With the service_kit beside it, which in a second work tree is not the one that is installed.
    return {**kept, "PYTHONPATH": f"{GATEWAY_FOLDER}:{GATEWAY_FOLDER.parent / 'service_kit'}", **variables}


@dataclass
class GatewayProcess:
    """`python -m gateway`, running."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)


@contextmanager
def gateway_process(**variables: str) -> Iterator[GatewayProcess]:
    """A gateway in a process of its own, on a free port, ready to be called. `lines` is its standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"],
        env=environment(GATEWAY_PORT="0", GATEWAY_METRICS_PORT="0", LOG_FORMAT="text", INTERNAL_TOKEN=TOKEN)
        | variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        port = None
        while port is None:
            lines.append(process.stderr.readline())
            assert lines[-1], "".join(lines)
            found = re.search(r"listening host=127\.0\.0\.1 port=(\d+)", lines[-1])
            port = int(found[1]) if found else None
        reader = threading.Thread(target=lines.extend, args=(process.stderr,))
        reader.start()
        yield GatewayProcess(process, port, lines)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()
