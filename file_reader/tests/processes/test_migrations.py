"""What an older version stored is still there after `manage.py migrate`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.running import HOME, process_environment

from uploads.models import Area, Postcode, Row
from uploads.rows.filters import in_outcode

#: postcode, outcode, incode, country, region, admin_district, admin_ward, latitude, longitude
OLD = [
    ("SW1A 1AA", "SW1A", "1AA", "England", "London", "Westminster", "St James's", 51.501, -0.1416),
    ("SW1A 2AA", "SW1A", "2AA", "England", "London", "Westminster", "St James's", 51.503, -0.1276),
    ("EH1 1YZ", "EH1", "1YZ", "Scotland", None, "City of Edinburgh", None, 55.95, -3.18),
    ("JE2 3AA", "JE2", "3AA", None, None, None, None, None, None),
]
STORE = f"""
from django.db import connection
with connection.cursor() as cursor:
    cursor.executemany("INSERT INTO uploads_postcode VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", {OLD!r})
    cursor.executemany(
        "INSERT INTO uploads_row (id, upload_id, status, postcode) VALUES (%s, 1, 1, %s)",
        [(number, row[0]) for number, row in enumerate({OLD!r}, 1)],
    )
    cursor.execute("INSERT INTO uploads_row (id, upload_id, status) VALUES (9, 1, 2)")
"""
SHOW = """
from uploads.models import Area, Postcode, Row
names = ("area__country", "area__region", "area__admin_district", "area__admin_ward")
for postcode in Postcode.objects.values_list("postcode", *names, "latitude", "longitude"):
    print(postcode)
print(Area.objects.count())
print(list(Row.objects.order_by("id").values_list("area__admin_ward", flat=True)))
"""


@pytest.fixture
def older(transactional_db: None, data_dir: Path) -> Any:
    """An empty database of its own, and `migrate(version)` for it."""
    environment = process_environment(data_dir)
    if connection.vendor == "postgresql":
        environment["FILE_READER_DATABASE_URL"] += "?options=-csearch_path%3Dolder"
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA older")
    else:
        environment["FILE_READER_DATABASE_URL"] = f"sqlite:///{data_dir / 'older.sqlite3'}"

    def manage(*command: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=HOME,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    yield manage
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA older CASCADE")


def test_postcodes_keep_the_names_of_their_areas(older: Any) -> None:
    older("migrate", "-v0", "uploads", "0003")
    older("shell", "-v0", "-c", STORE)
    older("migrate", "-v0")
    stored = older("shell", "-v0", "-c", SHOW)
    *postcodes, areas, wards = stored.splitlines()
    assert sorted(postcodes) == sorted(repr((row[0], *row[3:])) for row in OLD)
    assert areas == "3"
    assert wards == repr([*(row[6] for row in OLD), None])


#: Rows of two uploads, more than are read at once; the 5th of each was rejected.
STORE_ROWS = """
from django.db import connection
with connection.cursor() as cursor:
    for upload, rows in ((1, 90000), (2, 30)):
        cursor.execute(
            "INSERT INTO uploads_row (id, upload_id, status, latitude, longitude)"
            " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            " SELECT %s + n, %s, 0, CASE WHEN n = 5 THEN NULL ELSE 50 + n / 10000.0 END, -1.0 FROM numbers",
            [rows, upload << 32, upload],
        )
