"""The door between the services."""

import hmac

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from service_kit.problems import problem_response
from service_kit.request_ids import Handler

_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


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
