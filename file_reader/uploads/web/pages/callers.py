"""Who looks at a page: whoever signed in; with AUTH=off there is only one caller."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def owner_of(request: HttpRequest) -> int | None:
    """The id of the user who signed in; None with AUTH=off."""
    return None if settings.AUTH == "off" else request.user.pk


def signed_in(view: View) -> View:
    """Sends everybody else to the page for signing in, and back afterwards."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.AUTH != "off" and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/", "/login/")
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return cast(View, checked)
