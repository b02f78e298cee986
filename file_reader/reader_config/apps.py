"""Django's admin, as this service has it."""

from service_kit.logins import apps


class AdminConfig(apps.AdminConfig):
    """With figures on its front page."""

    default_site = "reader_config.admin_site.OperatorSite"
