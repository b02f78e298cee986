"""What all processes of this service share."""

from django.db import models


class Limiter(models.Model):
    """When the next call to a provider may be made; one row per provider. Times are the database's, in Unix seconds.

    Rows are read and written by `lookups.limiter` only.
    """

    name = models.CharField(primary_key=True, max_length=40)
    #: The first moment that nobody has reserved yet.
    free_at = models.FloatField()
    #: Nobody calls before, because the provider asked for it (Retry-After).
    paused_until = models.FloatField()
    #: When the row was last written; a clock that is earlier was set back.
    seen_at = models.FloatField()

    def __str__(self) -> str:
        return self.name
