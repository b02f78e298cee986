"""Who calls, for the audit log."""

from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from service_kit.request_ids import Handler, client_address
from uploads.audit import Caller, current_caller
from uploads.models import AuditVia


class AuditMiddleware:
    """Around all others. Who has logged in to the admin is known when something is recorded."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = current_caller.set(partial(_caller_of, request))
        try:
            return self.get_response(request)
        finally:
            current_caller.reset(token)


def _caller_of(request: HttpRequest) -> Caller:
    address = client_address(request)
    if request.path.startswith("/admin/"):
        return Caller(AuditVia.ADMIN, request.user.pk, address=address)
    # The view has looked at the user before anything could be done that is recorded.
    user_id = int(request.headers["X-User-Id"]) if settings.AUTH == "required" else None
    return Caller(AuditVia.API, user_id, request.headers.get("X-Internal-Key", ""), address)
