"""The usual way: one call a row, and Django's bulk_create and bulk_update, in one process."""

import argparse
import csv
import itertools
import time
from pathlib import Path

import dj_database_url
import django
import requests
from django.conf import settings

_BATCH = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--database", required=True, help="as DATABASE_URL")
    parser.add_argument("--consumer", required=True)
    parser.add_argument("--token", required=True)
    options = parser.parse_args()
    settings.configure(DATABASES={"default": dj_database_url.parse(options.database)}, USE_TZ=True)
    django.setup()
    from django.db import connection, models

    class UsualRow(models.Model):
        latitude = models.FloatField()
        longitude = models.FloatField()
        postcode = models.CharField(max_length=8, null=True, db_index=True)  # noqa: DJ001
        distance_m = models.FloatField(null=True)
        status = models.CharField(max_length=10, default="pending")

        class Meta:
            app_label = "usual"

        def __str__(self) -> str:
            return str(self.pk)

    with connection.schema_editor() as editor:
        if UsualRow._meta.db_table in connection.introspection.table_names():
            editor.delete_model(UsualRow)
    with connection.schema_editor() as editor:
        editor.create_model(UsualRow)

    began = time.perf_counter()
    with options.file.open(newline="") as file:
        records = list(itertools.islice(csv.DictReader(file), options.rows))
    rows = [UsualRow(latitude=float(record["lat"]), longitude=float(record["lon"])) for record in records]
    UsualRow.objects.bulk_create(rows, batch_size=_BATCH)
    with requests.Session() as session:
        session.headers["X-Internal-Token"] = options.token
        for row in rows:
            answer = session.get(
                f"{options.consumer}/api/v1/reverse-geocode/",
                params={"latitude": row.latitude, "longitude": row.longitude},
                timeout=30,
            ).json()
            row.postcode, row.distance_m, row.status = answer["postcode"], answer["distance_m"], answer["status"]
    UsualRow.objects.bulk_update(rows, ["postcode", "distance_m", "status"], batch_size=_BATCH)
    print(f"{len(rows)} {time.perf_counter() - began:.3f}")


if __name__ == "__main__":
    main()
