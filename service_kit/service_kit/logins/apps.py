from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as AdminConfigOfDjango


class LoginsConfig(AppConfig):
    name = "service_kit.logins"
    default_auto_field = "django.db.models.BigAutoField"


class AdminConfig(AdminConfigOfDjango):
    """Django's admin, with a site that knows who is locked out."""

    default_site = "service_kit.logins.site.AdminSite"
