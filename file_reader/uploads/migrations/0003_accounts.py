import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0002_turns"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="upload",
            name="owner",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(blank=True, help_text="What it is for, or where it is used.", max_length=100),
                ),
                ("prefix", models.CharField(max_length=12, verbose_name="key")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("scopes", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="created"),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="In UTC. Empty: it is valid until it is deleted.",
                        null=True,
                        verbose_name="ends",
                    ),
                ),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="last used")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "API key",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="when")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("login", "logged in"),
                            ("login_failed", "failed to log in"),
                            ("key_made", "key made"),
                            ("key_deleted", "key deleted"),
                            ("upload_accepted", "upload accepted"),
                            ("upload_cancelled", "upload cancelled"),
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
                ("object", models.CharField(max_length=150)),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("api", "API"),
                            ("admin", "admin"),
                            ("server", "server: a command, or the service itself"),
                        ],
                        max_length=6,
                        verbose_name="way in",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=12)),
                ("address", models.GenericIPAddressField(null=True)),
                ("request_id", models.CharField(max_length=128)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
            },
        ),
    ]
