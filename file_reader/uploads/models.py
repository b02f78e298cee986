"""Uploads, their chunks and rows, and the postcodes that were found; docs/states.md draws the states."""

import uuid
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from uploads.row_ids import ROW_BITS, row_number


class RowIdField(models.BigIntegerField):  # type: ignore[type-arg] # not generic when it runs
    """A primary key of 64 bits that is SQLite's own rowid. Only the word INTEGER makes it that: a bigint would have a
    second tree beside the table's, and every insert and update by id would go through both."""

    def db_type(self, connection: Any) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


class UploadState(models.TextChoices):
    RECEIVED = "received"
    LOADING = "loading"
    GEOCODING = "geocoding"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: Uploads in these states have, or will have, work for workers.
OPEN_STATES = (UploadState.RECEIVED, UploadState.LOADING, UploadState.GEOCODING)
#: The chunks of these uploads may be claimed.
GEOCODABLE_STATES = (UploadState.LOADING, UploadState.GEOCODING)


class ChunkState(models.TextChoices):
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    SPLIT = "split"
    DEAD = "dead"


#: Chunks in these states have work left.
OPEN_CHUNK_STATES = (ChunkState.READY, ChunkState.LEASED)


class RowStatus(models.IntegerChoices):
    """Small numbers in the database, the words of the interface outside it."""

    PENDING = 0, "pending"
    MATCH = 1, "match"
    NO_MATCH = 2, "no_match"
    FAILED = 3, "failed"
    REJECTED = 4, "rejected"


class Literal(models.Value):
    """A number in the text of a statement. SQLite uses a partial index only where it can read its condition."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return str(int(self.value)), ()


def has_rare_status() -> models.Q:
    """The condition of the index `row_rare_status`: no match, failed or rejected."""
    return models.Q(status__gte=Literal(RowStatus.NO_MATCH.value))


#: From the numbers in the database to the words of the interface.
STATUS_WORDS = {status.value: status.label for status in RowStatus}


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, owner_id: int | None) -> "UploadQuerySet":
        """The uploads that this user may see; None is everybody's eyes, for AUTH=off."""
        uploads = self.filter(deleted_at=None)
        return uploads if owner_id is None else uploads.filter(owner_id=owner_id)


class Upload(models.Model):
    """A file that was accepted, and how far the work on it is."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    # "<owner>:<key>", so that one unique index serves callers with and without an owner.
    idempotency_key = models.CharField(max_length=300, null=True, unique=True, editable=False)  # noqa: DJ001
    filename = models.CharField(max_length=255)
    # Of what was sent; table_size is that of what is kept and read, without gzip or zip.
    size = models.BigIntegerField()
    table_size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.RECEIVED)
    dialect = models.JSONField()
    max_distance = models.FloatField()
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Hidden at once, removed slice by slice by a worker.
    deleted_at = models.DateTimeField(null=True)
    error = models.JSONField(null=True)
    # Since when nobody could answer, and why; waiting_since is null while answers come.
    waiting_since = models.DateTimeField(null=True)
    waiting_reason = models.CharField(max_length=40, db_default="")
    waiting_detail = models.TextField(db_default="")

    # The loading cursor and the lease on it.
    rows_loaded = models.BigIntegerField(default=0)
    bytes_loaded = models.BigIntegerField(default=0)
    rows_swapped = models.BigIntegerField(db_default=0)
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "id"], name="upload_of_owner")]

    def __str__(self) -> str:
        return f"{self.filename} ({self.public_id.hex[:8]})"


class Chunk(models.Model):
    """A run of rows of one upload: the unit of work. Its lease and fence are the truth about who works on it."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE)
    first_row = models.BigIntegerField()
    row_count = models.IntegerField()
    state = models.CharField(max_length=6, choices=ChunkState, default=ChunkState.READY)
    due_at = models.DateTimeField(db_default=Now())
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Rows by outcome. The upload's counts are their sums: nothing that all workers would have to lock in turn.
    matched = models.IntegerField(default=0)
    no_match = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="chunk_open", condition=models.Q(state__in=OPEN_CHUNK_STATES)),
        ]

    def __str__(self) -> str:
        return f"rows {self.first_row}–{self.last_row} of upload {self.upload_id}"

    @property
    def last_row(self) -> int:
        return self.first_row + self.row_count - 1


