"""The application's name for Django."""

from django.apps import AppConfig


class LookupsConfig(AppConfig):
    """Location → postcode."""

    name = "lookups"
