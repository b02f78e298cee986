"""The gateway as a real process: its memory, its end, its refusal of a port that is taken, and ordinary clients."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import requests
from aiohttp import web
from servers import GatewayProcess, environment, eventually, gateway_process, service
from servers import gateway as gateway_here

from gateway.limits import MIB, Limits

BIG = 300 * MIB
#: Of an upload, when it is given on while it arrives.
BEGUN = Limits().begun_upload_bytes + 1


class Memory:
    """The largest resident memory of a process while the context lasts, in bytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.before = self.largest = self._process.memory_info().rss

    async def __aenter__(self) -> "Memory":
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()

    async def _watch(self) -> None:
        while True:
            self.largest = max(self.largest, self._process.memory_info().rss)
            await asyncio.sleep(0.01)


async def count_bytes(request: web.BaseRequest) -> web.StreamResponse:
    """Counts a body, or answers with a big one."""
    if request.method == "GET":
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(BIG // MIB):
            await answer.write(bytes(MIB))
        return answer
    received = 0
    async for piece in request.content.iter_any():
        received += len(piece)
    return web.json_response({"received": received})


async def big_body() -> AsyncIterator[bytes]:
    """A body of 300 MiB that is nowhere whole."""
    for _ in range(BIG // MIB):
        yield bytes(MIB)


async def test_memory_does_not_grow_with_uploads_or_answers() -> None:
    async with service(count_bytes) as backend, aiohttp.ClientSession() as session:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            url = f"http://127.0.0.1:{gateway.port}/api/v1/uploads/"
            async with session.post(url, data=b"warm up") as answer:
                assert await answer.json() == {"received": 7}
            async with Memory(gateway.process.pid) as memory:
                for headers in ({}, {"Content-Length": str(BIG)}):
                    async with session.post(url, data=big_body(), headers=headers) as answer:
                        assert await answer.json() == {"received": BIG}
                async with session.get(url) as answer:
                    received = 0
                    async for piece in answer.content.iter_any():
                        received += len(piece)
                    assert received == BIG
    assert memory.largest - memory.before < 20 * MIB


async def test_a_client_that_does_not_read_does_not_fill_the_memory() -> None:
    async with service(count_bytes) as backend:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            async with Memory(gateway.process.pid) as memory:
                _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
                writer.write(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await asyncio.sleep(1)
                writer.transport.abort()
    assert memory.largest - memory.before < 20 * MIB


def refused(port: int) -> bool:
    """Whether nobody listens there any more."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_what_is_in_flight_is_finished_after_sigterm(sent: signal.Signals) -> None:
    proceed = asyncio.Event()

    arrived: list[bytes] = []

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        if request.method == "POST":
            arrived.append(await request.content.readany())
            await request.content.readexactly(BEGUN - len(arrived[0]))
            return web.Response(body=await request.content.read())
        await answer.prepare(request)
        await answer.write(b"begun ")
        await proceed.wait()
        await answer.write(b"and finished")
        return answer

    async def body() -> AsyncIterator[bytes]:
        yield bytes(BEGUN) + b"the first half "
        await proceed.wait()
        yield b"and the second"

    async with service(slow) as backend, aiohttp.ClientSession() as session:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            url = f"http://127.0.0.1:{gateway.port}/api/v1/uploads/"
            upload = asyncio.create_task(finished(session.post(url, data=body())))
            async with session.get(url) as download:
                assert await download.content.readany() == b"begun "
                await eventually(lambda: bool(arrived))
                gateway.process.send_signal(sent)
                await eventually(lambda: refused(gateway.port))
                proceed.set()
                assert await download.read() == b"and finished"
            assert await upload == b"the first half and the second"
            assert await asyncio.to_thread(gateway.process.wait, 10) == 0
    assert "stopped" in gateway.lines[-1]


async def finished(call: Any) -> bytes:
    """The body of an answer of 200."""
    async with call as answer:
        assert answer.status == 200
        body: bytes = await answer.read()
        return body


async def test_what_takes_longer_than_the_grace_is_ended() -> None:
    arrived = asyncio.Event()

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        arrived.set()
        await asyncio.sleep(30)
        return web.Response()

    async with service(never) as backend:
        async with gateway_here(backend, limits=Limits(grace=0.2)) as client:
            sent = asyncio.create_task(client.send(b"GET /api/v1/rows/ HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            await asyncio.wait_for(arrived.wait(), 5)
            ending = time.monotonic()
        assert time.monotonic() - ending < 5
        assert await sent == b""


async def test_idle_connections_do_not_delay_the_end() -> None:
    async with service() as backend, aiohttp.ClientSession() as session:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            async with session.get(f"http://127.0.0.1:{gateway.port}/api/v1/rows/") as answer:
                await answer.read()
            gateway.process.terminate()
            assert await asyncio.to_thread(gateway.process.wait, 5) == 0


async def test_each_request_that_was_answered_has_its_line_after_sigterm() -> None:
    ids = [f"request-{number}" for number in range(200)]
    with gateway_process() as gateway:
        async with aiohttp.ClientSession() as session:

            async def ask(request_id: str) -> None:
                url, headers = f"http://127.0.0.1:{gateway.port}/healthz", {"X-Request-Id": request_id}
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == 200

            await asyncio.gather(*map(ask, ids))
            gateway.process.terminate()
        assert await asyncio.to_thread(gateway.process.wait, 10) == 0
    said = [line.split()[3:5] for line in gateway.lines]
    assert sorted(ids) == sorted(request_id for request_id, event in said if event == "request")
    assert said[-1] == ["-", "stopped"]


def test_a_port_that_is_taken_is_said_and_ends_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "gateway"],
            env=environment(INTERNAL_TOKEN="t", GATEWAY_PORT=str(port)),
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert ended.returncode == 1
    assert f"gateway: cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_log_lines_begin_with_time_level_service_and_request_id() -> None:
    async with service() as backend, aiohttp.ClientSession() as session:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            async with session.get(
                f"http://127.0.0.1:{gateway.port}/api/v1/rows/", headers={"X-Request-Id": "mine"}
            ) as answer:
                await answer.read()
            gateway.process.terminate()
            await asyncio.to_thread(gateway.process.wait, 5)
            await eventually(lambda: any("method=GET" in line for line in gateway.lines))
    line = next(line for line in gateway.lines if "method=GET" in line)
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO gateway mine request method=GET path=/api/v1/rows/ ", line
    )


async def refuse(request: web.BaseRequest) -> web.StreamResponse:
    """Refuses an upload after its first bytes."""
    await request.content.readany()
    return web.json_response({"type": "/problems/refused"}, status=422)


@pytest.fixture
def big_file(tmp_path: Path) -> Iterator[Path]:
    """A file of 30 MiB."""
    file = tmp_path / "big.csv"
    with file.open("wb") as written:
        written.truncate(30 * MIB)
    yield file
    file.unlink()


def upload_with_requests(gateway: GatewayProcess, file: Path) -> tuple[int, str]:
    """What a Python program sees that uploads a file."""
    with file.open("rb") as body:
        url = f"http://127.0.0.1:{gateway.port}/api/v1/uploads/"
        answer = requests.post(url, files={"file": body}, timeout=20)
    return answer.status_code, answer.json()["type"]


def upload_with_curl(gateway: GatewayProcess, file: Path) -> tuple[int, str]:
    """What a person sees that uploads a file."""
    url = f"http://127.0.0.1:{gateway.port}/api/v1/uploads/"
    command = ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "-F", f"file=@{file}", url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)
    body, _, status = ended.stdout.rpartition("\n")
    found = re.search(r'"type": "([^"]*)"', body)
    assert found, ended
    return int(status), found[1]


CLIENTS = [upload_with_requests, *([upload_with_curl] if shutil.which("curl") else [])]


@pytest.mark.parametrize("upload", CLIENTS)
async def test_ordinary_clients_read_the_answer_that_refuses_their_upload(upload: Any, big_file: Path) -> None:
    async with service(refuse) as backend:
        with gateway_process(FILE_READER_URL=str(backend)) as gateway:
            assert await asyncio.to_thread(upload, gateway, big_file) == (422, "/problems/refused")
        with gateway_process(FILE_READER_URL=str(backend), MAX_UPLOAD_BYTES="1000") as gateway:
            assert await asyncio.to_thread(upload, gateway, big_file) == (413, "/problems/body-too-large")
        with gateway_process(FILE_READER_URL=str(backend), AUTH="required") as gateway:
            assert await asyncio.to_thread(upload, gateway, big_file) == (401, "/problems/key-required")