#: The names of an area, from the largest: country, region, admin_district, admin_ward.
AreaNames = tuple[str | None, str | None, str | None, str | None]
NO_NAMES: AreaNames = (None, None, None, None)


class Area(models.Model):
    """Where postcodes are, by name: some ten thousand of these serve two million postcodes.

    The id is `area_id` of the names, so that whoever writes a postcode or a row knows it without asking.
    """

    id = RowIdField(primary_key=True)
    country = models.CharField(max_length=40, null=True)  # noqa: DJ001 - unknown is not empty
    region = models.CharField(max_length=80, null=True)  # noqa: DJ001
    admin_district = models.CharField(max_length=120, null=True)  # noqa: DJ001
    admin_ward = models.CharField(max_length=120, null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return ", ".join(name for name in reversed(self.names) if name)

    @property
    def names(self) -> AreaNames:
        return self.country, self.region, self.admin_district, self.admin_ward


def area_id(names: AreaNames) -> int:
    """A number for these names: 63 bits of their hash, so that two areas will not share one."""
    digest = blake2b(repr(names).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


class Postcode(models.Model):
    """What is known about a postcode that was found for at least one row; its position in degrees."""

    postcode = models.CharField(max_length=8, primary_key=True)
    area = models.ForeignKey(Area, on_delete=models.DO_NOTHING, db_constraint=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.postcode


def outcode_of(postcode: str) -> str:
    """The outward part of a postcode: SW1A of SW1A 1AA."""
    return postcode.partition(" ")[0]


class Row(models.Model):
    """One record of an upload and its answer. Created and updated in bulk only: see uploads.rows.bulk."""

    id = RowIdField(primary_key=True)
    # Constraints would halve the speed of writing; the chunk's transaction keeps what they would keep.
    upload = models.ForeignKey(Upload, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    status = models.SmallIntegerField(choices=RowStatus, default=RowStatus.PENDING)
    reason = models.CharField(max_length=40, null=True)  # noqa: DJ001
    postcode = models.ForeignKey(
        Postcode, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, db_column="postcode"
    )
    distance_m = models.FloatField(null=True)
    # The area of its postcode: a result of millions of rows would look each postcode up for it.
    area = models.ForeignKey(Area, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    # Rejected rows only: the line (from 1) and the first 1,000 characters of the record.
    line = models.BigIntegerField(null=True)
    raw = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        indexes = [
            # Few rows: what costs little to write, and makes them easy to find among millions. Of the others, lists are
            # kept (LocationCell, PostcodeList): an index would cost several times as much.
            models.Index(
                fields=["status", "id"], name="row_rare_status", condition=models.Q(status__gte=RowStatus.NO_MATCH)
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of upload {self.upload_id}"

    @property
    def number(self) -> int:
        """The row's number in its upload, from 1."""
        return row_number(self.id)


class LocationCell(models.Model):
    """Where rows of an upload are: those that were loaded together and lie in one cell of a grid (`rows.by_place`).

    Written once, with the rows, for a small part of what an index on rows costs; finds those in a box or circle.
    """

    # In the order in which they are written; the one of the index is that in which they are looked for.
    pk = models.CompositePrimaryKey("first_id", "cell")
    first_id = models.BigIntegerField()
    cell = models.IntegerField()
    entries = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["cell", "first_id"], name="location_cell")]

    def __str__(self) -> str:
        return f"cell {self.cell} from row {row_number(self.first_id)} of upload {self.first_id >> ROW_BITS}"


class PostcodeList(models.Model):
    """Which rows of an upload have a postcode: those that were answered together and whose postcodes are of one
    postcode area, such as SW (`uploads.rows.by_postcode`).

    Written once, with the answers, for a small part of what an index on rows costs.
    """

    # The id of the first row in it. A row that has a postcode is never answered again, so no other list begins with it.
    pk = models.CompositePrimaryKey("first_id", "postcode_area")
    first_id = models.BigIntegerField()
    postcode_area = models.IntegerField()
    entries = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["postcode_area", "first_id"], name="postcode_list")]

    def __str__(self) -> str:
        return f"list {self.postcode_area} from row {row_number(self.first_id)} of upload {self.first_id >> ROW_BITS}"
