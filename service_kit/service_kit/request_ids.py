"""Every request has an id, which its answer and its log lines carry, and an address that it came from."""

import ipaddress
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from service_kit.logs import request_id

Handler = Callable[[HttpRequest], HttpResponseBase]

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestIdMiddleware:
    """Takes `X-Request-Id` over from the caller, or makes one, and answers with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # `request.headers` would first make a dictionary of all of them, in every request.
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        value = sent if _ACCEPTED_ID.fullmatch(sent) else uuid.uuid4().hex
        token = request_id.set(value)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = value
            return response
        finally:
            request_id.reset(token)


def client_address(request: HttpRequest) -> str | None:
    """The address that the gateway saw; None when a call came without."""
    sent = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(sent))
    except ValueError:
        return None
