"""Migrations: the code before them goes on working meanwhile; and a database in use becomes today's."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django_migration_linter import MigrationLinter
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

import uploads
from uploads.files.stored import path_of
from uploads.models import Upload
from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared

#: From before this was looked at: nobody has a database that they still have before them.
OLDER = ["0002_turns", "0007_totals"]
CSV = "name,lat,lon\nPalace,51.501009,-0.141588\n"


@pytest.mark.django_db(transaction=True)
def test_migrations_may_run_while_the_code_before_them_works() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite copies the table, and the linter does not see the defaults there")
    apps = ["uploads", "logins", "maintenance"]
    linter = MigrationLinter(
        str(Path(uploads.__file__).parents[1]), include_apps=apps, ignore_name=OLDER, no_cache=True
    )
    linter.lint_all_migrations()
    assert linter.nb_total > 5
    assert not linter.has_errors


@pytest.mark.django_db(transaction=True)
def test_an_upload_in_progress_is_finished_after_an_upgrade(consumer: FakePostcodeConsumer, data_dir: Path) -> None:
    """A database from before sources, with an upload that its workers had begun to load."""
    call_command("migrate", "uploads", "0012", verbosity=0)
    try:
        dialect = detect_dialect(CSV.encode(), Declared())
        upload = Upload(
            filename="a.csv",
            size=len(CSV),
            table_size=len(CSV),
            sha256="",
            max_distance=2_000,
            dialect=dialect.as_json(),
        )
        path = path_of(upload.public_id)
        path.parent.mkdir(parents=True)
        path.write_text(CSV)
        upload.save()
        Upload.objects.update(state="loading", fence=3, attempts=1)  # killed a moment ago
        with connection.cursor() as cursor:
            assert "uploads_source" not in connection.introspection.table_names(cursor)
    finally:
        call_command("migrate", verbosity=0)
    Upload.objects.update(lease_until=Now())
    work_until_ended()
    assert Upload.objects.get().state == "done"
