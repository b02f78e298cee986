import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import uploads.models


def tune_postgresql(apps, schema_editor):
    """What Django's models cannot say; SQLite needs none of it.

    Every row is written twice, and its second version has room on the page of the first: 45 pending rows of 76 bytes and
    their answers, of at most 104 bytes, fill a page. Postcodes are compared byte by byte, so that those of an outcode are
    a run. Blocks of the row index do not become smaller by compressing.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE uploads_row SET (fillfactor = 42)")
        schema_editor.execute('ALTER TABLE uploads_row ALTER COLUMN postcode TYPE varchar(8) COLLATE "C"')
        for blob in ("rows", "keys"):
            schema_editor.execute(f"ALTER TABLE uploads_indexblock ALTER COLUMN {blob} SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Area",
            fields=[
                ("id", uploads.models.RowIdField(primary_key=True, serialize=False)),
                ("country", models.CharField(max_length=40, null=True)),
                ("region", models.CharField(max_length=80, null=True)),
                ("admin_district", models.CharField(max_length=120, null=True)),
                ("admin_ward", models.CharField(max_length=120, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("idempotency_key", models.CharField(editable=False, max_length=300, null=True, unique=True)),
                ("filename", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("table_size", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("loading", "Loading"),
                            ("geocoding", "Geocoding"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("dialect", models.JSONField()),
                ("max_distance", models.FloatField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("error", models.JSONField(null=True)),
                ("waiting_since", models.DateTimeField(null=True)),
                ("waiting_reason", models.CharField(db_default="", max_length=40)),
                ("waiting_detail", models.TextField(db_default="")),
                ("rows_indexed", models.BigIntegerField(default=0)),
                ("indexed_at", models.DateTimeField(null=True)),
                ("rows_loaded", models.BigIntegerField(default=0)),
                ("bytes_loaded", models.BigIntegerField(default=0)),
                ("rows_swapped", models.BigIntegerField(db_default=0)),
                ("rows_west", models.BigIntegerField(db_default=0)),
                ("fence", models.BigIntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Row",
            fields=[
                ("id", uploads.models.RowIdField(primary_key=True, serialize=False)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                (
                    "status",
                    models.SmallIntegerField(
                        choices=[(0, "pending"), (1, "match"), (2, "no_match"), (3, "failed"), (4, "rejected")],
                        default=0,
                    ),
                ),
                ("reason", models.CharField(max_length=40, null=True)),
                ("postcode", models.CharField(max_length=8, null=True)),
                ("distance_m", models.FloatField(null=True)),
                ("line", models.BigIntegerField(null=True)),
                ("raw", models.TextField(null=True)),
                (
                    "area",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="uploads.area",
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="uploads.upload",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IndexBlock",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "upload",
                        "kind",
                        "segment",
                        "last_key",
                        "first_key",
                        "first_row",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.SmallIntegerField(choices=[(1, "status"), (2, "area"), (3, "postcode"), (4, "cell")])),
                ("segment", models.BigIntegerField()),
                ("first_key", models.BigIntegerField()),
                ("last_key", models.BigIntegerField()),
                ("first_row", models.BigIntegerField()),
                ("rows", models.BinaryField()),
                ("keys", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="uploads.upload",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_row", models.BigIntegerField()),
                ("row_count", models.IntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Ready"),
                            ("leased", "Leased"),
                            ("done", "Done"),
                            ("split", "Split"),
                            ("dead", "Dead"),
                        ],
                        default="ready",
                        max_length=6,
                    ),
                ),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("fence", models.BigIntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("matched", models.IntegerField(default=0)),
                ("no_match", models.IntegerField(default=0)),
                ("failed", models.IntegerField(default=0)),
                ("rejected", models.IntegerField(default=0)),
                ("upload", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="uploads.upload")),
            ],
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["owner", "id"], name="upload_of_owner"),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(condition=models.Q(("indexed_at", None)), fields=["id"], name="upload_unindexed"),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("state__in", ("ready", "leased"))), fields=["id"], name="chunk_open"
            ),
        ),
        migrations.RunPython(tune_postgresql, migrations.RunPython.noop),
    ]
