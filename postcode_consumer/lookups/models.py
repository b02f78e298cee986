"""The tables that all processes of this service share: the limiter, and the known locations.

Rows are read and written by the modules that are named here only, in statements of their own: Django's are too slow.
"""

from django.db import models


class Limiter(models.Model):
    """When the next call to a provider may be made; one row per provider.

    The fields are those of `lookups.politeness.limiter.State`. Only `lookups.politeness.limiter_stores` reads and
    writes rows.
    """

    name = models.CharField(primary_key=True, max_length=40)
    free_at = models.FloatField()
    paused_until = models.FloatField()
    seen_at = models.FloatField()
    silence = models.FloatField(default=0.0)
    probe_until = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return self.name


class Postcode(models.Model):
    """What a provider said about a postcode the last time. `lookups.memory.known_locations` has its statements."""

    postcode = models.CharField(primary_key=True, max_length=16)
    outcode = models.CharField(max_length=8)
    incode = models.CharField(max_length=8)
    country = models.TextField(null=True)  # noqa: DJ001 - null: the provider does not know it
    region = models.TextField(null=True)  # noqa: DJ001 - as above
    admin_district = models.TextField(null=True)  # noqa: DJ001 - as above
    admin_ward = models.TextField(null=True)  # noqa: DJ001 - as above
    #: Degrees; the postcode's own.
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.postcode


class KnownLocation(models.Model):
    """What a provider found around a location: see `lookups.findings`.

    `lookups.memory.known_locations` has its statements. A foreign key to the postcode would cost half of the speed of
    writing, so there is none: a location whose postcode is gone is asked again.
    """

    provider = models.CharField(max_length=40)
    #: Degrees, exactly as they were sent.
    latitude = models.FloatField()
    longitude = models.FloatField()
    #: The nearest one; null: there is none within `searched_m`.
    postcode = models.CharField(max_length=16, null=True)  # noqa: DJ001 - null: there is none
    distance_m = models.FloatField(null=True)
    #: Metres; how far the last search went.
    searched_m = models.IntegerField()
    #: When the provider was asked, in Unix seconds.
    looked_up_at = models.BigIntegerField()
    #: Somebody asked about it when the finding was about to be too old, and it was not asked again since.
    wanted = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            # The provider last: it is nearly always the same one.
            models.UniqueConstraint(fields=["latitude", "longitude", "provider"], name="known_once"),
        ]
        # None by postcode: new rows are all over the country, so each index more is a page more for every row.
        # The admin, which alone asks for it, looks through a million locations in a fraction of a second.
        indexes = [
            models.Index(fields=["looked_up_at"], name="known_by_age"),
            models.Index(fields=["searched_m", "looked_up_at"], name="known_wanted", condition=models.Q(wanted=True)),
        ]

    def __str__(self) -> str:
        return f"{self.latitude}, {self.longitude}"


class Claim(models.Model):
    """A lookup is asking the provider about this location just now. `lookups.memory.claims` has its statements."""

    pk = models.CompositePrimaryKey("latitude", "longitude", "provider")
    provider = models.CharField(max_length=40)
    latitude = models.FloatField()
    longitude = models.FloatField()
    #: A number that the lookup made up for itself.
    owner = models.BigIntegerField()
    #: Then its process must have died. The database's time, in Unix seconds.
    until = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["owner"], name="claim_by_owner")]

    def __str__(self) -> str:
        return f"{self.latitude}, {self.longitude}"


class CallMinute(models.Model):
    """The calls that one process made in one minute: what the charts of the admin are drawn from.

    `lookups.call_minutes` writes and removes them.
    """

    #: Unix time in minutes.
    minute = models.BigIntegerField()
    answered = models.IntegerField()
    #: Too many calls, says the provider.
    refused = models.IntegerField()
    timed_out = models.IntegerField()
    #: Anything else.
    failed = models.IntegerField()
    #: How long they took together, and the longest one.
    seconds = models.FloatField()
    longest = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["minute"], name="callminute_of_minute")]

    def __str__(self) -> str:
        return f"minute {self.minute}"
