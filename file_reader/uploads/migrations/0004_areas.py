"""The names of areas move to a table of their own, and postcodes are compared byte by byte, and a row's id becomes
SQLite's rowid (docs/decisions/0012)."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from uploads.models import RowIdField, area_id

_NAMES = ("country", "region", "admin_district", "admin_ward")


def name_areas(apps: Any, schema_editor: Any) -> None:
    postcodes, areas = apps.get_model("uploads", "Postcode").objects, apps.get_model("uploads", "Area").objects
    for names in postcodes.values_list(*_NAMES).order_by().distinct():
        area = areas.create(id=area_id(names), **dict(zip(_NAMES, names, strict=True)))
        known = {name: value for name, value in zip(_NAMES, names, strict=True) if value is not None}
        unknown = {f"{name}__isnull": True for name, value in zip(_NAMES, names, strict=True) if value is None}
        postcodes.filter(**known, **unknown).update(area_id=area.pk)


def name_areas_of_rows(apps: Any, schema_editor: Any) -> None:
    rows, postcodes = (apps.get_model("uploads", name).objects for name in ("Row", "Postcode"))
    area = postcodes.filter(postcode=models.OuterRef("postcode_id")).values("area_id")
    rows.exclude(postcode=None).update(area_id=models.Subquery(area))


def compare_bytes(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return  # SQLite always does
    for table in ("uploads_postcode", "uploads_row"):
        schema_editor.execute(f'ALTER TABLE {table} ALTER COLUMN postcode TYPE varchar(8) COLLATE "C"')
    with schema_editor.connection.cursor() as cursor:
        # Django's second index, which serves prefixes in other collations.
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'uploads_postcode'::regclass"
            " AND NOT indisprimary AND indkey[0] = (SELECT attnum FROM pg_attribute"
            " WHERE attrelid = indrelid AND attname = 'postcode')"
        )
        for (name,) in cursor.fetchall():
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0003_reading"),
    ]

    operations = [
        migrations.CreateModel(
            name="Area",
            fields=[
                ("id", RowIdField(primary_key=True, serialize=False)),
                ("country", models.CharField(max_length=40, null=True)),
                ("region", models.CharField(max_length=80, null=True)),
                ("admin_district", models.CharField(max_length=120, null=True)),
                ("admin_ward", models.CharField(max_length=120, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="postcode",
            name="area",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="uploads.area",
            ),
        ),
        migrations.RunPython(name_areas),
        *(migrations.RemoveField(model_name="postcode", name=name) for name in ("outcode", "incode", *_NAMES)),
        migrations.AlterField(
            model_name="postcode",
            name="area",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, to="uploads.area"
            ),
        ),
        migrations.AddField(
            model_name="row",
            name="area",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="uploads.area",
            ),
        ),
        migrations.RunPython(name_areas_of_rows),
        migrations.AlterField("row", "id", RowIdField(primary_key=True, serialize=False)),
        migrations.RunPython(compare_bytes),
    ]
