"""The gateway's logs, in the form of all services, and the id of each request. Never a secret."""

import logging
import os
import re
import sys

from aiohttp import web

from service_kit.logs import Details as details
from service_kit.logs import RequestIdFilter, formatter
from service_kit.logs import request_id as current_request_id

SERVICE = "gateway"
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

__all__ = ["begin_request", "configure_logs", "current_request_id", "details"]


def configure_logs() -> None:
    """Send every logger of the process to stderr in the one format. Raises SettingError."""
    handler = logging.StreamHandler(sys.stderr)
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
