"""Where rows are, also those that are there already (docs/decisions/0013)."""

from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import migrations, models

from uploads.rows.by_place import entries_by_cell

#: Rows that are read at once: as many as are loaded together.
_SLICE = 80_000


def fill_cells(apps: Any, schema_editor: Any) -> None:
    """Slice by slice along the primary key; what is loaded later has other first ids."""
    using = schema_editor.connection.alias
    rows, cells = (apps.get_model("uploads", name).objects.using(using) for name in ("Row", "LocationCell"))
    located = rows.filter(latitude__isnull=False).order_by("id").values_list("id", "upload_id", "latitude", "longitude")
    last = -1
    while found := list(located.filter(id__gt=last)[:_SLICE]):
        for _, part in groupby(found, key=itemgetter(1)):
            cells.bulk_create(
                cells.model(first_id=first_id, cell=cell, entries=entries)
                for first_id, cell, entries in entries_by_cell(list(part))
            )
        last = found[-1][0]


def keep_entries_as_they_are(apps: Any, schema_editor: Any) -> None:
    """They do not become smaller by compressing."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE uploads_locationcell ALTER COLUMN entries SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0005_rows_at_hand"),
    ]

    operations = [
        migrations.CreateModel(
            name="LocationCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "first_id", "cell", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first_id", models.BigIntegerField()),
                ("cell", models.IntegerField()),
                ("entries", models.BinaryField()),
            ],
            options={"indexes": [models.Index(fields=["cell", "first_id"], name="location_cell")]},
        ),
        migrations.RunPython(keep_entries_as_they_are, migrations.RunPython.noop),
        migrations.RunPython(fill_cells, migrations.RunPython.noop),
    ]
