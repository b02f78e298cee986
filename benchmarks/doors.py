"""What others feel of slow clients and of many logins: the time of plain calls, quiet and while somebody does that.

    python benchmarks/doors.py

Starts the stack with AUTH=off and with AUTH=required, and asks one question after the other over two connections: GET
an upload, and POST a lookup of ten locations. First quietly; then while `--slow` connections stand, half of which send
the body of a login, a quarter a large upload, and a quarter take a result, all of them a byte every ten seconds; then
while `--logins` wrong passwords are tried at once, again and again. Prints the median and the 99th percentile in
milliseconds, and how many times those of the quiet time they are; `--json FILE` writes them.

The clients that disturb are a process of their own, with a key of another user. With AUTH=off they are the same caller
as the one who measures: they share its half of the places.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "whole_stack")]

from measure import write_result  # noqa: E402
from stack import Stack, running_stack  # noqa: E402
from test_keys import admin_session, make_key, make_user  # noqa: E402

ROWS = 150_000
#: Each row of the result is so long that no socket has room for all of them: 35 MB.
NOTE = "x" * 200
LOCATIONS = [(51.501009 + number / 1e5, -0.141588) for number in range(1_000)]
#: A byte in so many seconds is slow; a call that takes so many is given up, and counts as that.
PAUSE, LONGEST = 10.0, 30.0
#: Of a large upload, so that it is more than what the gateway takes before it asks.
BEGINNING_ROWS = 600_000


def request(method: str, path: str, key: str, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A request, as far as `body` goes."""
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    head += [f"Authorization: Bearer {key}"] if key else []
    if body:
        head += ["Content-Type: " + ("application/json" if body.startswith(b"{") else "text/csv")]
    return "\r\n".join([*head, "", ""]).encode() + body


# --- Those who disturb: a process of their own -----------------------------------------------------------------------
async def again_and_again(once: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Whoever is cut off comes back."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await once()
        await asyncio.sleep(1)


async def drip(port: int, beginning: bytes) -> None:
    """Sends the beginning of a request at once, and then a byte now and then."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    with contextlib.closing(writer):
        while True:
            await writer.drain()
            await asyncio.sleep(PAUSE)
            writer.write(b"x")


async def sip(port: int, asked: bytes) -> None:
    """Asks, and takes a byte of the answer now and then."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(line, asked)
        while await loop.sock_recv(line, 1):  # noqa: ASYNC110 - not for something to happen
            await asyncio.sleep(PAUSE)


async def log_in(port: int) -> None:
    """Tries a wrong password."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        token = "x" * 32
        form = f"username=admin&password=wrong&csrfmiddlewaretoken={token}".encode()
        writer.write(
            b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Connection: close\r\nCookie: csrftoken=%s\r\nContent-Length: %d\r\n\r\n%s"
            % (token.encode(), len(form), form)
        )
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        # Refused, or the password was compared.
        assert head.startswith((b"HTTP/1.1 429", b"HTTP/1.1 503")) or b"correct username" in body, head


def slow(port: int, count: int, key: str, result: str) -> None:
    """So many slow connections, until this process is ended."""
    body = request("POST", "/admin/login/", "", b"x", length=100_000)
    upload = request("POST", "/api/v1/uploads/", key, b"lat,lon\n" + b"1,2\n" * BEGINNING_ROWS, length=50_000_000)
    asked = request("GET", result, key)

    async def main() -> None:
        ways = [lambda: drip(port, body)] * 2 + [lambda: drip(port, upload), lambda: sip(port, asked)]
        await asyncio.gather(*(again_and_again(ways[number % 4]) for number in range(count)))

    asyncio.run(main())


def logins(port: int, count: int) -> None:
    """So many logins at a time, until this process is ended."""

    async def main() -> None:
        await asyncio.gather(*(again_and_again(lambda: log_in(port)) for _ in range(count)))

    asyncio.run(main())


@contextlib.contextmanager
def meanwhile(what: Callable[..., None], *arguments: Any, warm: float) -> Iterator[None]:
    """Runs it in a process, and goes on when it has been at it for so many seconds."""
    process = multiprocessing.get_context("spawn").Process(target=what, args=arguments, daemon=True)
    process.start()
    try:
        time.sleep(warm)
        yield
    finally:
        process.kill()
        process.join()


# --- The one who measures --------------------------------------------------------------------------------------------
async def ask(port: int, asked: bytes, seconds: float, pause: float = 0.01) -> list[float]:
    """Asks for that long, one question after the other; the times in ms."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    reader = writer = None
    while (began := time.perf_counter()) < until:
        try:
            async with asyncio.timeout(LONGEST):
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(asked)
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                assert length, head
                body = await reader.readexactly(int(length[1]))
                assert head.startswith(b"HTTP/1.1 200"), (head, body)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, AssertionError) as error:
            print(f"    after {time.perf_counter() - began:.1f} s: {error!r:.200}", flush=True)
            times.append(max(time.perf_counter() - began, LONGEST) * 1e3)
            reader = None
            continue
        times.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(pause)
    return times


