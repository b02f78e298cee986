from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0004_quotas")]

    operations = [
        migrations.AddField(model_name="upload", name="rows_west", field=models.BigIntegerField(db_default=0)),
    ]
