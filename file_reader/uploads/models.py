"""Uploads with their chunks, rows, row index, totals, map and webhooks, areas, API keys, the audit log, minutes.

docs/states.md draws the states."""

import functools
import uuid
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce, Now

from uploads.row_ids import row_number


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
#: No worker touches the rows of uploads in these states, unless a retry opens them again.
ENDED_STATES = (UploadState.DONE, UploadState.FAILED, UploadState.CANCELLED)
#: The chunks of these uploads may be claimed.
GEOCODABLE_STATES = (UploadState.LOADING, UploadState.GEOCODING)


class ChunkState(models.TextChoices):
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    SPLIT = "split"
    DEAD = "dead"
    VOID = "void"


#: Chunks in these states have work left.
OPEN_CHUNK_STATES = (ChunkState.READY, ChunkState.LEASED)
#: The rows of chunks in these states may be pending; those that are void left the queue.
PENDING_CHUNK_STATES = (*OPEN_CHUNK_STATES, ChunkState.VOID)


class RowStatus(models.IntegerChoices):
    """Small numbers in the database, the words of the interface outside it."""

    PENDING = 0, "pending"
    MATCH = 1, "match"
    NO_MATCH = 2, "no_match"
    FAILED = 3, "failed"
    REJECTED = 4, "rejected"


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
    # Users are deleted by `delete_user` alone, which takes their uploads along. Whoever tries another way is refused.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
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
    # As they were said, so that the file can be sent again with them; null: from before they were kept.
    options = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Hidden at once, removed slice by slice by a worker.
    deleted_at = models.DateTimeField(null=True)
    error = models.JSONField(null=True)
    # Who is told how it ended, and under which address it was sent to us: there its links lead.
    webhook_url = models.CharField(max_length=2_000, blank=True, db_default="")
    base_url = models.CharField(max_length=300, blank=True, db_default="")
    # Of the request that sent it: workers, and postcode_consumer, log it too.
    request_id = models.CharField(max_length=128, blank=True, db_default="", editable=False)
    # Since when nobody could answer, and why; waiting_since is null while answers come.
    waiting_since = models.DateTimeField(null=True)
    waiting_reason = models.CharField(max_length=40, db_default="")
    waiting_detail = models.TextField(db_default="")
    # Since when nothing of it is begun; null while it is not paused. How far its next chunk was behind the place of the
    # queue then: it will be as far behind when it is resumed.
    paused_at = models.DateTimeField(null=True)
    turns_behind = models.BigIntegerField(db_default=0)

    # How many rows have which reason, by status; written with the row index.
    reasons = models.JSONField(null=True)
    # How far the row index is written, in rows, and when it was all there: from then on rows are looked up in it.
    rows_indexed = models.BigIntegerField(default=0)
    indexed_at = models.DateTimeField(null=True)

    # The loading cursor. The lease is on loading the file and, once the upload has ended, on writing its row index.
    rows_loaded = models.BigIntegerField(default=0)
    bytes_loaded = models.BigIntegerField(default=0)
    rows_swapped = models.BigIntegerField(db_default=0)
    rows_west = models.BigIntegerField(db_default=0)
    rows_at_sea = models.BigIntegerField(db_default=0)
    # How its rows may be meant otherwise, if in some way (`uploads.reading.second_look`).
    doubt = models.CharField(max_length=40, db_default="")
    # Of rows that have a postcode of their own in the file, how many have it as their answer, if most have not
    # (`uploads.reading.own_postcodes.Compared`); written when the upload ends.
    own_postcodes = models.JSONField(null=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Who claimed it last, as the admin names workers.
    worker = models.CharField(max_length=100, db_default="")
    # The turn of the chunk that is made next, unless others are further by then (`uploads.work.turns`).
    turn = models.BigIntegerField(default=0)

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "id"], name="upload_of_owner"),
            # For quotas: the rows of a day, the bytes of all, which stand in the index, and those that are open.
            models.Index(fields=["owner", "created_at", "table_size"], name="upload_usage"),
            models.Index(fields=["owner"], name="upload_open", condition=models.Q(state__in=OPEN_STATES)),
            # Those that workers look at, of however many that have ended.
            models.Index(fields=["id"], name="upload_unindexed", condition=models.Q(indexed_at=None)),
            models.Index(
                fields=["deleted_at", "id"], name="upload_deleted", condition=models.Q(deleted_at__isnull=False)
            ),
        ]
        # What the admin lets people do, one right each; `delete_upload` is Django's own.
        permissions = [
            ("pause_upload", "Can pause upload"),
            ("resume_upload", "Can resume upload"),
            ("cancel_upload", "Can cancel upload"),
            ("retry_upload", "Can retry upload"),
            ("control_upstream", "Can pause calls upstream and close the breaker"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.public_id.hex[:8]})"

    @property
    def expires_at(self) -> datetime | None:
        """When a worker deletes it; None while it is open, and where uploads are kept."""
        if self.finished_at is None or not settings.UPLOAD_KEEP_DAYS:
            return None
        return self.finished_at + timedelta(days=settings.UPLOAD_KEEP_DAYS)


