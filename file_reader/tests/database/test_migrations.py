"""Migrations: the code before them goes on working meanwhile; and a database in use becomes today's."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now
from django_migration_linter import MigrationLinter
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.row_sets import make_upload, write_indexes
from tests.working import work_until_ended

import uploads
from uploads.files.stored import path_of
from uploads.models import IndexBlock, IndexKind, Upload
from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages

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
        state = MigrationLoader(connection).project_state(("uploads", "0012_request_id"))
        uploads_before = state.apps.get_model("uploads", "Upload")
        upload = uploads_before(
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
        uploads_before.objects.update(state="loading", fence=3, attempts=1)  # killed a moment ago
        with connection.cursor() as cursor:
            assert "uploads_source" not in connection.introspection.table_names(cursor)
    finally:
        call_command("migrate", verbosity=0)
    Upload.objects.update(lease_until=Now())
    work_until_ended()
    assert Upload.objects.get().state == "done"


@pytest.mark.django_db(transaction=True)
def test_row_indexes_from_before_reasons_are_written_anew() -> None:
    upload = make_upload(200)
    write_indexes()
    rows = RowPages(parse_filters({"reason": "not_a_number"}), upload=upload)
    wanted = [row["id"] for row in rows.page(None, 100)]
    assert wanted
    call_command("migrate", "uploads", "0013", verbosity=0)
    IndexBlock.objects.filter(kind=IndexKind.REASON).delete()
    call_command("migrate", verbosity=0)
    assert Upload.objects.get().indexed_at is None
    assert [row["id"] for row in rows.page(None, 100)] == wanted
    write_indexes()
    assert Upload.objects.get().indexed_at
    assert [row["id"] for row in rows.page(None, 100)] == wanted