def measured(port: int, questions: dict[str, bytes], seconds: float) -> dict[str, dict[str, float]]:
    """The percentiles of each question, in ms."""

    async def main() -> list[list[float]]:
        return await asyncio.gather(*(ask(port, question, seconds) for question in questions.values()))

    found = {}
    for name, times in zip(questions, asyncio.run(main()), strict=True):
        p99 = statistics.quantiles(times, n=100)[-1] if len(times) > 1 else times[0]
        found[name] = {"p50": statistics.median(times), "p99": min(p99, max(times)), "calls": len(times)}
    return found


def key_of(session: Any, stack: Stack, name: str) -> str:
    return make_key(session, stack, make_user(session, stack, name))


def compare(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    """Quiet, then disturbed; each with the ratios to quiet."""
    alice = mallory = ""
    if stack.environment["AUTH"] == "required":
        session = admin_session(stack)
        alice, mallory = key_of(session, stack, "alice"), key_of(session, stack, "mallory")
    port = int(stack.environment["GATEWAY_PORT"])
    lines = [f"{latitude},{longitude},{NOTE}" for latitude, longitude in LOCATIONS] * (ROWS // len(LOCATIONS))
    stack.headers = {"Authorization": f"Bearer {mallory}"} if mallory else {}
    large = stack.upload("\n".join(["lat,lon,note", *lines, ""]).encode())
    stack.wait_until_done(large, seconds=600)
    stack.headers = {"Authorization": f"Bearer {alice}"} if alice else {}
    small = stack.upload(b"lat,lon\n51.501009,-0.141588\n")
    stack.wait_until_done(small)
    locations = ",".join(f'{{"latitude":{one},"longitude":{other}}}' for one, other in LOCATIONS[:10])
    questions = {
        "GET an upload": request("GET", small["links"]["self"].partition(stack.url)[2], alice),
        "POST a lookup": request("POST", "/api/v1/reverse-geocode/", alice, f'{{"locations":[{locations}]}}'.encode()),
    }
    result = large["links"]["result_csv"].partition(stack.url)[2]
    found = {"quiet": measured(port, questions, options.seconds)}
    with meanwhile(slow, port, options.slow, mallory, result, warm=options.warm):
        found[f"{options.slow} slow connections"] = measured(port, questions, options.seconds)
    time.sleep(2)
    found["quiet again"] = measured(port, questions, options.seconds)
    with meanwhile(logins, port, options.logins, warm=2):
        found[f"{options.logins} logins at once"] = measured(port, questions, options.seconds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auth", nargs="+", default=["off", "required"])
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--logins", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--warm", type=float, default=5.0, help="seconds that slow connections stand before")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    reports = {}
    for auth in options.auth:
        with tempfile.TemporaryDirectory(dir=os.environ.get("DATA_DIR")) as name:
            settings = {"AUTH": auth, "PROVIDER": "sandbox", "INTERNAL_TOKEN": "bench", "SECRET_KEY": "bench"}
            with running_stack(Path(name), **settings, REQUESTS_PER_MINUTE="0") as stack:
                reports[auth] = compare(stack, options)
        quiet = reports[auth]["quiet"]
        for when, figures in reports[auth].items():
            for question, one in figures.items():
                ratios = " ".join(f"{one[part] / quiet[question][part]:.1f} ×" for part in ("p50", "p99"))
                print(
                    f"AUTH={auth:8} {when:22} {question:14} p50 {one['p50']:8.1f} ms, p99 {one['p99']:8.1f} ms"
                    f" ({ratios} quiet; {one['calls']} calls)",
                    flush=True,
                )
    if options.json:
        write_result(options.json, [reports])


if __name__ == "__main__":
    main()