class OwnPostcodes(models.Model):
    """The postcodes that the file itself has for some rows, if it has such a column. Not in the upload: nobody but its
    loader, and whoever ends it, reads this."""

    # Without a constraint: a process of the version before, which does not know the table, may delete the upload.
    upload = models.OneToOneField(Upload, primary_key=True, on_delete=models.CASCADE, db_constraint=False)
    # [[row number, outcodes with blanks between], …], at most 200 of all over the file.
    rows = models.JSONField()

    def __str__(self) -> str:
        return f"{len(self.rows)} rows of upload {self.upload_id}"


class Delivery(models.Model):
    """The end of an upload, as its `webhook_url` is told of it: the same words under the same id, until they arrive.

    Made by `uploads.work.webhooks`, in the transaction of that end; sent by `uploads.work.delivering`.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE)
    event = models.CharField(max_length=10, choices=UploadState)
    body = models.TextField()
    created_at = models.DateTimeField("created", db_default=Now())
    # While somebody sends it, the end of their lease; null: nobody will any more.
    due_at = models.DateTimeField("due", null=True, db_default=Now())
    delivered_at = models.DateTimeField("delivered", null=True)
    # Counted at the claim, so it is also the fence.
    attempts = models.IntegerField(default=0)
    # The last ones: [{"at", "status", "detail", "milliseconds"}, …]
    answers = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["due_at"], name="delivery_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.event} of upload {self.upload_id}"

    @property
    def state(self) -> str:
        if self.delivered_at is not None:
            return "delivered"
        return "given_up" if self.due_at is None else "waiting"


class WebhookSecret(models.Model):
    """What the webhooks of an owner are signed with; with AUTH=off, and of nobody, those of uploads without an owner.

    Not a hash, as that of an API key: both sides need it.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, db_index=False)
    secret = models.CharField(max_length=64)
    made_at = models.DateTimeField("made", db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(Coalesce("owner", Value(0)), name="webhooksecret_of_owner")]

    def __str__(self) -> str:
        return f"webhook secret of {self.owner or 'all'}"


class SourceKind(models.TextChoices):
    FOLDER = "folder", "folder: a folder below IMPORT_DIR"
    ADDRESS = "address", "address: one file at an http(s) address"


