from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="chunk", name="chunk_open"),
        migrations.AddField(model_name="chunk", name="turn", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="upload", name="turn", field=models.BigIntegerField(default=0)),
        migrations.AlterField(
            model_name="chunk",
            name="state",
            field=models.CharField(
                choices=[
                    ("ready", "Ready"),
                    ("leased", "Leased"),
                    ("done", "Done"),
                    ("split", "Split"),
                    ("dead", "Dead"),
                    ("void", "Void"),
                ],
                default="ready",
                max_length=6,
            ),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(
                condition=models.Q(("state__in", ("ready", "leased"))), fields=["turn", "id"], name="chunk_turn"
            ),
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at", "id"], name="upload_deleted"
            ),
        ),
    ]
