"""Files that are not plain CSV: packed, as workbooks, with coordinates in other forms; and the preview of any."""

import csv
import gzip
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from tests.api import UPLOADS, Api, problem_of
from tests.corpus import packing
from tests.fake_postcode_consumer import FakePostcodeConsumer, postcode_at
from tests.working import work_until_ended

from uploads.models import Upload

pytestmark = pytest.mark.django_db
PREVIEW = f"{UPLOADS}preview/"
TABLE = b"name;lat;lon\nhere;50.1;-0.1\nsea;56;2.5\nnowhere;x;y\n"
ANSWERS = [("match", 50.1, -0.1), ("no_match", 56.0, 2.5), ("rejected", None, None)]


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return stream.getvalue()


def workbook() -> bytes:
    book, stream = Workbook(), io.BytesIO()
    for row in (["name", "lat", "lon"], ["here", 50.1, -0.1], ["sea", 56, 2.5], ["nowhere", "x", "y"]):
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


def stored(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize("packed", [gzip.compress(TABLE), zipped("a.csv"), workbook()], ids=["gzip", "zip", "xlsx"])
@pytest.mark.parametrize("send", [Api.send_form, lambda api, content: api.post(UPLOADS, content, "application/gzip")])
def test_a_packed_file_is_read_like_the_table_in_it(
    api: Api, consumer: FakePostcodeConsumer, packed: bytes, send: Callable[[Api, bytes], Any], data_dir: Path
) -> None:
    response = send(api, packed)
    assert response.status_code == 202, response.content
    upload = response.json()
    assert (upload["size"], upload["sha256"]) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert len(stored(data_dir)) == 1
    work_until_ended()
    rows = api.rows(upload)
    assert [(row["status"], row["latitude"], row["longitude"]) for row in rows] == ANSWERS
    first = api.result(upload).decode().splitlines()[1]
    delimiter = upload["dialect"]["delimiter"]
    assert first.split(delimiter)[:5] == ["here", "50.1", "-0.1", "match", ""]
    assert postcode_at(50.1, -0.1) in first


@pytest.mark.parametrize(("option", "value"), [("delimiter", ";"), ("encoding", "windows-1252")])
def test_a_workbook_has_neither_delimiter_nor_encoding(api: Api, data_dir: Path, option: str, value: str) -> None:
    problem = problem_of(api.send_form(workbook(), **{option: value}), 400, "invalid-option")
    assert problem["option"] == option
    assert "workbook" in problem["detail"]
    assert stored(data_dir) == []


def test_a_row_of_a_workbook_has_the_number_that_its_sheet_shows_and_keeps_its_line_breaks(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    rows = [("note", "lat", "lon"), ("two\nlines", 50.1, -0.1), (), ("old|Mac\n", "x", "y"), ("", 50.2, -0.2)]
    book = packing.raw_workbook("".join(packing.row(*row) for row in rows).replace("|", "&#13;"))
    shown = api.post(PREVIEW, book, "application/zip").json()
    assert [(row["line"], row["fields"][0]) for row in shown["rows"]] == [
        (2, "two\nlines"), (4, "old\rMac\n"), (5, "")
    ]  # fmt: skip
    upload = api.upload(book)
    work_until_ended()
    assert [(row["line"], row["raw"]) for row in api.rows(upload, status="rejected")] == [(4, '"old\rMac\n",x,y')]
    result = list(csv.reader(io.StringIO(api.result(upload).decode(), newline="")))
    assert [row[:4] for row in result[1:]] == [
        ["two\nlines", "50.1", "-0.1", "match"], ["old\rMac\n", "x", "y", "rejected"], ["", "50.2", "-0.2", "match"]
    ]  # fmt: skip


def test_what_a_workbook_warns_of_is_mended_by_its_fix(api: Api, consumer: FakePostcodeConsumer) -> None:
    rows = [["name", "lat", "lon"], ["here", 50.1, -0.1]]
    cover, book = packing.workbook([["Sites"]], rows, rows), packing.workbook(rows, rows)
    assert problem_of(api.send_form(cover), 422, "columns-not-found")["fix"] == {"sheet": "*"}
    (warning,) = api.upload(book)["warnings"]
    assert (warning["code"], warning["fix"]) == ("further_sheets", {"sheet": "*"})
    upload = api.send_form(book, **warning["fix"]).json()
    work_until_ended()
    result = list(csv.reader(io.StringIO(api.result(upload).decode(), newline="")))
    assert [row[:5] for row in result[1:]] == [["here", "50.1", "-0.1", name, "match"] for name in ("Sheet", "Sheet1")]


@pytest.mark.parametrize("kind", ["text/csv", "form"])
def test_a_body_may_be_packed_on_its_way(api: Api, kind: str) -> None:
    body, content_type = TABLE, "text/csv"
    if kind == "form":
        body = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + TABLE + b"\r\n--x--\r\n"
        )
        content_type = "multipart/form-data; boundary=x"
    response = api.post(UPLOADS, gzip.compress(body), content_type, Content_Encoding="gzip")
    assert response.status_code == 202, response.content
    # It is the file that counts, not how it travelled.
    assert (response.json()["size"], response.json()["sha256"]) == (len(TABLE), hashlib.sha256(TABLE).hexdigest())


@pytest.mark.parametrize(
    ("content", "status", "slug"),
    [
        (gzip.compress(TABLE)[:-4], 422, "unreadable-archive"),
        (gzip.compress(gzip.compress(TABLE)), 422, "unreadable-archive"),
        (zipped("a.csv", "b.csv"), 422, "unreadable-archive"),
        (workbook()[:-30], 422, "unreadable-archive"),
        (gzip.compress(bytes(3_000_000)), 413, "upload-too-large"),
    ],
    ids=["cut short", "packed twice", "two files", "damaged workbook", "bomb"],
)
def test_what_cannot_be_unpacked_is_told_and_not_stored(
    api: Api, data_dir: Path, content: bytes, status: int, slug: str
) -> None:
    for path in (UPLOADS, PREVIEW):
        problem_of(api.post(path, content, "application/gzip"), status, slug)
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


def test_a_workbook_that_takes_too_much_is_refused_in_words_and_not_stored(api: Api, data_dir: Path) -> None:
    bomb = packing.raw_workbook(packing.row("lat", "lon") + packing.row(50.1, -0.1) + "<row><c>" + "<x>" * 100_000)
    for path in (UPLOADS, PREVIEW):
        problem = problem_of(api.post(path, bomb, "application/zip"), 422, "unreadable-archive")
        assert problem["detail"] == "The workbook has more than 100 elements inside each other in its part sheet1.xml."
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


def test_a_workbook_that_takes_too_much_further_down_fails_there_and_rows_before_are_answered(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    rows = packing.row("lat", "lon") + packing.row(50.1, -0.1) * 20_000
    upload = api.upload(packing.raw_workbook(rows + packing.row(50.2, -0.2, number=2 * 10**9)))
    work_until_ended()
    ended = api.show(upload)
    assert (ended["state"], ended["error"]["type"]) == ("failed", "/problems/unreadable-archive")
    assert "row 2,000,000,000" in ended["error"]["detail"]
    matched = ended["rows"]["matched"]
    assert 10_000 < matched < 20_000
    assert len(api.result(upload).splitlines()) == matched + 1


def test_few_workbooks_are_looked_into_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []
    running: set[subprocess.Popen[bytes]] = set()

    class Counted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            running.add(self)
            at_once.append(len(running))

        def __exit__(self, *error: Any) -> None:
            super().__exit__(*error)
            running.discard(self)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: api.post(PREVIEW, workbook(), "application/zip"), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert max(at_once) <= 2


def test_a_body_whose_encoding_is_cut_short_is_not_stored(api: Api, data_dir: Path) -> None:
    response = api.post(UPLOADS, gzip.compress(TABLE)[:-4], Content_Encoding="gzip")
    problem_of(response, 422, "unreadable-archive")
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


def test_another_content_encoding_is_refused(api: Api) -> None:
    problem_of(api.post(UPLOADS, TABLE, Content_Encoding="br"), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("table", "notation"),
    [
        ("id,easting,northing\n1,529057,179680\n", "osgb36"),
        ('id,where\n1,"(51.50133, -0.14204)"\n', "lat_lon"),
        ("id;geom\n1;POINT(-0.14204 51.50133)\n", "wkt"),
        ('id;geom\n1;{"type":"Point","coordinates":[-0.14204,51.50133]}\n', "geojson"),
    ],
)
def test_coordinates_in_other_forms_become_degrees(
    api: Api, consumer: FakePostcodeConsumer, table: str, notation: str
) -> None:
    upload = api.upload(table)
    assert upload["dialect"]["coordinates"] == notation
    work_until_ended()
    (row,) = api.rows(upload)
    # 0.00005 degrees are 5 m.
    assert abs(row["latitude"] - 51.50133) < 5e-5
    assert abs(row["longitude"] - -0.14204) < 5e-5
    assert row["status"] == "match"
    warned = [warning["code"] for warning in api.show(upload)["warnings"]]
    assert warned == (["national_grid"] if notation == "osgb36" else [])


def test_most_rows_swapped_is_said_in_the_upload(api: Api, consumer: FakePostcodeConsumer) -> None:
    swapped = api.upload("lat,lon\n-0.1,51.5\n-0.2,51.6\n51.7,-0.3\n")
    one = api.upload("lat,lon\n-0.1,51.5\n51.6,-0.2\n51.7,-0.3\n")
    work_until_ended()
    (warning,) = api.show(swapped)["warnings"]
    assert (warning["code"], warning["fix"]) == ("coordinates_swapped", {"latitude": "lon", "longitude": "lat"})
    assert api.show(one)["warnings"] == []
    assert [row["reason"] for row in api.rows(one, status="rejected")] == ["coordinates_swapped"]


@pytest.mark.parametrize(
    ("content", "latitude"),
    [("name:lat:lon\nx:51.5:-0.1\n", 51.5), ("easting,northing\n805000,393000\n806000,394000\n", 57.1358)],
)
def test_what_mends_a_question_back_is_taken_with_the_file(
    api: Api, consumer: FakePostcodeConsumer, content: str, latitude: float
) -> None:
    fix = problem_of(api.send_form(content.encode()), 422, "columns-not-found")["fix"]
    upload = api.upload(content, **fix)
    work_until_ended()
    assert abs(api.rows(upload)[0]["latitude"] - latitude) < 5e-5


def test_what_mends_a_warning_of_one_further_location_is_taken(api: Api, consumer: FakePostcodeConsumer) -> None:
    content = "lat,lon,school lat,school lon\n51.5,-0.1,55.9,-3.1\n"
    (warning,) = api.upload(content)["warnings"]
    assert warning["code"] == "further_locations"
    upload = api.upload(content, **warning["fix"])
    work_until_ended()
    assert [row["latitude"] for row in api.rows(upload)] == [55.9]
    assert api.post(PREVIEW, content.encode()).json()["warnings"] == [warning]


# --- preview -------------------------------------------------------------------------------------------------------
def test_a_preview_shows_what_would_be_read_and_stores_nothing(api: Api, data_dir: Path) -> None:
    response = api.post(PREVIEW, TABLE)
    assert response.status_code == 200
    shown = response.json()
    assert shown["dialect"] == {"delimiter": ";", "quoting": "quotes", "encoding": "utf-8", "has_header": True,
                                "decimal": ".", "latitude": "lat", "longitude": "lon",
                                "coordinates": "degrees", "format": "csv"}  # fmt: skip
    assert shown["columns"] == ["name", "lat", "lon"]
    assert shown["looked_at"] == {"rows": 3, "read": 2, "rejected": {"not_a_number": 1}}
    assert shown["sure"] == 0.6667
    assert [(row["row"], row["line"], row["latitude"], row["reason"]) for row in shown["rows"]] == [
        (1, 2, 50.1, None), (2, 3, 56.0, None), (3, 4, None, "not_a_number")]  # fmt: skip
    assert shown["rows"][0]["fields"] == ["here", "50.1", "-0.1"]
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


def test_a_preview_says_that_lines_above_the_header_are_not_read(api: Api) -> None:
    shown = api.post(PREVIEW, b"Stations,\n# of 2024\nlat,lon\n51.5,-0.1\n").json()
    assert shown["columns"] == ["lat", "lon"]
    assert [(row["line"], row["fields"]) for row in shown["rows"]] == [(4, ["51.5", "-0.1"])]
    assert [warning["code"] for warning in shown["warnings"]] == ["lines_above"]
    assert "2" in shown["warnings"][0]["detail"]


def test_a_table_whose_first_column_is_called_pk_is_looked_at_as_a_whole(api: Api) -> None:
    content = b"PK,lat,lon\n" + b"x,51.5,-0.1\n" * 20_000 + b"caf\xe9,51.5,-0.1\n"
    assert api.upload(content)["dialect"]["encoding"] == "cp1252"


def test_a_preview_takes_options_and_shows_twenty_rows(api: Api) -> None:
    shown = api.post(f"{PREVIEW}?latitude=2&longitude=1", b"-0.1,51.5\n" * 2_000).json()
    assert len(shown["rows"]) == 20
    assert shown["looked_at"]["rows"] == 1_000
    assert shown["sure"] == 1.0


def test_a_preview_says_where_a_file_becomes_unreadable(api: Api) -> None:
    shown = api.post(PREVIEW, b'lat,lon\n51.5,-0.1\n51.5,"-0.1\n51.5,-0.1\n').json()
    assert shown["error"]["line"] == 3
    assert len(shown["rows"]) == 1


def test_a_preview_of_what_is_not_clear_is_the_same_problem_as_an_upload(api: Api) -> None:
    assert problem_of(api.post(PREVIEW, b"a,b\n1,2\n"), 422, "columns-not-found")["columns_seen"] == ["a", "b"]


# --- result.csv for spreadsheets -----------------------------------------------------------------------------------
def test_a_safe_result_has_no_formulas_and_the_same_numbers(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(
        'lat,lon,"=note"\n50.1,-0.1,"=HYPERLINK(""x"")"\n50.2,-0.2,+44 20\n50.3,-0.3,-5\n50.4,-0.4,@x\n'
    )
    work_until_ended()
    plain = api.result(upload).decode().splitlines()
    response = api.get(f"{UPLOADS}{upload['id']}/result.csv", safe="1")
    safe = b"".join(response.streaming_content).decode().splitlines()
    assert plain[1].startswith('50.1,-0.1,"=HYPERLINK(""x"")",match')
    assert [line.split(",match")[0].split(",result")[0] for line in safe] == [
        "lat,lon,'=note", "50.1,-0.1,\"'=HYPERLINK(\"\"x\"\")\"", "50.2,-0.2,'+44 20", "50.3,-0.3,-5", "50.4,-0.4,'@x"
    ]  # fmt: skip
    problem_of(api.get(f"{UPLOADS}{upload['id']}/result.csv", safe="perhaps"), 400, "invalid-parameter")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_in_a_safe_result_no_cell_begins_as_a_formula_does(api: Api, start: str) -> None:
    upload = api.upload(f'lat,lon,note\n50.1,-0.1,"{start}x(1)"\n')
    for safe, cell in (("0", f"{start}x(1)"), ("1", f"'{start}x(1)")):
        response = api.get(f"{UPLOADS}{upload['id']}/result.csv", safe=safe)
        table = b"".join(response.streaming_content).decode()
        _, row = csv.reader(io.StringIO(table, newline=""))
        assert row[:3] == ["50.1", "-0.1", cell]


@pytest.mark.parametrize(("blank", "rows"), [(b"\n" * 100_000, 2), (b"\n" * 3_000_000, 1)])
def test_a_preview_ends_however_a_file_is_filled_up(api: Api, blank: bytes, rows: int) -> None:
    answer = api.post(PREVIEW, b"lat,lon\n51.5,-0.1\n" + blank + b"52,-1\n")
    assert answer.status_code == 200
    assert answer.json()["looked_at"]["rows"] == rows
    assert answer.json()["error"] is None
