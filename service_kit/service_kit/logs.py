"""Logs: one line per event on stderr, as JSON, or on a terminal as `time level service request_id message key=value…`.

It knows nothing of Django, so that gunicorn's own process and the gateway log in the same way.
"""

import contextlib
import functools
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from service_kit.environment import SettingError, env_str

#: The id of the request that is being worked on; part of every log line.
request_id: ContextVar[str] = ContextVar("request_id", default="-")
#: `upload loaded upload=%s rows=%s`: what happened, and then nothing but fields.
_TEMPLATE = re.compile(r"([^%=]+?)((?: \w+=\S+)+)")
_FLOAT = re.compile(r"%\.\d+f")
#: Members that every line has.
_EVERY_LINE = frozenset({"time", "level", "service", "request_id", "event", "traceback"})


@contextlib.contextmanager
def work_for(sent_by: str) -> Iterator[None]:
    """Log lines have the id of the request that this work was sent by, where it is known."""
    token = request_id.set(sent_by or "-")
    try:
        yield
    finally:
        request_id.reset(token)


class Details(dict[str, Any]):
    """What a line says beside the event, for words that are not ours: `logger.info("request %s", Details(path=path))`.

    As text, a value with spaces, quotes or control characters is quoted, so that a line stays a line.
    """

    def __str__(self) -> str:
        return " ".join(f"{key}={_text(value)}" for key, value in self.items())


def _text(value: object) -> str:
    text = "-" if value is None else str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(" \"'")
    return text if plain and text else ascii(text)


#: What `logging` asks a record for besides.
_SPELLED = vars(logging.LogRecord("", logging.INFO, "", 0, "", None, None))


class SpelledRecord(logging.LogRecord):
    """A record whose fields are JSON already, an object that is not empty: for a line of which there are thousands a
    second. What no line shows is not found out.
    """

    fields: str

    def __init__(self, name: str, event: str, fields: str) -> None:
        now = time.time()
        vars(self).update(_SPELLED, name=name, msg=event, fields=fields, created=now, msecs=int(now % 1 * 1000))

    def getMessage(self) -> str:
        """As text."""
        return f"{self.msg} {Details(json.loads(self.fields))}"


class RequestIdFilter(logging.Filter):
    """Puts the request's id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class TextFormatter(logging.Formatter):
    """For people. Times in UTC, to the millisecond."""

    def __init__(self, service: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {service} %(request_id)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """When the line was written."""
        return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@functools.lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """Most lines of a busy process are of the same second as the one before."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


class JsonFormatter(TextFormatter):
    """For programs: an object, with a member for each `key=…` of the message."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self._service = service
        # `json.dumps` would make one for each line. Nothing that is logged has itself inside.
        self._encode = json.JSONEncoder(default=str, check_circular=False).encode

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        if isinstance(record, SpelledRecord):
            return f"{self._beginning(record, record.msg)}, {record.fields[1:]}"
        event, fields = event_of(record)
        if not _EVERY_LINE.isdisjoint(fields):
            fields = {f"{name}_" if name in _EVERY_LINE else name: value for name, value in fields.items()}
        if record.exc_info:
            fields = fields | {"traceback": self.formatException(record.exc_info)}
        beginning = self._beginning(record, event)
        return f"{beginning}, {self._encode(fields)[1:]}" if fields else f"{beginning}}}"

    def _beginning(self, record: logging.LogRecord, event: str) -> str:
        return (
            f'{{"time": "{self.formatTime(record)}", "level": "{record.levelname}", "service": "{self._service}", '
            f'"request_id": {quoted(getattr(record, "request_id", "-"))}, "event": {quoted(event)}'
        )


def event_of(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """What happened, in words that are the same every time, and its fields; or the whole message where it has none."""
    arguments = record.args
    if isinstance(arguments, Details):  # logging takes a mapping out of its tuple
        return str(record.msg).removesuffix(" %s"), arguments
    parts = _parts(record.msg) if isinstance(record.msg, str) and isinstance(arguments, tuple) else None
    if parts is None or sum(count for _, _, count in parts[1]) != len(arguments or ()):
        return record.getMessage(), {}
    left = iter(arguments or ())
    return parts[0], {name: _filled(value, tuple(next(left) for _ in range(count))) for name, value, count in parts[1]}


def _filled(template: str, arguments: tuple[object, ...]) -> object:
    """A number stays one."""
    if template in ("%s", "%d"):
        return arguments[0]
    text = template % arguments
    return float(text) if _FLOAT.fullmatch(template) else text


@functools.lru_cache(maxsize=1_000)
def _parts(template: str) -> tuple[str, list[tuple[str, str, int]]] | None:
    """The event, and of each field the name, its value's template, and how many arguments that takes."""
    found = _TEMPLATE.fullmatch(template)
    if found is None:
        return None
    fields = (field.partition("=") for field in found[2].split())
    return found[1], [(name, value, value.count("%")) for name, _, value in fields]


def is_for_people() -> bool:
    """Whether `LOG_FORMAT` asks for text: with `auto`, on a terminal. Raises SettingError."""
    wanted = env_str("LOG_FORMAT", "auto")
    if wanted not in ("auto", "json", "text"):
        raise SettingError(f"LOG_FORMAT={wanted!r} is not known. Accepted: auto, json, text.")
    return wanted == "text" or (wanted == "auto" and sys.stderr.isatty())


def formatter(service: str) -> logging.Formatter:
    """That of `LOG_FORMAT`. Raises SettingError."""
    return TextFormatter(service) if is_for_people() else JsonFormatter(service)


def log_settings(service: str, levels: dict[str, str] | None = None) -> dict[str, Any]:
    """The settings of `logging` for a service; `levels` are those of single loggers. Raises SettingError."""
    formatter(service)  # a wrong LOG_FORMAT is said as such
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "service_kit.logs.RequestIdFilter"}},
        "formatters": {"line": {"()": formatter, "service": service}},
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
