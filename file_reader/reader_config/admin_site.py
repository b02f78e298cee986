"""The site of the admin of this service."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path

from service_kit.logins.site import AdminSite


class OperatorSite(AdminSite):
    """With figures on its front page, for those who may look at uploads.

    `uploads.admin` registers at this site, so it can be imported only once there is one.
    """

    site_header = "Postcodes for coordinate files"
    site_title = "Postcodes"
    index_title = "Operations"
    index_template = "admin/front.html"
    site_url = None  # there is no other page to go to

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from uploads.admin.front import figures_for

        return super().index(request, {**(extra_context or {}), **figures_for(request)})

    def get_urls(self) -> list[Any]:
        from uploads.admin.front import change_upstream

        view = self.admin_view(partial(change_upstream, self))
        return [path("upstream/<slug:what>/", view, name="upstream"), *super().get_urls()]
