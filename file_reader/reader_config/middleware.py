"""The door of the service: request ids and the internal token."""

import hmac
import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware

from reader_config.problems import problem_response

Handler = Callable[[HttpRequest], HttpResponseBase]

#: The id of the request (or, in a worker, of the chunk) that is being worked on; part of every log line.
request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_OPEN_PATHS = frozenset({"/healthz", "/readyz"})


class RequestIdFilter(logging.Filter):
    """Puts the request's id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class RequestIdMiddleware:
    """Takes `X-Request-Id` over from the caller, or makes one, and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get("X-Request-Id", "")
        value = sent if _ACCEPTED_ID.fullmatch(sent) else uuid.uuid4().hex
        token = request_id.set(value)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = value
            return response
        finally:
            request_id.reset(token)


class SameMethodRedirect(HttpResponsePermanentRedirect):
    """308: who follows it sends the same request again. After a 301, a POST without its last slash became a GET."""

    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Django's own, which sends an address without its last slash on to the one with it."""

    response_redirect_class = SameMethodRedirect


class InternalTokenMiddleware:
    """Only the gateway and the other services are let in: their calls carry `X-Internal-Token`."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.token = settings.INTERNAL_TOKEN.encode()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get("X-Internal-Token", "").encode()
        if request.path not in _OPEN_PATHS and not hmac.compare_digest(sent, self.token):
            return problem_response(
                slug="internal-token-required",
                title="This service is called through the gateway",
                status=401,
                detail="The header X-Internal-Token is missing or wrong.",
            )
        return self.get_response(request)
