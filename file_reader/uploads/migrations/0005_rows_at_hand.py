from django.db import migrations, models

import uploads.models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0003_reading"),
    ]

    operations = [
        migrations.AlterField(
            model_name="row",
            name="id",
            field=uploads.models.RowIdField(primary_key=True, serialize=False),
        ),
        migrations.AddIndex(
            model_name="row",
            index=models.Index(condition=models.Q(("status__gte", 2)), fields=["status", "id"], name="row_rare_status"),
        ),
    ]
