"""Lists of rows by postcode area, also of those that are there already, in place of an index (docs/decisions/0016)."""

from itertools import groupby
from typing import Any

from django.db import migrations, models

from uploads.rows.by_postcode import entries_by_postcode_area

#: Rows that are read at once: as many as are answered together.
_SLICE = 20_000
_ROW_BITS = 32


def fill_lists(apps: Any, schema_editor: Any) -> None:
    """Slice by slice along the primary key."""
    using = schema_editor.connection.alias
    rows, lists = (apps.get_model("uploads", name).objects.using(using) for name in ("Row", "PostcodeList"))
    matched = rows.filter(postcode__isnull=False).order_by("id").values_list("id", "postcode_id")
    last = -1
    while found := list(matched.filter(id__gt=last)[:_SLICE]):
        for _, part in groupby(found, key=lambda row: row[0] >> _ROW_BITS):
            lists.bulk_create(
                lists.model(first_id=first_id, postcode_area=area, entries=entries)
                for first_id, area, entries in entries_by_postcode_area(*zip(*part, strict=True))
            )
        last = found[-1][0]


def keep_entries_as_they_are(apps: Any, schema_editor: Any) -> None:
    """They do not become smaller by compressing."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE uploads_postcodelist ALTER COLUMN entries SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0006_location_cells"),
    ]

    operations = [
        migrations.CreateModel(
            name="PostcodeList",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "first_id", "postcode_area", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first_id", models.BigIntegerField()),
                ("postcode_area", models.IntegerField()),
                ("entries", models.BinaryField()),
            ],
            options={"indexes": [models.Index(fields=["postcode_area", "first_id"], name="postcode_list")]},
        ),
        migrations.RunPython(keep_entries_as_they_are, migrations.RunPython.noop),
        migrations.RunPython(fill_lists, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="row", name="row_postcode"),
    ]
