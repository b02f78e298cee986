"""Signing in and out."""

import math
from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from service_kit.logins.backend import LockedOutError


class SignIn(LoginView):
    """Django's, which says so when somebody is locked out."""

    template_name = "pages/login.html"
    next_page = "/"
    redirect_authenticated_user = True
    extra_context = {"signing_in": True}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except LockedOutError as error:
            response = render(
                request,
                self.template_name,
                {**self.extra_context, "minutes": math.ceil(error.seconds / 60)},
                status=429,
            )
            response["Retry-After"] = str(error.seconds)
            return response
