"""All tables of the first release: the limiter, the known locations with their postcodes, and the claims."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Limiter",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("free_at", models.FloatField()),
                ("paused_until", models.FloatField()),
                ("seen_at", models.FloatField()),
                ("probe_until", models.FloatField(default=0.0)),
                ("silence", models.FloatField(default=0.0)),
            ],
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "latitude",
                        "longitude",
                        "provider",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("provider", models.CharField(max_length=40)),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("owner", models.BigIntegerField()),
                ("until", models.FloatField()),
            ],
            options={
                "indexes": [models.Index(fields=["owner"], name="claim_by_owner")],
            },
        ),
        migrations.CreateModel(
            name="KnownLocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
                ("postcode", models.CharField(max_length=16, null=True)),
                ("distance_m", models.FloatField(null=True)),
                ("searched_m", models.IntegerField()),
                ("looked_up_at", models.BigIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["looked_up_at"], name="known_by_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("latitude", "longitude", "provider"), name="known_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Postcode",
            fields=[
                ("postcode", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("outcode", models.CharField(max_length=8)),
                ("incode", models.CharField(max_length=8)),
                ("country", models.TextField(null=True)),
                ("region", models.TextField(null=True)),
                ("admin_district", models.TextField(null=True)),
                ("admin_ward", models.TextField(null=True)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
            ],
        ),
    ]
