from django.db import migrations, models
from django.db.models import F


def have_indexes_written(apps, schema_editor):
    """Workers write the row index of all that has ended anew, with the reasons; until then its rows are walked through.
    Whoever is writing one is refused."""
    Upload = apps.get_model("uploads", "Upload")
    ended = Upload.objects.filter(state__in=("done", "failed", "cancelled"))
    ended.update(indexed_at=None, rows_indexed=0, reasons=None, lease_until=None, fence=F("fence") + 1)


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0013_sources"),
    ]

    operations = [
        migrations.AlterField(
            model_name="indexblock",
            name="kind",
            field=models.SmallIntegerField(
                choices=[(1, "status"), (2, "area"), (3, "postcode"), (4, "cell"), (5, "reason")]
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="options",
            field=models.JSONField(null=True),
        ),
        migrations.RunPython(have_indexes_written, migrations.RunPython.noop),
    ]
