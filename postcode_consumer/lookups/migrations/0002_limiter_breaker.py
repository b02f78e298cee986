from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lookups", "0001_initial")]

    operations = [
        migrations.AddField(model_name="limiter", name="probe_until", field=models.FloatField(default=0.0)),
        migrations.AddField(model_name="limiter", name="silence", field=models.FloatField(default=0.0)),
    ]
