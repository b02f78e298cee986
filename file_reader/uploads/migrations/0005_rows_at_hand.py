from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0004_areas"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="row",
            index=models.Index(condition=models.Q(("status__gte", 2)), fields=["status", "id"], name="row_rare_status"),
        ),
    ]