class Source(models.Model):
    """Where new and changed files are looked for, every so many minutes. `uploads.accepting.ingest` looks."""

    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=7, choices=SourceKind, default=SourceKind.FOLDER)
    place = models.CharField(max_length=2_000, help_text="The folder, as its path below IMPORT_DIR; or the address.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Whose uploads they become. Empty: nobody's, for AUTH=off.",
    )
    pattern = models.CharField(
        max_length=200,
        default="*",
        help_text="Of a folder: paths in it, such as *.csv or 2026/*.xlsx; * is any text.",
    )
    options = models.JSONField(
        default=dict, blank=True, help_text='Options of its uploads, such as {"max_distance": "500"}.'
    )
    minutes = models.PositiveIntegerField("every … minutes", default=10)
    quiet_seconds = models.PositiveIntegerField(
        default=10, help_text="A file of a folder is taken when it has not changed for so many seconds."
    )
    enabled = models.BooleanField(default=True)
    due_at = models.DateTimeField("due", db_default=Now(), editable=False)
    looked_at = models.DateTimeField("last look", null=True, editable=False)
    # Why the last look did not come to its end; empty: it did.
    error = models.TextField("last error", db_default="", editable=False)

    def __str__(self) -> str:
        return self.name


class SourceFileState(models.TextChoices):
    NEW = "new", "new: it may still be written"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class SourceFile(models.Model):
    """A file of a source, as it was seen last, and what became of it."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE)
    # Within the folder; of an address empty.
    path = models.CharField(max_length=1_000)
    # What tells of a change without reading it: size and times, or what the server says.
    stamp = models.CharField(max_length=300)
    seen_at = models.DateTimeField("seen so since", db_default=Now())
    state = models.CharField(max_length=8, choices=SourceFileState, default=SourceFileState.NEW)
    # Of the content that was accepted or refused last.
    sha256 = models.CharField(max_length=64)
    upload_id = models.UUIDField("upload", null=True)
    detail = models.TextField("why refused")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="sourcefile_once")]

    def __str__(self) -> str:
        return self.path or self.source.name


class SpentRows(models.Model):
    """The rows of a deleted upload: they count as those of a day for as long as they would if it were still there."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    accepted_at = models.DateTimeField()
    rows = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["owner", "accepted_at"], name="spentrows_of_owner")]

    def __str__(self) -> str:
        return f"{self.rows} rows of {self.accepted_at}"


class Chunk(models.Model):
    """A run of rows of one upload: the unit of work. Its lease and fence are the truth about who works on it."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE)
    first_row = models.BigIntegerField()
    row_count = models.IntegerField()
    state = models.CharField(max_length=6, choices=ChunkState, default=ChunkState.READY)
    # Its place in the queue of all uploads: workers take the smallest (`uploads.work.turns`).
    turn = models.BigIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # Who claimed it last, and when rows of it last got an answer: for people only.
    worker = models.CharField(max_length=100, db_default="")
    answered_at = models.DateTimeField(null=True)
    # Rows by outcome. The upload's counts are their sums: nothing that all workers would have to lock in turn.
    matched = models.IntegerField(default=0)
    no_match = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["turn", "id"], name="chunk_turn", condition=models.Q(state__in=OPEN_CHUNK_STATES)),
            # The few that have failed rows.
            models.Index(fields=["upload"], name="chunk_failed", condition=models.Q(failed__gt=0)),
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

    The id is `area_id` of the names, so that whoever writes a row knows it without asking.
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


#: The bits of an area's id that tell it from the others of its district.
AREA_BITS = 43
_COUNTRY_BITS, _DISTRICT_BITS = 8, 12


@functools.lru_cache(maxsize=50_000)
def area_id(names: AreaNames) -> int:
    """A number for these names, of 63 bits: two areas will not share one. The areas of a country are a run of numbers,
    and so are those of a district in it; where two countries, or two districts, share a run, that costs time only."""
    country, _, district, _ = names
    within = _hash((country,), _COUNTRY_BITS) << _DISTRICT_BITS | _hash((country, district), _DISTRICT_BITS)
    return within << AREA_BITS | _hash(names, AREA_BITS)


def _hash(names: tuple[str | None, ...], bits: int) -> int:
    digest = blake2b(repr(names).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 64 - bits


def outcode_of(postcode: str) -> str:
    """The outward part of a postcode: SW1A of SW1A 1AA."""
    return postcode.partition(" ")[0]


class Row(models.Model):
    """One record of an upload and its answer. Created and updated in bulk only: see uploads.rows.bulk.

    No index but the primary key: PostgreSQL updates a row in its place (HOT) only if no index has, in its columns or
    its condition, what the update changes. Rows are found through `IndexBlock`.
    """

    id = RowIdField(primary_key=True)
    # Constraints would halve the speed of writing; the chunk's transaction keeps what they would keep.
    upload = models.ForeignKey(Upload, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    status = models.SmallIntegerField(choices=RowStatus, default=RowStatus.PENDING)
    reason = models.CharField(max_length=40, null=True)  # noqa: DJ001
    postcode = models.CharField(max_length=8, null=True)  # noqa: DJ001
    distance_m = models.FloatField(null=True)
    area = models.ForeignKey(Area, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    # Rejected rows only: the line (from 1) and the first 1,000 characters of the record.
    line = models.BigIntegerField(null=True)
    raw = models.TextField(null=True)  # noqa: DJ001

    def __str__(self) -> str:
        return f"row {self.number} of upload {self.upload_id}"

    @property
    def number(self) -> int:
        """The row's number in its upload, from 1."""
        return row_number(self.id)