"""
#: The second one is loaded further by the new version. How many rows there are, found by their places, and where.
LOAD_FURTHER = """
from uploads.rows.bulk import bulk_create_rows
bulk_create_rows([((2 << 32) + number, 2, 50.00305, -1.0) for number in range(31, 35)])
"""
FIND_ROWS = """
from uploads.rows.by_place import Box, ids_within, touched_cells
from uploads.models import LocationCell, Row
located = Row.objects.filter(latitude__isnull=False).order_by("id").values_list("id", flat=True)
lists = LocationCell.objects.values_list("first_id", "cell", "entries")
print(len(located), ids_within(Box(-90, 90, -180, 180), lists).tolist() == list(located))
box = Box(50.00295, 50.00311, -2, 0)
print([divmod(id_, 1 << 32) for id_ in ids_within(box, lists.filter(cell__in=touched_cells(box))).tolist()])
print(sorted({first_id >> 32 for first_id, _, _ in lists}))
"""


def test_rows_that_are_there_are_found_by_their_places(older: Any) -> None:
    older("migrate", "-v0", "uploads", "0005")
    older("shell", "-v0", "-c", STORE_ROWS)
    older("migrate", "-v0")
    older("shell", "-v0", "-c", LOAD_FURTHER)
    found = older("shell", "-v0", "-c", FIND_ROWS)
    assert found.splitlines() == [
        "90032 True",
        str([(1, 30), (1, 31), (2, 30), (2, 31), (2, 32), (2, 33), (2, 34)]),
        "[1, 2]",
    ]
    older("migrate", "-v0", "uploads", "0005")
    older("migrate", "-v0")
    assert older("shell", "-v0", "-c", FIND_ROWS) == found


#: Rows of two uploads, more than are read at once, every third without a postcode.
STORE_MATCHES = """
from django.db import connection
with connection.cursor() as cursor:
    for upload, rows in ((1, 45000), (2, 30)):
        cursor.execute(
            "INSERT INTO uploads_row (id, upload_id, status, postcode)"
            " WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            " SELECT %s + n, %s, CASE n %% 3 WHEN 0 THEN 2 ELSE 1 END,"
            " CASE n %% 3 WHEN 1 THEN 'SW1A 1AA' WHEN 2 THEN 'M1 1AA' END FROM numbers",
            [rows, upload << 32, upload],
        )
"""
FIND_MATCHES = """
from uploads.models import PostcodeList, Row
from uploads.rows.by_postcode import SoughtPostcodes
lists = PostcodeList.objects.values_list("first_id", "postcode_area", "entries")
for postcode in ("SW1A 1AA", "M1 1AA", "SW1A 1AB"):
    ids = list(Row.objects.filter(postcode=postcode).order_by("id").values_list("id", flat=True))
    print(len(ids), SoughtPostcodes.of([postcode]).ids_in(lists).tolist() == ids)
print(sorted({first_id >> 32 for first_id, _, _ in lists}))
"""


def test_rows_that_are_there_are_found_by_their_postcodes(older: Any) -> None:
    older("migrate", "-v0", "uploads", "0006")
    older("shell", "-v0", "-c", STORE_MATCHES)
    older("migrate", "-v0")
    found = older("shell", "-v0", "-c", FIND_MATCHES)
    assert found.splitlines() == ["15010 True", "15010 True", "0 True", "[1, 2]"]
    older("migrate", "-v0", "uploads", "0006")
    older("migrate", "-v0")
    assert older("shell", "-v0", "-c", FIND_MATCHES) == found


@pytest.mark.django_db
def test_an_outcode_is_one_run_of_postcodes() -> None:
    """Whatever the language of the database: many orders pass over spaces."""
    texts = ["SW1A 9ZZ", "SW1 1AA", "SW1A 0AA", "SW1AA", "SW1B 1AA", "SW1 9ZZ", "SW10 1AA"]
    area = Area.objects.create(id=1)
    Postcode.objects.bulk_create([Postcode(postcode=text, area=area) for text in texts])
    Row.objects.bulk_create([Row(id=number, upload_id=1, postcode_id=text) for number, text in enumerate(texts)])
    assert list(Postcode.objects.order_by("postcode").values_list("postcode", flat=True)) == sorted(texts)
    if connection.vendor == "postgresql":  # the order of this machine's databases may be the same by chance
        with connection.cursor() as cursor:
            cursor.execute("SELECT collation_name FROM information_schema.columns WHERE column_name = 'postcode'")
            assert set(cursor.fetchall()) == {("C",)}
    found = Row.objects.filter(**in_outcode("sw1")).values_list("postcode_id", flat=True)
    assert sorted(found) == ["SW1 1AA", "SW1 9ZZ"]
