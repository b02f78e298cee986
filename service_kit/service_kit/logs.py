"""Logs: one line per event on stderr, `time level service request_id message key=value…`.

It knows nothing of Django, so that gunicorn's own process logs in the same way.
"""

import logging
import time
from contextvars import ContextVar
from typing import Any

#: The id of the request that is being worked on; part of every log line.
request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Puts the request's id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class LineFormatter(logging.Formatter):
    """Times in UTC, to the millisecond, as the gateway writes them."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, fmt: str) -> None:
        super().__init__(fmt)
        self.converter = time.gmtime


def log_settings(service: str, levels: dict[str, str] | None = None) -> dict[str, Any]:
    """The settings of `logging` for a service; `levels` are those of single loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "service_kit.logs.RequestIdFilter"}},
        "formatters": {
            "line": {"()": LineFormatter, "fmt": f"%(asctime)s %(levelname)s {service} %(request_id)s %(message)s"}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # What answers 4xx is the caller's affair, and is in the access log of the gateway.
            "django.request": {"level": "ERROR"},
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            # Every call is in the access log of the gateway.
            "gunicorn.access": {"handlers": [], "level": "ERROR", "propagate": True},
            **{name: {"level": level} for name, level in (levels or {}).items()},
        },
    }
