import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0014_reasons_in_the_row_index")]

    operations = [
        migrations.CreateModel(
            name="OwnPostcodes",
            fields=[
                (
                    "upload",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="uploads.upload",
                    ),
                ),
                ("rows", models.JSONField()),
            ],
        ),
        migrations.AddField(model_name="upload", name="own_postcodes", field=models.JSONField(null=True)),
    ]
