"""A local server that speaks postcodes.io's protocol over a postcode file, with faults on demand.

As a process:   python tests/fakes/postcodes_io.py --data gb_postcodes.csv.gz --cache /tmp/gb_postcodes.npz --port 0
                GET /_control/stats   GET /_control/calls   POST /_control/faults   POST /_control/reset
In a test:      with running_postcodes_io([Postcode("SW1A 1AA", 51.501009, -0.141588)]) as upstream: … upstream.url …
It binds the loopback interface only.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from postcodes_io_answers import AnswerFields, AnswerWriter
from postcodes_io_data import Postcode, PostcodeTable, load_table, table_of
from postcodes_io_faults import Call, Faults, Trouble, add_control_routes
from postcodes_io_protocol import Protocol
from postcodes_io_search import PostcodeSearch

__all__ = ["Call", "Faults", "Postcode", "RunningPostcodesIo", "running_postcodes_io"]

_READ_AT_MOST = 16 * 1024 * 1024  # bytes; the protocol itself refuses far less, with a 500 as postcodes.io does
_IDLE_SECONDS = 5.0  # after which postcodes.io closes a connection


class RunningPostcodesIo:
    """A fake that runs: where it is, what it was asked, and what goes wrong."""

    def __init__(self, url: str, trouble: Trouble) -> None:
        self.url = url
        self._trouble = trouble

    @property
    def calls(self) -> list[Call]:
        """What came in so far, oldest first (at most the last 10,000)."""
        return list(self._trouble.calls)

    @property
    def stats(self) -> dict[str, int]:
        return self._trouble.stats()

    def fail(self, **faults: Any) -> None:
        """Let these `Faults` befall the following calls: `fail(status=503, retry_after=5, times=1)`."""
        self._trouble.apply(Faults(**faults))

    def recover(self) -> None:
        """No more faults; what was counted stays."""
        self._trouble.apply(Faults())

    def reset(self) -> None:
        """Forget the calls, and go back to the latency of the start."""
        self._trouble.reset()


@contextmanager
def running_postcodes_io(
    postcodes: Iterable[Postcode], *, port: int = 0, latency_ms: float = 0, answer_fields: AnswerFields = "full"
) -> Iterator[RunningPostcodesIo]:
    """Serve a few postcodes from a thread of this process until the block ends."""
    trouble = Trouble(Faults(latency_ms=latency_ms), keep_bodies=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake postcodes.io", daemon=True)
    thread.start()
    try:
        serving = _serve(table_of(postcodes), trouble, port=port, answer_fields=answer_fields)
        runner, url = asyncio.run_coroutine_threadsafe(serving, loop).result()
        try:
            yield RunningPostcodesIo(url, trouble)
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(
    table: PostcodeTable, trouble: Trouble, *, port: int, answer_fields: AnswerFields
) -> tuple[web.AppRunner, str]:
    app = web.Application(middlewares=[trouble.middleware], client_max_size=_READ_AT_MOST)
    add_control_routes(app, trouble)
    Protocol(table, PostcodeSearch(table), AnswerWriter(table, answer_fields)).add_routes(app)
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=_IDLE_SECONDS,
        handler_cancellation=True,  # a caller who gives up ends a hanging call
        shutdown_timeout=0.5,
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    table = load_table(options.data, cache=options.cache)
    trouble = Trouble(Faults(latency_ms=options.latency_ms), keep_bodies=False)
    runner, url = await _serve(table, trouble, port=options.port, answer_fields=options.answer_fields)
    print(f"listening on {url}", flush=True)
    await stopped.wait()
    await runner.cleanup()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="A local server that speaks postcodes.io's protocol.")
    parser.add_argument("--data", type=Path, required=True, help="the postcode file: CSV, plain or gzip")
    parser.add_argument("--cache", type=Path, help="written at the first start, read at the following ones (.npz)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0, help="delays every answer")
    parser.add_argument("--answer-fields", choices=("full", "small"), default="full", help="small is quicker")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
