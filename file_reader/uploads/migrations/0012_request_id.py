from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0011_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="request_id",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=128),
        ),
    ]
