"""Requests, counted and timed by their route."""

import time

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from service_kit.metrics import request_seconds
from service_kit.request_ids import Handler

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MeasureMiddleware:
    """Counts requests and how long they took, by the pattern of their address: an address itself may name somebody.

    What no pattern fits, and what is answered before one is looked for, has the route `none`.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.seconds = request_seconds(settings.SERVICE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        found = request.resolver_match
        route = "none" if found is None else f"/{found.route}"
        method = request.method if request.method in _METHODS else "other"
        self.seconds.labels(method, route, response.status_code).observe(time.perf_counter() - began)
        return response
