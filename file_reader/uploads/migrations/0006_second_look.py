from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0005_rows_west")]

    operations = [
        migrations.AddField(model_name="upload", name="rows_at_sea", field=models.BigIntegerField(db_default=0)),
        migrations.AddField(model_name="upload", name="doubt", field=models.CharField(db_default="", max_length=40)),
    ]
