from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "uploads"

    def ready(self) -> None:
        from uploads.accepting.ingest import look_at_all_due
        from uploads.audit import record_logins
        from uploads.web.api.webhooks import bodies_of
        from uploads.work import sources, webhooks

        record_logins()
        webhooks.bodies_of = bodies_of
        sources.look_at_all_due = look_at_all_due
