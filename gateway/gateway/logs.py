"""Logs: one line per event on stderr, `time level service request_id message key=value…`, never a secret."""

import logging
import os
import re
import sys
import time
from contextvars import ContextVar

from aiohttp import web

SERVICE = "gateway"
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")


class _Formatter(logging.Formatter):
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {SERVICE} %(request_id)s %(message)s")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = current_request_id.get()
        return super().format(record)


def configure_logs() -> None:
    """Send every logger of the process to stderr in the one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
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


def details(**values: object) -> str:
    """`key=value…`; a value with spaces, quotes or control characters is quoted, so that a line stays a line."""
    return " ".join(f"{key}={_value(value)}" for key, value in values.items())


def _value(value: object) -> str:
    text = "-" if value is None else str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(" \"'")
    return text if plain and text else ascii(text)
