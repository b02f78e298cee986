"""An event loop in a thread of its own, for code that runs in other threads."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


class LoopThread:
    """One loop and its thread. To be made after a fork; `close` it, or it ends with the process."""

    def __init__(self, *, name: str) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"{name}-loop", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Starts the coroutine. Cancel the future to stop it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], *, timeout: float) -> T:
        """The coroutine's result. Raises `TimeoutError`, and cancels it, after `timeout` seconds."""
        future = self.start(work)
        try:
            return future.result(timeout)
        finally:
            future.cancel()

    def close(self) -> None:
        """Stop the loop and wait for the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
