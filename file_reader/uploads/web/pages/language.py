"""The language of the pages: whatever was chosen at the foot of a page, or else what the browser asks for."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class PageLanguageMiddleware(LocaleMiddleware):
    """Django's. The admin stays English: it is only partly translated."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith("/admin/"):
            translation.activate(settings.LANGUAGE_CODE)
        else:
            super().process_request(request)
