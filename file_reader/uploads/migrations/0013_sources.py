import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0012_request_id"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("folder", "folder: a folder below IMPORT_DIR"),
                            ("address", "address: one file at an http(s) address"),
                        ],
                        default="folder",
                        max_length=7,
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        help_text="The folder, as its path below IMPORT_DIR; or the address.", max_length=2000
                    ),
                ),
                (
                    "pattern",
                    models.CharField(
                        default="*",
                        help_text="Of a folder: paths in it, such as *.csv or 2026/*.xlsx; * is any text.",
                        max_length=200,
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        blank=True, default=dict, help_text='Options of its uploads, such as {"max_distance": "500"}.'
                    ),
                ),
                ("minutes", models.PositiveIntegerField(default=10, verbose_name="every … minutes")),
                (
                    "quiet_seconds",
                    models.PositiveIntegerField(
                        default=10, help_text="A file of a folder is taken when it has not changed for so many seconds."
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="due"
                    ),
                ),
                ("looked_at", models.DateTimeField(editable=False, null=True, verbose_name="last look")),
                ("error", models.TextField(db_default="", editable=False, verbose_name="last error")),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Whose uploads they become. Empty: nobody's, for AUTH=off.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SourceFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=1000)),
                ("stamp", models.CharField(max_length=300)),
                (
                    "seen_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="seen so since"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "new: it may still be written"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                        ],
                        default="new",
                        max_length=8,
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("upload_id", models.UUIDField(null=True, verbose_name="upload")),
                ("detail", models.TextField(verbose_name="why refused")),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="uploads.source")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "path"), name="sourcefile_once")],
            },
        ),
    ]
