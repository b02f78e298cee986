"""Calls of the API: found with and without the last slash of their address, and spared what only pages need.

Both forms of an address are served, and nobody is sent from one to the other: some clients do not follow a redirect of
what they send, and others follow it with a body that is no longer the same.
"""

from functools import lru_cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from service_kit.request_ids import Handler

_API = "/api/v1/"
#: Programs ask for the same few addresses again and again, and finding one costs a tenth of a lookup.
_resolve = lru_cache(maxsize=1_024)(resolve)


class ApiMiddleware:
    """Calls the view of an API's address itself: sessions, logins, CSRF tokens and messages cost as much as a lookup.

    No view of the API looks at a cookie; who calls is said by the gateway's headers.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_API):
            return self.get_response(request)
        request.get_host()  # a name that is none is a 400 before anything is done
        request.resolver_match = match = _find(request)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response = response.render()
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined] # not streaming
        return response


def _find(request: HttpRequest) -> ResolverMatch:
    """The view, and the address as links have it. Raises `Resolver404`."""
    path = request.path_info
    try:
        return _resolve(path)
    except Resolver404:
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        match = _resolve(other)
        request.path = request.path_info = other
        return match
