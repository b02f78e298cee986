"""The gateway's logs, in the form of all services, and the id of each request. Never a secret."""

import asyncio
import logging
import os
import re
import sys
from contextlib import suppress
from select import PIPE_BUF
from typing import TextIO

from aiohttp import web

from service_kit.logs import Details as details
from service_kit.logs import RequestIdFilter, formatter
from service_kit.logs import request_id as current_request_id

SERVICE = "gateway"
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

__all__ = ["begin_request", "configure_logs", "current_request_id", "details"]


class TurnHandler(logging.Handler):
    """Writes the lines of one turn of the event loop together: a busy loop ends many requests in each.

    Lines are never older than their turn. One that is worse than INFO is written at once, with those before it; so is
    every line where no loop runs, and at the end of the process `logging` itself calls `flush`.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line until the turn is over."""
        try:
            self._lines.append(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 - as all handlers do
            self.handleError(record)
        if record.levelno > logging.INFO:
            self.flush()
        elif len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Write what there is, in pieces that no other process's lines can get into where all write into one pipe."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            while lines:
                piece = lines.pop(0)
                while lines and len(piece) + len(lines[0]) <= PIPE_BUF:
                    piece += lines.pop(0)
                with suppress(OSError):  # nobody could be told
                    self._stream.write(piece)
                    self._stream.flush()
        finally:
            self.release()


def configure_logs() -> None:
    """Send every logger of the process to stderr in the one format. Raises SettingError."""
    handler = TurnHandler(sys.stderr)
    handler.setFormatter(formatter(SERVICE))
    handler.addFilter(RequestIdFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # No line has them, and every request has a line (Python's "Logging HOWTO", Optimization).
    logging._srcfile = None  # noqa: SLF001 - as it says there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def begin_request(request: web.BaseRequest) -> str:
    """The id of this request, taken over from the client when it is fit to be logged, else made."""
    sent = request.headers.get("X-Request-Id", "")
    request_id = sent if ACCEPTED_REQUEST_ID.fullmatch(sent) else os.urandom(16).hex()
    current_request_id.set(request_id)
    return request_id
