"""What it costs the gateway to tell many listeners of a few uploads: memory, CPU, and questions to file_reader.

    python benchmarks/listeners.py

Starts the gateway with AUTH=required before a stand-in of file_reader, whose uploads change every second and end after
`--seconds`. There are as many users as uploads; each listens to an upload of its own `--listeners / --uploads` times.
In the middle the stand-in is killed (SIGKILL), and started again after five seconds. Prints the gateway's memory before
and with all listeners (they are on its side of the connection only; the system's own buffers of sockets are not
counted), its CPU until the kill and over the whole time, how often each upload was asked for a second, when after the
start the last listener had a new event, and how many got the last state. `--json FILE` writes them.

The stand-in and the listeners are processes of their own. 10,000 files must be allowed (`ulimit -n`).
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

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
def file_reader(port: int, seconds: float, begin: Any, asked: Any, started: Any) -> None:
    """Uploads that change every second from `begin` on. Counts in `asked` how often they were asked for."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/internal/authenticate/":
            user = int(request.headers["Authorization"].rpartition("-")[2])
            return web.json_response({"user_id": user, "scopes": None, "key": "bench"})
        age = time.time() - begin.value if begin.value else 0.0
        asked.value += 1
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
        started.value = time.time()
        await asyncio.Event().wait()

    asyncio.run(main())


# --- The listeners: a process of its own -----------------------------------------------------------------------------
class Heard(NamedTuple):
    """What all processes know. `again` and `waited` are about events since file_reader is back, at `returned`."""

    first: Any
    returned: Any
    again: Any
    waited: Any
    last: Any


class Listener(asyncio.Protocol):
    """Hears events until the stream ends."""

    def __init__(self, request: bytes, heard: Heard, ended: "asyncio.Event") -> None:
        self._request, self._heard, self._ended = request, heard, ended
        self._seen = b""
        self._has_heard = self._has_heard_again = False

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        assert self._seen or data.startswith(b"HTTP/1.1 200"), data
        # Only the tail is kept: a listener must not be what takes time.
        self._seen = (self._seen + data)[-2 * STATE_BYTES - 1_000 :]
        if not self._has_heard and b"data: " in self._seen:
            self._has_heard = True
            self._heard.first.value += 1
        if not self._has_heard_again and self._heard.returned.value and b"data: " in data:
            self._has_heard_again = True
            self._heard.again.value += 1
            self._heard.waited.value = time.time() - self._heard.returned.value
        if self._seen.endswith(b"\r\n0\r\n\r\n"):
            self._heard.last.value += b'"state": "done"' in self._seen
            self._ended.set()


def listen(port: int, listeners: int, uploads: int, heard: Heard) -> None:
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
                lambda request=request, event=event: Listener(request, heard, event),
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
    heard = Heard(*(context.Value(kind, 0, lock=False) for kind in "ldldl"))
    service_port = free_port()

    def start_service(started: Any) -> Any:
        service = context.Process(
            target=file_reader, args=(service_port, options.seconds, begin, asked, started), daemon=True
        )
        service.start()
        return service

    service = start_service(context.Value("d", 0.0, lock=False))
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'gateway'}:{ROOT / 'service_kit'}",
        "INTERNAL_TOKEN": "bench",
        "AUTH": "required",
        "GATEWAY_PORT": "0",
        "FILE_READER_URL": f"http://127.0.0.1:{service_port}",
        "LOG_FORMAT": "json",
    }
    gateway = subprocess.Popen([sys.executable, "-m", "gateway"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert gateway.stderr is not None
        port = None
        while port is None:
            port = json.loads(gateway.stderr.readline()).get("port")
        threading.Thread(target=gateway.stderr.read, daemon=True).start()
        process = psutil.Process(gateway.pid)
        time.sleep(2)
        before = process.memory_info().rss
        listening = context.Process(target=listen, args=(port, options.listeners, options.uploads, heard), daemon=True)
        listening.start()
        until = time.monotonic() + START_SECONDS
        while heard.first.value < options.listeners:
            assert time.monotonic() < until, f"only {heard.first.value} listeners hear anything"
            time.sleep(0.1)
        time.sleep(3)
        questions, began, before_events = asked.value, time.time(), cpu_seconds(process)
        begin.value = began
        time.sleep(options.seconds / 2)
        spent = cpu_seconds(process) - before_events
        took, rss = time.time() - began, process.memory_info().rss
        polled = (asked.value - questions) / took / options.uploads
        service.kill()
        service.join()
        time.sleep(AWAY_SECONDS)
        service = start_service(heard.returned)
        listening.join(options.seconds + 30)
        whole = time.time() - began
        return {
            "listeners": options.listeners,
            "uploads": options.uploads,
            "rss_before_mb": before / 1e6,
            "rss_mb": rss / 1e6,
            "peak_mb": peak_bytes(process) / 1e6,
            "kb_a_listener": (rss - before) / options.listeners / 1e3,
            "cpu": spent / took,
            "cpu_with_kill": (cpu_seconds(process) - before_events) / whole,
            "cpu_for_1000_events": spent / (options.listeners * took) * 1_000,
            "questions_a_second_and_upload": polled,
            "heard_after_the_kill": heard.again.value,
            "seconds_until_all_heard": heard.waited.value,
            "heard_the_last_state": heard.last.value,
        }
    finally:
        gateway.kill()
        gateway.wait()
        service.kill()


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far."""
    return float(sum(process.cpu_times()[:2]))


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
