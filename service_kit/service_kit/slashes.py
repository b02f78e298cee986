"""Addresses of the API with and without their last slash.

Both are served, and nobody is sent from one to the other: some clients do not follow a redirect of what they send, and
others follow it with a body that is no longer the same.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import is_valid_path

from service_kit.request_ids import Handler

_API = "/api/v1/"


class SlashMiddleware:
    """Takes an address of the API that is not known for the one with, or without, a slash at its end."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith(_API) and not is_valid_path(path):
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            if is_valid_path(other):
                request.path = request.path_info = other  # links are built from it
        return self.get_response(request)
