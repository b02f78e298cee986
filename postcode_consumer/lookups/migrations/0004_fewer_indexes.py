from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("lookups", "0003_memory")]

    operations = [
        migrations.RemoveIndex("knownlocation", "known_by_postcode"),
        migrations.RemoveIndex("postcode", "postcode_by_outcode"),
    ]
