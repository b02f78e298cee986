from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="FailedLogins",
            fields=[
                ("who", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.SmallIntegerField(default=0)),
                ("last_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
