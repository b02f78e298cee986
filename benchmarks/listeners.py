"""What it costs the gateway to tell many listeners of a few uploads: memory, CPU, and questions to file_reader.

    python benchmarks/listeners.py

Starts the gateway with AUTH=required before a stand-in of file_reader, whose uploads change every second and end after
`--seconds`. There are as many users as uploads; each listens to an upload of its own `--listeners / --uploads` times.
In the middle the stand-in is away for five seconds. Prints the gateway's memory before and with all listeners (they
are on its side of the connection only; the system's own buffers of sockets are not counted), its CPU in that time, how
often each upload was asked for a second, and whether each listener got the last state. `--json FILE` writes them.

The stand-in and the listeners are processes of their own. 10,000 files must be allowed (`ulimit -n`).
"""

import argparse
import asyncio
import collections
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import uvloop
from aiohttp import web

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from measure import ROOT, write_result  # noqa: E402
from stack import free_port, peak_bytes  # noqa: E402

#: As much as an upload of 100 columns.
STATE_BYTES = 2_000
AWAY_SECONDS = 5.0
#: For all of them to hear the first state.
START_SECONDS = 60.0
#: Of clients: one may have 500 connections.
ADDRESSES = 20


# --- The stand-in: a process of its own ------------------------------------------------------------------------------
def file_reader(port: int, uploads: int, seconds: float, begin: Any, asked: Any) -> None:
    """Uploads that change every second from `begin` on. Counts in `asked` how often each was asked for."""
    questions: collections.Counter[str] = collections.Counter()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            user = int(request.headers["Authorization"].rpartition("-")[2])
            return web.json_response({"user_id": user, "scopes": None, "key": "bench"})
        age = time.time() - begin.value if begin.value else 0.0
        if seconds / 2 < age < seconds / 2 + AWAY_SECONDS and request.transport is not None:
            request.transport.abort()
        questions[request.path] += 1
        asked.value = sum(questions.values())
        version = int(min(age, seconds))
        headers = {"ETag": f'"{version}"', **({"Retry-After": "1"} if age < seconds else {})}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        state = {"version": version, "state": "geocoding" if age < seconds else "done", "more": "x" * STATE_BYTES}
        return web.json_response(state, headers=headers)

    async def main() -> None:
        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    asyncio.run(main())


# --- The listeners: a process of its own -----------------------------------------------------------------------------
class Listener(asyncio.Protocol):
    """Hears events until the stream ends."""

    def __init__(self, request: bytes, hearing: Any, last: Any, ended: "asyncio.Event") -> None:
        self._request, self._hearing, self._last, self._ended = request, hearing, last, ended
        self._seen = b""
        self._has_heard = False

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        assert self._seen or data.startswith(b"HTTP/1.1 200"), data
        # Only the tail is kept: a listener must not be what takes time.
        self._seen = (self._seen + data)[-2 * STATE_BYTES - 1_000 :]
        if not self._has_heard and b"data: " in self._seen:
            self._has_heard = True
            self._hearing.value += 1
        if self._seen.endswith(b"\r\n0\r\n\r\n"):
            self._last.value += b'"state": "done"' in self._seen
            self._ended.set()


def listen(port: int, listeners: int, uploads: int, hearing: Any, last: Any) -> None:
    """So many, until all of them have heard the end."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ended = []
        for number in range(listeners):
            user = number % uploads + 1
            request = (
                f"GET /api/v1/uploads/{user}/events/ HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer key-{user}\r\nAccept: text/event-stream\r\n\r\n"
            ).encode()
            event = asyncio.Event()
            ended.append(event)
            await loop.create_connection(
                lambda request=request, event=event: Listener(request, hearing, last, event),
                "127.0.0.1",
                port,
                local_addr=(f"127.0.1.{1 + number % ADDRESSES}", 0),
            )
            if number % 50 == 49:
                await asyncio.sleep(0.05)
        await asyncio.gather(*(event.wait() for event in ended))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


# --- The one who measures --------------------------------------------------------------------------------------------
def measure(options: argparse.Namespace) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    begin, asked = context.Value("d", 0.0, lock=False), context.Value("l", 0, lock=False)
    hearing, last = context.Value("l", 0, lock=False), context.Value("l", 0, lock=False)
    service_port = free_port()
    service = context.Process(
        target=file_reader, args=(service_port, options.uploads, options.seconds, begin, asked), daemon=True
    )
    service.start()
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'gateway'}:{ROOT / 'service_kit'}",
        "INTERNAL_TOKEN": "bench",
        "AUTH": "required",
        "GATEWAY_PORT": "0",
        "FILE_READER_URL": f"http://127.0.0.1:{service_port}",
    }
    gateway = subprocess.Popen([sys.executable, "-m", "gateway"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert gateway.stderr is not None
        found = None
        while found is None:
            found = re.search(r"listening host=\S+ port=(\d+)", gateway.stderr.readline())
        threading.Thread(target=gateway.stderr.read, daemon=True).start()
        process = psutil.Process(gateway.pid)
        time.sleep(2)
        before = process.memory_info().rss
        listening = context.Process(
            target=listen, args=(int(found[1]), options.listeners, options.uploads, hearing, last), daemon=True
        )
        listening.start()
        until = time.monotonic() + START_SECONDS
        while hearing.value < options.listeners:
            assert time.monotonic() < until, f"only {hearing.value} listeners hear anything"
            time.sleep(0.1)
        time.sleep(3)
        cpu, questions, began = process.cpu_times(), asked.value, time.time()
        begin.value = began
        time.sleep(options.seconds / 2)
        spent = sum(process.cpu_times()[:2]) - sum(cpu[:2])
        took, rss = time.time() - began, process.memory_info().rss
        polled = (asked.value - questions) / took / options.uploads
        listening.join(options.seconds + 30)
        return {
            "listeners": options.listeners,
            "uploads": options.uploads,
            "rss_before_mb": before / 1e6,
            "rss_mb": rss / 1e6,
            "peak_mb": peak_bytes(process) / 1e6,
            "kb_a_listener": (rss - before) / options.listeners / 1e3,
            "cpu": spent / took,
            "cpu_for_1000_events": spent / (options.listeners * took) * 1_000,
            "questions_a_second_and_upload": polled,
            "heard_the_last_state": last.value,
        }
    finally:
        gateway.kill()
        gateway.wait()
        service.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=5_000)
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = measure(options)
    print(json.dumps(report, indent=1))
    if options.json:
        write_result(options.json, [report])


if __name__ == "__main__":
    main()