class IndexKind(models.IntegerChoices):
    """What rows are found by, and the key of a row (`uploads.rows.keys`)."""

    STATUS = 1, "status"
    AREA = 2, "area"
    POSTCODE = 3, "postcode"
    CELL = 4, "cell"
    REASON = 5, "reason"


class IndexBlock(models.Model):
    """Some of the entries (key, row number) of one kind, sorted: part of the row index of an upload that has ended.

    The index is written segment by segment: a segment is a run of rows, whose entries are sorted together. Blocks of a
    thousand entries cost a fifth of the space and less than half of the time that plain rows would (decision 18).
    """

    pk = models.CompositePrimaryKey("upload", "kind", "segment", "last_key", "first_key", "first_row")
    upload = models.ForeignKey(Upload, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.SmallIntegerField(choices=IndexKind)
    # The number of the segment's first row.
    segment = models.BigIntegerField()
    first_key = models.BigIntegerField()
    last_key = models.BigIntegerField()
    # The row of the first entry.
    first_row = models.BigIntegerField()
    # Row numbers, 4 bytes each; the keys, as what is to be added to `first_key`, in 0, 1, 2, 4 or 8 bytes each.
    rows = models.BinaryField()
    keys = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} from row {self.segment} of upload {self.upload_id}"


class TotalKind(models.IntegerChoices):
    """What rows are counted by."""

    #: Of a segment, by all that the totals of the upload are made of in the end.
    SEGMENT = 0, "segment"
    POSTCODE = 1, "postcode"
    OUTCODE = 2, "outcode"
    ADMIN_DISTRICT = 3, "admin_district"
    REGION = 4, "region"
    COUNTRY = 5, "country"
    STATUS = 6, "status"
    REASON = 7, "reason"
    DISTANCE = 8, "distance"


