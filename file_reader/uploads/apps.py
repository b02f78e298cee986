from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"

    def ready(self) -> None:
        from uploads.audit import record_logins
        from uploads.web.api.webhooks import bodies_of
        from uploads.work import webhooks

        record_logins()
        webhooks.bodies_of = bodies_of
