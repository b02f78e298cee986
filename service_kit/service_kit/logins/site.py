"""The site of the admin."""

import math
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from service_kit.logins.backend import LockedOutError


class AdminSite(admin.AdminSite):
    """Django's, which says so when somebody is locked out."""

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().login(request, extra_context)
        except LockedOutError as error:
            context = {
                **self.each_context(request),
                "title": "Too many failed logins",
                "minutes": math.ceil(error.seconds / 60),
            }
            headers = {"Retry-After": str(error.seconds)}
            return TemplateResponse(request, "admin/locked_out.html", context, status=429, headers=headers)
