"""The door of the service: request ids and the internal token."""

import hmac
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from consumer_config.logs import request_id
from consumer_config.problems import problem_response

Handler = Callable[[HttpRequest], HttpResponseBase]

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


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
