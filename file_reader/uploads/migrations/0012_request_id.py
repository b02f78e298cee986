from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("uploads", "0009_page_in_the_audit_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="request_id",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=128),
        ),
    ]
