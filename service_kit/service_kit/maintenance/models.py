"""Who tidies up, and what the last run did."""

from datetime import datetime
from typing import Any

from django.db import models


class MaintenanceRun(models.Model):
    """The one row of its table. Only `service_kit.maintenance.running` writes it."""

    id: "models.SmallIntegerField[int, int]" = models.SmallIntegerField(primary_key=True, default=1)
    # A number that the run made up for itself, and until when nobody else begins.
    owner: "models.BigIntegerField[int, int]" = models.BigIntegerField(default=0)
    lease_until: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(null=True)
    began_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField("began", null=True)
    # Null while it runs, and when it was killed.
    ended_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField("ended", null=True)
    # [{"job", "done", "seconds", "error"}, …]; `error` is empty when there was none.
    report: "models.JSONField[Any, Any]" = models.JSONField(default=list)

    def __str__(self) -> str:
        return "maintenance"
