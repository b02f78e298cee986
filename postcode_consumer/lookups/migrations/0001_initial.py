"""The limiter's table."""

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
            ],
        ),
    ]
