"""How long the pages of the admin take, and how many questions they ask the database, with millions of rows.

`python benchmarks/admin_pages.py [--rows 2600000] [--database postgres://…]`; without a database, an SQLite file. It
makes one upload of that size by SQL, with its chunks and its row index, and some hundred small ones. Each page is asked
for five times; the median counts. It ends with 1 when one is slower or asks more than it may.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOST_SECONDS, MOST_QUESTIONS = 0.3, 12
CHUNK_ROWS = 20_000
_ROW = """
    INSERT INTO uploads_row (id, upload_id, latitude, longitude, status, reason, postcode, distance_m)
    SELECT %(first)s + number, %(upload)s, 50 + (number %% 90000) / 10000.0, -5 + (number %% 50000) / 10000.0,
        CASE WHEN number %% 20 = 0 THEN 2 WHEN number %% 997 = 0 THEN 3 ELSE 1 END,
        CASE WHEN number %% 20 = 0 THEN 'none_within_distance' WHEN number %% 997 = 0 THEN 'gave_up' END,
        CASE WHEN number %% 20 = 0 OR number %% 997 = 0 THEN NULL
             ELSE 'AB' || (number %% 89 + 10) || ' ' || (number %% 9 + 1) || 'CD' END,
        CASE WHEN number %% 20 = 0 OR number %% 997 = 0 THEN NULL ELSE number %% 100 END
    FROM {numbers}
"""
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n WHERE number < %(rows)s)"
    " SELECT number FROM n) AS numbers",
    "postgresql": "generate_series(1, %(rows)s) AS numbers(number)",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_600_000)
    parser.add_argument("--database", default="", help="of an empty database; default: a new SQLite file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(SECRET_KEY="bench", INTERNAL_TOKEN="bench", AUTH="off", DATA_DIR=folder)
        if options.database:
            os.environ["FILE_READER_DATABASE_URL"] = options.database
        os.environ["DJANGO_SETTINGS_MODULE"] = "reader_config.settings"
        sys.path.insert(0, str(ROOT / "file_reader"))
        os.chdir(ROOT / "file_reader")
        import django

        django.setup()
        return measure(options.rows)


def measure(rows: int) -> int:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    upload = make_uploads(rows)
    print(f"{connection.vendor}, {rows:,} rows\n")
    print(f"{'page':<44} {'ms':>6} {'questions':>9} {'bytes':>9}")
    wrong = 0
    for name, path in pages(upload):
        seconds, questions, size = asked(path)
        is_wrong = seconds > MOST_SECONDS or (questions > MOST_QUESTIONS and "facets" not in name)
        wrong += is_wrong
        print(f"{name:<44} {seconds * 1_000:>6.0f} {questions:>9} {size:>9,}{'  too much' if is_wrong else ''}")
    seconds = delete(upload)
    wrong += seconds > MOST_SECONDS
    print(f"{'delete, until it is answered':<44} {seconds * 1_000:>6.0f}")
    return int(wrong > 0)


def make_uploads(rows: int) -> Any:
    from django.db import connection
    from django.db.models.functions import Now

    from uploads.models import Chunk, Upload
    from uploads.row_ids import row_id
    from uploads.work.indexing import claim_index, write_segment

    values: dict[str, Any] = {"sha256": "0" * 64, "dialect": {}, "max_distance": 100, "state": "done", "size": 1}
    values |= {"started_at": Now(), "finished_at": Now()}
    small = [Upload.objects.create(filename=f"small {number}.csv", rows_loaded=0, **values) for number in range(300)]
    upload = Upload.objects.create(filename="large.csv", rows_loaded=rows, **values)
    numbers = _NUMBERS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            _ROW.replace("{numbers}", numbers), {"first": row_id(upload.pk, 0), "upload": upload.pk, "rows": rows}
        )
    Chunk.objects.bulk_create(
        Chunk(upload=one, first_row=first, row_count=min(CHUNK_ROWS, rows - first + 1), state="done",
              matched=CHUNK_ROWS - 1_020, no_match=1_000, failed=20)
        for one in [upload] for first in range(1, rows + 1, CHUNK_ROWS)
    )  # fmt: skip
    Chunk.objects.bulk_create(Chunk(upload=one, first_row=1, row_count=9, state="done", matched=9) for one in small)
    while lease := claim_index():
        while lease:
            lease = write_segment(lease)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    upload.refresh_from_db()
    return upload


def pages(upload: Any) -> list[tuple[str, str]]:
    rows, uploads = "/admin/uploads/row/", "/admin/uploads/upload/"
    return [
        ("front page", "/admin/"),
        ("uploads", uploads),
        ("uploads, page 4", f"{uploads}?p=4"),
        ("uploads, facets", f"{uploads}?_facets=True"),
        ("uploads with failed rows", f"{uploads}?failed_rows=yes"),
        ("uploads that are stuck", f"{uploads}?stuck=yes"),
        ("uploads, search", f"{uploads}?q=large"),
        ("the upload", f"{uploads}{upload.pk}/change/"),
        ("the upload, delete?", f"{uploads}{upload.pk}/delete/"),
        ("chunks", "/admin/uploads/chunk/"),
        ("chunks of the upload", f"/admin/uploads/chunk/?upload={upload.pk}"),
        ("rows", rows),
        ("rows, page 90", f"{rows}?p=90"),
        ("rows of the upload", f"{rows}?upload={upload.pk}"),
        ("rows of the upload, ordered otherwise", f"{rows}?upload={upload.pk}&o=-4"),
        ("rows of the upload, failed", f"{rows}?upload={upload.pk}&status=3"),
        ("rows of the upload, matched", f"{rows}?upload={upload.pk}&status=1"),
        ("rows by postcode", f"{rows}?q=AB10+1CD"),
        ("rows by outcode", f"{rows}?q=AB10"),
        ("a row", f"{rows}{(upload.pk << 32) + upload.rows_loaded // 2}/change/"),
        ("audit entries", "/admin/uploads/auditentry/"),
    ]


def client() -> Any:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(username="admin", is_staff=True, is_superuser=True)
    made = Client(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    made.force_login(user)
    return made


def asked(path: str) -> tuple[float, int, int]:
    """The median of five, after one that does not count: seconds, questions, bytes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = client()
    browser.get(path)
    times, questions, size = [], 0, 0
    for _ in range(5):
        with CaptureQueriesContext(connection) as seen:
            started = time.perf_counter()
            answer = browser.get(path)
            times.append(time.perf_counter() - started)
        assert answer.status_code == 200, (path, answer.status_code)
        questions, size = len(seen), len(answer.content)
    return statistics.median(times), questions, size


def delete(upload: Any) -> float:
    """Until the page of the question is answered."""
    browser = client()
    started = time.perf_counter()
    answer = browser.post(f"/admin/uploads/upload/{upload.pk}/delete/", {"post": "yes"})
    seconds = time.perf_counter() - started
    assert answer.status_code == 302
    upload.refresh_from_db()
    assert upload.deleted_at is not None
    return seconds


if __name__ == "__main__":
    sys.exit(main())
