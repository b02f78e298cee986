import django.db.models.deletion
import numpy as np
from django.db import migrations, models

from uploads.rows.cells import NOWHERE, cells_of

_ROWS = 100_000


def make_maps_and_have_totals_written(apps, schema_editor):
    """The maps of the rows that are there. Workers write the row index of all that has ended anew, and with it the
    totals; until then its rows are walked through."""
    Upload, Row, MapPart = (apps.get_model("uploads", name) for name in ("Upload", "Row", "MapPart"))
    Upload.objects.update(indexed_at=None, rows_indexed=0)
    for upload, rows_loaded in Upload.objects.values_list("pk", "rows_loaded"):
        for first in range(1, rows_loaded + 1, _ROWS):
            ids = (upload << 32) + first, (upload << 32) + first + _ROWS - 1
            rows = Row.objects.filter(id__range=ids).order_by("id").values_list("status", "latitude", "longitude")
            statuses, latitudes, longitudes = np.array(list(rows), float).reshape(-1, 3).T
            located = ~np.isnan(latitudes)
            cells = np.full(len(statuses), NOWHERE, "<u4")
            cells[located] = cells_of(latitudes[located], longitudes[located])
            MapPart.objects.create(
                upload_id=upload,
                first_row=first,
                cells=cells.tobytes(),
                statuses=statuses.astype(np.uint8).tobytes(),
            )


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0006_second_look"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="reasons",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="turns_behind",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(
                choices=[
                    ("login", "logged in"),
                    ("login_failed", "failed to log in"),
                    ("key_made", "key made"),
                    ("key_deleted", "key deleted"),
                    ("upload_accepted", "upload accepted"),
                    ("upload_cancelled", "upload cancelled"),
                    ("upload_paused", "upload paused"),
                    ("upload_resumed", "upload resumed"),
                    ("upload_retried", "upload retried"),
                    ("upload_deleted", "upload deleted"),
                    ("user_inactive", "user switched off"),
                    ("user_active", "user switched on"),
                    ("user_deleted", "user deleted"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
        migrations.CreateModel(
            name="TotalBlock",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "upload", "kind", "first", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.SmallIntegerField(
                        choices=[
                            (0, "segment"),
                            (1, "postcode"),
                            (2, "outcode"),
                            (3, "admin_district"),
                            (4, "region"),
                            (5, "country"),
                            (6, "status"),
                            (7, "reason"),
                            (8, "distance"),
                        ]
                    ),
                ),
                ("first", models.BigIntegerField()),
                ("body", models.TextField()),
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
            name="MapPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_row", models.BigIntegerField()),
                ("cells", models.BinaryField(null=True)),
                ("statuses", models.BinaryField(null=True)),
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
            options={
                "indexes": [models.Index(fields=["upload", "first_row"], name="mappart_of_upload")],
            },
        ),
        migrations.RunPython(make_maps_and_have_totals_written, migrations.RunPython.noop),
    ]
