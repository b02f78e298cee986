"""The door between the services."""

import hmac
import logging

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from service_kit.problems import problem_response
from service_kit.request_ids import Handler

logger = logging.getLogger(__name__)

_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class InternalTokenMiddleware:
    """Only the gateway and the other services are let in: their calls carry `X-Internal-Token`.

    The gateway also says which AUTH it has. Where it has another one, everybody would see everything, or nobody
    anything: nothing is answered until they agree.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.token = settings.INTERNAL_TOKEN.encode()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.META.get("HTTP_X_INTERNAL_TOKEN", "").encode()
        is_known = hmac.compare_digest(sent, self.token)
        if sent and not is_known and request.path == "/readyz":  # everybody may ask, but the gateway sends its token
            logger.error("INTERNAL_TOKEN differs: whoever asks whether this service is ready has another one")
            return JsonResponse(
                {"status": "not ready", "missing": {"internal_token": "the gateway has another one than this service"}},
                status=503,
            )
        if request.path not in _OPEN_PATHS and not is_known:
            return problem_response(
                slug="internal-token-required",
                title="This service is called through the gateway",
                status=401,
                detail="The header X-Internal-Token is missing or wrong.",
            )
        if difference := _difference(request):
            logger.error("AUTH differs: %s", difference)
            if request.path == "/readyz":
                return JsonResponse({"status": "not ready", "missing": {"auth": difference}}, status=503)
            if request.path not in _OPEN_PATHS:
                return problem_response(
                    slug="auth-disagrees",
                    title="The gateway and this service have different rules",
                    status=503,
                    detail=f"{difference[0].upper()}{difference[1:]}. Set AUTH alike for the gateway and all services.",
                )
        return self.get_response(request)


def _difference(request: HttpRequest) -> str | None:
    told = request.META.get("HTTP_X_INTERNAL_AUTH")  # workers do not send it: they call for nobody in particular
    if told not in (None, settings.AUTH):
        return f"the gateway has AUTH={'required' if settings.AUTH == 'off' else 'off'}, this service {settings.AUTH}"
    if settings.AUTH == "off" and "HTTP_X_USER_ID" in request.META:
        return "the call is a user's, and this service has AUTH=off"
    return None
