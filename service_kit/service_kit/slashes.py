"""Addresses without their last slash."""

from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class SameMethodRedirect(HttpResponsePermanentRedirect):
    """308: who follows it sends the same request again. After a 301, a POST without its last slash became a GET."""

    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Django's own, which sends an address without its last slash on to the one with it."""

    response_redirect_class = SameMethodRedirect