class TotalBlock(models.Model):
    """Some totals of one kind, the largest first, as JSON: `[[values], [rows]]`. Written with the row index."""

    pk = models.CompositePrimaryKey("upload", "kind", "first")
    upload = models.ForeignKey(Upload, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.SmallIntegerField(choices=TotalKind)
    # The rank of the first one, from 1; of what a segment has, the number of its first row.
    first = models.BigIntegerField()
    body = models.TextField()

    def __str__(self) -> str:
        return f"totals by {self.get_kind_display()} from {self.first} of upload {self.upload_id}"


class MapPart(models.Model):
    """Where some rows that follow each other lie, or what became of them: of these an upload's map is made.

    Written in the transaction that writes the rows, and never changed: of what became of a row the last part says it.
    """

    upload = models.ForeignKey(Upload, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    first_row = models.BigIntegerField()
    # 4 bytes a row (`uploads.rows.cells`); a byte a row, a `RowStatus` or that it is as it was. Null: not told here.
    cells = models.BinaryField(null=True)
    statuses = models.BinaryField(null=True)

    class Meta:
        indexes = [models.Index(fields=["upload", "first_row"], name="mappart_of_upload")]

    def __str__(self) -> str:
        return f"from row {self.first_row} of upload {self.upload_id}"


class Scope(models.TextChoices):
    """What an API key may do."""

    LOOKUP = "lookup", "lookup: ask for the postcodes of locations"
    READ = "read", "read: see uploads, rows, results and postcodes"
    UPLOAD = "upload", "upload: send files; pause, resume, cancel, retry and delete uploads"
    ADMIN = "admin", "admin: everything"


class ApiKey(models.Model):
    """A key of a user's; a user may have several, so that a new one is in use before the old one is deleted.

    Made and deleted by `uploads.api_keys`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=100, blank=True, help_text="What it is for, or where it is used.")
    prefix = models.CharField("key", max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    created_at = models.DateTimeField("created", db_default=Now())
    ends_at = models.DateTimeField(
        "ends", null=True, blank=True, help_text="In UTC. Empty: it is valid until it is deleted."
    )
    last_used_at = models.DateTimeField("last used", null=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()

    @property
    def allowed(self) -> list[str]:
        """The scopes, spelt out: `admin` has all of them."""
        return list(Scope.values) if Scope.ADMIN in self.scopes else self.scopes


class AuditAction(models.TextChoices):
    LOGIN = "login", "logged in"
    LOGIN_FAILED = "login_failed", "failed to log in"
    KEY_MADE = "key_made", "key made"
    KEY_DELETED = "key_deleted", "key deleted"
    UPLOAD_ACCEPTED = "upload_accepted", "upload accepted"
    UPLOAD_CANCELLED = "upload_cancelled", "upload cancelled"
    UPLOAD_PAUSED = "upload_paused", "upload paused"
    UPLOAD_RESUMED = "upload_resumed", "upload resumed"
    UPLOAD_RETRIED = "upload_retried", "upload retried"
    UPLOAD_DELETED = "upload_deleted", "upload deleted"
    DELIVERY_AGAIN = "delivery_again", "webhook sent again"
    SECRET_REPLACED = "secret_replaced", "webhook secret replaced"
    USER_INACTIVE = "user_inactive", "user switched off"
    USER_ACTIVE = "user_active", "user switched on"
    USER_DELETED = "user_deleted", "user deleted"
    UPSTREAM_PAUSED = "upstream_paused", "calls upstream paused"
    BREAKER_CLOSED = "breaker_closed", "breaker closed"


class AuditVia(models.TextChoices):
    API = "api", "API"
    ADMIN = "admin", "admin"
    PAGE = "page", "page"
    SERVER = "server", "server: a command, or the service itself"


class AuditEntry(models.Model):
    """That somebody did something. Written by `uploads.audit`. One index, by which an upload's history is found."""

    at = models.DateTimeField("when", db_default=Now())
    action = models.CharField("what", max_length=20, choices=AuditAction)
    # The id of an upload, the beginning of a key, the name of a user.
    object = models.CharField(max_length=150)
    via = models.CharField("way in", max_length=6, choices=AuditVia)
    # Stays when the user is deleted.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=12, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=128)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["object"], name="auditentry_of_object")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object}"


class WorkMinute(models.Model):
    """The rows that one worker wrote in one minute, by result: what the charts of the admin are drawn from, and which
    workers there are. Written and removed by `uploads.work.minutes`."""

    # Unix time in minutes.
    minute = models.BigIntegerField()
    worker = models.CharField(max_length=100)
    matched = models.BigIntegerField()
    no_match = models.BigIntegerField()
    failed = models.BigIntegerField()
    rejected = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["minute"], name="workminute_of_minute")]

    def __str__(self) -> str:
        return f"minute {self.minute} of {self.worker}"
