"""What all processes of this service share."""

from django.db import models


class Limiter(models.Model):
    """When the next call to a provider may be made; one row per provider.

    The fields are those of `lookups.limiter.State`. Rows are read and written by `lookups.limiter_stores` only.
    """

    name = models.CharField(primary_key=True, max_length=40)
    free_at = models.FloatField()
    paused_until = models.FloatField()
    seen_at = models.FloatField()
    silence = models.FloatField(default=0.0)
    probe_until = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return self.name
