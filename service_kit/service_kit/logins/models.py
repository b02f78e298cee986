"""What is known about failed logins, for as long as it matters."""

from datetime import datetime

from django.db import models


class FailedLogins(models.Model):
    """How often logins to one user name from one address failed lately, attempts in progress included."""

    # A keyed hash of both: people type their password into the wrong field, and such a name is nobody's business.
    who: "models.CharField[str, str]" = models.CharField(max_length=64, primary_key=True)
    count: "models.SmallIntegerField[int, int]" = models.SmallIntegerField(default=0)
    last_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.last_at}"
