"""Reading back: what a page of 100 rows costs at the service, of millions of rows, at any depth.

    python benchmarks/reads.py --database sqlite --rows 2600000 --postcodes gb_postcodes.csv.gz

Fills a database through the project's own migrations and bulk writes: forty uploads of eight users that have ended and
have their row index, and one of a million rows that is being worked on. Then asks the real service (gunicorn, as
serve.py starts it) one question after the other over one connection, and prints for each the median and the 95th
percentile in milliseconds, and the CPU that the service and a PostgreSQL server took for it. `--json FILE` writes all
of it, `--only TEXT` asks fewer.
`--keep FOLDER` leaves the database where it is, and uses one that is there; it is that of FILE_READER_DATABASE_URL,
if that is set.

The times are only worth something on a quiet machine; the CPU and the ratios are everywhere.
"""

import argparse
import base64
import contextlib
import csv
import functools
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent
SERVICE = HERE.parent / "file_reader"
sys.path[:0] = [str(HERE), str(HERE.parent / "tests"), str(SERVICE)]

import files  # noqa: E402
import measure  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402
import requests  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402
from stack import free_port, wait_for  # noqa: E402

TOKEN = "bench"
CHUNK = 20_000
MAX_DISTANCE = 2_000.0
OWNERS = ("ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal")
UPLOADS, WORKING_ROWS = 40, 1_000_000
#: Of the rows of an upload: could not be read. And how many of each upload failed.
REJECTED, FAILED = 0.0005, 5
_COUNTRIES = {"E": "England", "S": "Scotland", "W": "Wales", "N": "Northern Ireland"}

#: Radii of circles in metres, and places in degrees where few people live.
RADII = {100: "100 m", 300: "300 m", 1_000: "1 km", 3_000: "3 km", 10_000: "10 km", 20_000: "20 km", 100_000: "100 km"}
RURAL = [(52.43, -3.54), (57.1, -4.5), (54.4, -2.6), (50.6, -4.6), (55.4, -2.6), (53.0, -0.2), (54.6, -7.2)]

#: Path, and the parameters beside page_size.
Question = tuple[str, dict[str, str]]


@dataclass
class Country:
    """The postcodes of a file; `codes` are those of country, district and ward, as far as it has them."""

    names: list[str]
    places: files.Places
    codes: list[tuple[str, str, str]]

    @functools.cached_property
    def area_ids(self) -> dict[tuple[str, str, str], int]:
        """The number that the service gives to the area of each of these codes."""
        from uploads.models import area_id

        return {codes: area_id((codes[0], None, *codes[1:])) for codes in set(self.codes)}

    def nearest(self, locations: files.Places) -> tuple[Any, Any]:
        """Metres to the nearest postcode of each location, on a sphere, and its number; infinite when none is near."""
        tree = cKDTree(_vectors(self.places))
        chords, numbers = tree.query(_vectors(locations), distance_upper_bound=MAX_DISTANCE / 6_371_008.8)
        return (chords * 6_371_008.8).round(2), numbers


def _vectors(places: files.Places) -> Any:
    phi, lam = np.radians(places.T)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def read_country(path: Path) -> Country:
    names, places, codes = [], [], []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["latitude"]:
                names.append(row["postcode"])
                places.append((float(row["latitude"]), float(row["longitude"])))
                outcode = row["postcode"].split()[0]
                country = _COUNTRIES.get(row.get("country_code", "")[:1], "England")
                district = row.get("admin_district_code") or f"District of {outcode}"
                codes.append((country, district, row.get("admin_ward_code") or f"{outcode} ward"))
    return Country(names, np.array(places), codes)


# --- filling -------------------------------------------------------------------------------------------------------
def fill(country: Country, rows: int) -> None:
    """Users, uploads, chunks and rows as the service leaves them, written at once. Django must be set up."""
    from django.contrib.auth import get_user_model

    from uploads.rows.bulk import bulk_create_areas

    users = [get_user_model().objects.create_user(name) for name in OWNERS]
    sizes = [*[rows // UPLOADS] * UPLOADS, WORKING_ROWS]
    with tempfile.TemporaryDirectory() as folder:
        files.write_locations(Path(folder) / "locations.csv", sum(sizes), country.places)
        locations = np.loadtxt(Path(folder) / "locations.csv", delimiter=",", skiprows=1)
    metres, numbers = country.nearest(locations)
    bulk_create_areas({(one, None, district, ward) for one, district, ward in country.codes})
    start = 0
    for number, size in enumerate(sizes):
        part = slice(start, start + size)
        # The owners in turn; the one that is being worked on is the first one's, as is another.
        columns = locations[part], metres[part], numbers[part]
        write_upload(country, users[number % len(users)], *columns, is_working=number == UPLOADS)
        start += size
    write_indexes()


def write_upload(
    country: Country, owner: Any, locations: files.Places, metres: Any, numbers: Any, *, is_working: bool
) -> None:
    """An upload, its rows, chunks and row index. Of one that is being worked on, the first half is answered."""
    from django.db import transaction
    from django.db.models.functions import Now

    from uploads.models import Chunk, ChunkState, RowStatus, Upload, UploadState

    size = len(locations)
    upload = Upload.objects.create(
        owner=owner,
        filename=f"{size}.csv",
        size=20 * size,
        sha256="0" * 64,
        dialect=_dialect(),
        max_distance=MAX_DISTANCE,
        state=UploadState.GEOCODING if is_working else UploadState.DONE,
        started_at=Now(),
        finished_at=None if is_working else Now(),
        rows_loaded=size,
    )
    status = np.where(metres <= MAX_DISTANCE, RowStatus.MATCH.value, RowStatus.NO_MATCH.value)
    status[5 : FAILED * 997 : 997] = RowStatus.FAILED.value
    if is_working:
        status[size // 2 :] = RowStatus.PENDING.value
    status[np.random.default_rng(size).random(size) < REJECTED] = RowStatus.REJECTED.value
    for start in range(0, size, CHUNK):
        part = slice(start, start + CHUNK)
        counts = np.bincount(status[part], minlength=5).tolist()
        with transaction.atomic():
            write_chunk(country, upload.pk, start, status[part], locations[part], metres[part], numbers[part])
            Chunk.objects.create(
                upload=upload,
                first_row=start + 1,
                row_count=sum(counts),
                state=ChunkState.READY if counts[0] else ChunkState.DONE,
                **dict(zip(("matched", "no_match", "failed", "rejected"), counts[1:], strict=True)),
            )


def write_chunk(
    country: Country, upload_id: int, start: int, status: Any, locations: files.Places, metres: Any, numbers: Any
) -> None:
    """Rows as loading creates them, and then their answers."""
    from uploads.models import RowStatus
    from uploads.row_ids import row_id
    from uploads.rows.bulk import (
        Matches,
        PendingRows,
        RejectedRow,
        Unmatched,
        bulk_create_rows,
        bulk_update_results,
    )

    ids = row_id(upload_id, start + 1) + np.arange(len(status))
    located, matched = status != RowStatus.REJECTED, status == RowStatus.MATCH
    bulk_create_rows(
        upload_id,
        PendingRows(ids[located], *locations[located].T),
        [RejectedRow(id_, upload_id, "not_a_number", id_ & 0xFFFFFFFF, "x,y") for id_ in ids[~located].tolist()],
    )
    names = np.array([country.names[number] for number in numbers[matched]], "S8")
    areas = np.array([country.area_ids[country.codes[number]] for number in numbers[matched]], np.int64)
    reasons = {RowStatus.NO_MATCH.value: "none_within_max_distance", RowStatus.FAILED.value: "upstream_rejected"}
    others = np.flatnonzero(np.isin(status, list(reasons)))
    bulk_update_results(
        Matches(ids[matched], names, metres[matched], areas),
        [Unmatched(int(ids[row]), int(status[row]), reasons[int(status[row])]) for row in others],
    )


def write_indexes() -> None:
    """As idle workers do."""
    from uploads.work.indexing import claim_index, write_segment

    while lease := claim_index():
        while lease:
            lease = write_segment(lease)


def _dialect() -> dict[str, Any]:
    from uploads.reading.detecting.detect import detect_dialect
    from uploads.reading.detecting.dialect import Declared

    return dict(detect_dialect(b"lat,lon\n51.5,-0.1\n", Declared()).as_json())


def settle() -> None:
    """What autovacuum does a minute after the last write."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
    connection.close()


# --- asking --------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def service(environment: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """The service on a free port, as serve.py starts it; its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "reader_config/gunicorn.conf.py", "reader_config.wsgi"]
    process = subprocess.Popen(command, cwd=SERVICE, env=environment | {"FILE_READER_PORT": str(port)})
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(url), "file_reader answers")
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/healthz", timeout=5).status_code == 200
    return False


@dataclass
class Asked:
    """Milliseconds; `rows` are those of the pages, on average."""

    median: float
    p95: float
    cpu: float
    rows: float
    count: int


def ask(
    client: HTTPConnection,
    headers: dict[str, str],
    make: Callable[[int], Question],
    cpu: Callable[[], float],
    seconds: float,
) -> Asked:
    """Asks for `seconds`, at least 5 and at most 200 times. The first two answers only warm up."""
    times, rows, before = [], [], 0.0
    end = time.perf_counter() + seconds
    for number in range(202):
        if number == 2:
            before = cpu()
        path, parameters = make(number)
        began = time.perf_counter()
        client.request("GET", f"{path}?{urlencode(parameters)}", headers=headers)
        answer = client.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        assert answer.status == 200, text
        if number >= 2:
            times.append(took * 1e3)
            rows.append(len(json.loads(text).get("results", [1])))
        if len(times) >= 5 and time.perf_counter() > end:
            break
    spent = (cpu() - before) * 1e3 / len(times)
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return Asked(statistics.median(times), p95, spent, statistics.mean(rows), len(times))


def after(id_: int) -> str:
    """The cursor of the page behind a row."""
    return base64.b64encode(urlencode({"p": id_}).encode()).decode()


def questions(country: Country) -> dict[str, Callable[[int], Question]]:
    """By name. They vary with their number, so that nothing is asked twice in a row."""
    from uploads.models import Row, Upload
    from uploads.row_ids import row_id

    ended = list(Upload.objects.exclude(indexed_at=None).order_by("id"))
    working = Upload.objects.get(indexed_at=None)
    ids = {"one": ended[len(ended) // 2], "working": working}
    rng = random.Random(7)
    sample = [rng.randrange(len(country.names)) for _ in range(4_000)]
    known = set(
        Row.objects.filter(postcode__in=[country.names[number] for number in sample[:900]]).values_list(
            "postcode", flat=True
        )
    )
    sample = [number for number in sample[:900] if country.names[number] in known]
    rows = "/api/v1/rows/"
    depths = {"first": 0.0, "middle": 0.5, "deep": 0.97}
    districts = sorted({code[1] for code in country.codes})
    by_size = sorted(_district_sizes(country).items(), key=lambda item: item[1])

    def place(number: int) -> tuple[float, float]:
        latitude, longitude = country.places[sample[number % len(sample)]].tolist()
        return round(latitude, 4), round(longitude, 4)

    def near(number: int, radius: float) -> dict[str, str]:
        return {"near": "{},{}".format(*place(number)), "radius": f"{radius:.0f}"}

    def box(number: int, height: float) -> dict[str, str]:
        latitude, longitude = place(number)
        corners = longitude - height, latitude - height / 2, longitude + height, latitude + height / 2
        return {"bbox": ",".join(f"{value:.5f}" for value in corners)}

    def rural(number: int, radius: float) -> dict[str, str]:
        latitude, longitude = RURAL[number % len(RURAL)]
        return {
            "near": f"{latitude + number % 7 * 0.01:.4f},{longitude - number % 11 * 0.01:.4f}",
            "radius": f"{radius:.0f}",
        }

    def london(number: int, radius: float) -> dict[str, str]:
        return {"near": f"{51.5 + number % 7 * 0.003:.4f},{-0.12 - number % 11 * 0.003:.4f}", "radius": f"{radius:.0f}"}

    filters: dict[str, Callable[[int], dict[str, str]]] = {
        "none": lambda number: {},
        "postcode": lambda number: {"postcode": country.names[sample[number % len(sample)]]},
        "outcode": lambda number: {"outcode": country.names[sample[number % len(sample)]].split()[0]},
        "district": lambda number: {"admin_district": districts[number * 37 % len(districts)]},
        "largest district": lambda number: {"admin_district": by_size[-1][0]},
        "smallest district": lambda number: {"admin_district": by_size[0][0]},
        "England": lambda number: {"country": "England"},
        "Wales": lambda number: {"country": "Wales"},
        "no such country": lambda number: {"country": "Atlantis"},
        "match": lambda number: {"status": "match"},
        "no_match": lambda number: {"status": "no_match"},
        "failed": lambda number: {"status": "failed"},
        "rejected": lambda number: {"status": "rejected"},
        "pending": lambda number: {"status": "pending"},
        "bbox 0.01": lambda number: box(number, 0.01),
        "bbox 0.1": lambda number: box(number, 0.1),
        "bbox 1": lambda number: box(number, 1.0),
        "bbox at sea": lambda number: {"bbox": "-9.2,56.6,-9.19,56.61"},
        "sea 100 km": lambda number: {"near": f"{60 + number % 7 * 0.01:.4f},-10.5", "radius": "100000"},
        "match in outcode": lambda number: filters["outcode"](number) | {"status": "match"},
        "no_match near 5 km": lambda number: near(number, 5_000) | {"status": "no_match"},
        "outcode near 1 km": lambda number: filters["outcode"](number) | near(number, 1_000),
    }
    for radius, text in RADII.items():
        for where, circle in (("near", near), ("country", rural), ("London", london)):
            filters[f"{where} {text}"] = partial(circle, radius=radius)
    found: dict[str, Callable[[int], Question]] = {}

    def add(name: str, path: str, make: Callable[[int], dict[str, str]], more: dict[str, str] | None = None) -> None:
        found[name] = lambda number: (path, make(number) | (more or {}))

    for name, make in filters.items():
        for depth, share in depths.items():
            if not share:
                add(f"{name}, first", rows, make)
            elif name not in ("no such country", "bbox at sea", "sea 100 km"):
                add(f"{name}, {depth}", rows, make, {"cursor": after(row_id(ended[int(len(ended) * share)].pk, 1))})
    for name in ("none", "match", "no_match", "failed", "rejected", "pending", "postcode", "outcode", "district",
                 "Wales", "near 100 m", "near 1 km", "near 10 km", "near 100 km", "bbox 0.01", "bbox 0.1",
                 "country 1 km", "sea 100 km"):  # fmt: skip
        for what, upload in ids.items():
            add(f"{name}, {what} upload", f"/api/v1/uploads/{upload.public_id}/rows/", filters[name])
    for what, upload in ids.items():
        add(f"detail, {what} upload", f"/api/v1/uploads/{upload.public_id}/", lambda number: {})
        add(f"map, {what} upload", f"/api/v1/uploads/{upload.public_id}/cells/", lambda number: {})
    for by in ("postcode", "admin_district", "status"):
        add(f"totals by {by}", f"/api/v1/uploads/{ids['one'].public_id}/summary/", lambda number: {}, {"by": by})
    add("stats", "/api/v1/stats/", lambda number: {})
    add("uploads", "/api/v1/uploads/", lambda number: {})
    return found


def _district_sizes(country: Country) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for _, district, _ in country.codes:
        sizes[district] = sizes.get(district, 0) + 1
    return sizes


def ask_all(
    country: Country, environment: dict[str, str], server: str, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    report = {}
    asked = questions(country)
    postmaster = measure.Postmaster(server)
    from django.contrib.auth import get_user_model

    owners = {name: get_user_model().objects.get(username=name).pk for name in OWNERS[:2]}
    print(f"{'':<40} {'median':>8} {'p95':>8} {'CPU ms':>8} {'rows':>6}", flush=True)
    for auth in ("off", "required"):
        with (
            service(environment | {"AUTH": auth}) as (url, process),
            # The leanest of clients: what others take for themselves is as much as a page.
            contextlib.closing(HTTPConnection(url.removeprefix("http://"), timeout=120)) as client,
        ):

            def cpu(process: psutil.Process = process) -> float:
                group = {"file_reader": [process, *process.children(recursive=True)]}
                return sum((measure.cpu_seconds(group) | postmaster.cpu_seconds()).values())

            for who in ("",) if auth == "off" else owners:
                headers = {"X-Internal-Token": TOKEN} | ({"X-User-Id": str(owners[who])} if who else {})
                for name, make in asked.items():
                    label = f"{who}: {name}" if who else name
                    if who and ("upload" in name or "middle" in name) and name != "uploads":
                        continue
                    if options.only and not any(text in label for text in options.only):
                        continue
                    done = ask(client, headers, make, cpu, options.seconds)
                    report[label] = asdict(done)
                    print(
                        f"{label:<40} {done.median:8.1f} {done.p95:8.1f} {done.cpu:8.1f} {done.rows:6.1f}", flush=True
                    )
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=2_600_000)
    parser.add_argument("--postcodes", type=Path, help="a postcode file; without it, a country is made up")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each question")
    parser.add_argument("--only", action="append", help="only questions with this in their name")
    parser.add_argument("--keep", type=Path, help="a folder in which an SQLite database stays, or stands already")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = HERE.parent / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    if options.postcodes is None:
        options.postcodes = kept / "country.csv"
        if not options.postcodes.exists():
            files.write_country(options.postcodes)
    with (
        tempfile.TemporaryDirectory(dir=kept) as folder,
        measure.server_of(options.database) as server,
        measure.new_databases("" if options.keep else server, Path(folder)) as databases,
    ):
        data_dir = options.keep or Path(folder)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
        environment |= {"DATA_DIR": str(data_dir.resolve()), "SECRET_KEY": TOKEN, "INTERNAL_TOKEN": TOKEN}
        environment |= databases.environment
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=SERVICE, env=environment, check=True)
        os.environ.update(environment, DJANGO_SETTINGS_MODULE="reader_config.settings")
        import django

        django.setup()
        country = read_country(options.postcodes)
        if not (data_dir / "filled").exists():
            began = time.perf_counter()
            fill(country, options.rows)
            settle()
            (data_dir / "filled").touch()
            print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        report = ask_all(country, environment, server, options)
    if options.json:
        measure.write_result(options.json, report, server=server, database=options.database, rows=options.rows)


if __name__ == "__main__":
    main()
