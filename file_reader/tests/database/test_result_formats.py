"""The result as NDJSON, GeoJSON, a workbook and GeoParquet: the rows and columns of result.csv, in the same order."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from pyarrow import parquet
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from uploads.results import formats, xlsx_file
from uploads.results.columns import COLUMNS
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
#: A match, the sea, what cannot be read, too few fields, a cell that looks like a formula, and one that needs quotes.
CSV = (
    "id,lat,lon,note\n"
    "007,51.501009,-0.141588, a <b> & _x0041_ \n"
    "2,56,2.5,=1+1\n"
    "3,x,-1,\n"
    "4,51\n"
    '5,56,2.5,"two\nlines, ""quoted"""\n'
    "6,56,2.5,Ünï \x07\n"
)
SUFFIXES = ("csv", "ndjson", "geojson", "xlsx", "parquet")
Rows = list[dict[str, str]]


def fetch(api: Api, upload: Json, suffix: str, **query: str) -> bytes:
    response = api.get(f"{UPLOADS}{upload['id']}/result.{suffix}", **query)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def rows_of_csv(content: bytes) -> Rows:
    return [{name: text or "" for name, text in row.items()} for row in csv.DictReader(io.StringIO(content.decode()))]


def as_texts(row: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in row.items()}


def rows_of_ndjson(content: bytes) -> Rows:
    return [as_texts(json.loads(line)) for line in content.splitlines()]


def rows_of_geojson(content: bytes) -> Rows:
    return [as_texts(feature["properties"]) for feature in json.loads(content)["features"]]


def sheets_of(content: bytes) -> list[list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


def rows_of_xlsx(content: bytes) -> Rows:
    (header, *rows), *further = sheets_of(content)
    for repeated, *more in further:
        assert repeated == header
        rows += more
    return [as_texts(dict(zip(header, row, strict=True))) for row in rows]


def rows_of_parquet(content: bytes) -> Rows:
    table = parquet.read_table(io.BytesIO(content)).to_pylist()
    return [as_texts({name: value for name, value in row.items() if name != "geometry"}) for row in table]


READERS: dict[str, Callable[[bytes], Rows]] = {
    "csv": rows_of_csv,
    "ndjson": rows_of_ndjson,
    "geojson": rows_of_geojson,
    "xlsx": rows_of_xlsx,
    "parquet": rows_of_parquet,
}


@pytest.fixture
def done(api: Api, consumer: FakePostcodeConsumer) -> Json:
    upload = api.upload(CSV)
    work_until_ended()
    return upload


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_every_format_has_the_rows_and_columns_of_the_csv(api: Api, done: Json, suffix: str) -> None:
    expected = rows_of_csv(fetch(api, done, "csv"))
    assert len(expected) == 6
    rows = READERS[suffix](fetch(api, done, suffix))
    if suffix == "xlsx":  # openpyxl gives what is written, in the notation of the format
        rows = [{name: openpyxl.utils.escape.unescape(text) for name, text in row.items()} for row in rows]
    assert rows == expected
    assert [*rows[0]] == ["id", "lat", "lon", "note", *COLUMNS]


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_while_the_work_goes_on_every_record_is_there(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, suffix: str
) -> None:
    settings.CHUNK_ROWS = 2
    upload = api.upload(CSV)
    work_until_idle_once = Worker()
    work_until_idle_once.run_once()
    work_until_idle_once.stop()
    rows = READERS[suffix](fetch(api, upload, suffix))
    assert len(rows) == 6
    assert rows[0]["result_status"] == "match"
    assert rows[5]["result_status"] == "pending"


def test_texts_stay_texts_and_distances_are_numbers(api: Api, done: Json) -> None:
    first, sea = (json.loads(line) for line in fetch(api, done, "ndjson").splitlines()[:2])
    assert (first["id"], first["result_distance_m"], first["result_reason"]) == ("007", 0.0, None)
    assert sea["result_distance_m"] is None
    (_, row, *_), *_ = sheets_of(fetch(api, done, "xlsx"))
    assert (row[0], row[7]) == ("007", 0)
    assert (
        parquet.read_table(io.BytesIO(fetch(api, done, "parquet"))).schema.field("result_distance_m").type == "double"
    )


def test_features_are_points_with_the_longitude_first_and_rejected_rows_have_none(api: Api, done: Json) -> None:
    features = json.loads(fetch(api, done, "geojson"))["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [-0.141588, 51.501009]}
    assert [feature["geometry"] is None for feature in features] == [False, False, True, True, False, False]


def test_parquet_says_that_it_has_locations(api: Api, done: Json) -> None:
    table = parquet.read_table(io.BytesIO(fetch(api, done, "parquet")))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["columns"][geo["primary_column"]]["encoding"] == "WKB"
    points = table.column("geometry").to_pylist()
    assert points[0] == bytes.fromhex("0101000000") + __import__("struct").pack("<dd", -0.141588, 51.501009)
    assert points[2] is None


def test_no_cell_of_a_workbook_is_a_formula(api: Api, done: Json) -> None:
    book = openpyxl.load_workbook(io.BytesIO(fetch(api, done, "xlsx")))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"inlineStr", "s", "n"}
    assert book.worksheets[0]["D3"].value == "=1+1"


def test_rows_that_a_sheet_has_no_place_for_are_on_further_ones(
    api: Api, done: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "_MOST_ROWS", 3)
    content = fetch(api, done, "xlsx")
    assert [len(rows) for rows in sheets_of(content)] == [3, 3, 3]
    assert [row["id"] for row in rows_of_xlsx(content)] == ["007", "2", "3", "4", "5", "6"]


def test_the_service_reads_its_own_workbook(api: Api, done: Json) -> None:
    again = api.upload(fetch(api, done, "xlsx"), filename="again.xlsx")
    work_until_ended()
    assert api.show(again)["rows"] == api.show(done)["rows"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_rows_is_a_file(api: Api, consumer: FakePostcodeConsumer, suffix: str) -> None:
    upload = api.upload("lat,lon\n")
    work_until_ended()
    assert READERS[suffix](fetch(api, upload, suffix)) == []


@pytest.mark.parametrize("suffix", SUFFIXES[1:])
def test_each_column_has_a_name_of_its_own(api: Api, consumer: FakePostcodeConsumer, suffix: str) -> None:
    upload = api.upload("lat,lon,,a,a,result_status\n56,2.5,1,2,3,4\n")
    work_until_ended()
    (row,) = READERS[suffix](fetch(api, upload, suffix))
    assert [*row] == ["lat", "lon", "column_3", "a", "a_2", "result_status", *(f"{name}_2" for name in COLUMNS)]
    assert [row[name] for name in ("column_3", "a", "a_2", "result_status", "result_status_2")] == [*"1234", "no_match"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["Site\nname", 'size (5" pipe)', "path\\name", "result_status", "result_distance_m"])
def test_a_column_may_have_any_name(api: Api, consumer: FakePostcodeConsumer, suffix: str, name: str) -> None:
    quoted = name.replace('"', '""')
    upload = api.upload(f'"{quoted}",lat,lon\nx,51.501009,-0.141588\n')
    work_until_ended()
    (row,) = READERS[suffix](fetch(api, upload, suffix))
    assert row[name] == "x"
    assert [text for key, text in row.items() if "postcode" in key] == ["SW1A 1AA"]


def test_columns_without_a_header_have_numbers(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("51.5,-0.1,x\n56,2.5,y\n", latitude="1", longitude="2", has_header="false")
    assert [*rows_of_ndjson(fetch(api, upload, "ndjson"))[1]][:3] == ["column_1", "column_2", "column_3"]
    assert fetch(api, upload, "csv", columns="column_3,result_status") == b"x,pending\ny,pending\n"


def test_what_a_row_has_too_many_stands_in_its_last_column(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon,name\n56,2.5,a\n56,2.5,b,c,d\n56,2.5,e\n")
    work_until_ended()
    rows = rows_of_ndjson(fetch(api, upload, "ndjson"))
    assert [row["name"] for row in rows] == ["a", "b,c,d", "e"]
    assert rows[1]["result_reason"] == "too_many_fields"


# --- a part of it --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_and_rows_are_chosen(api: Api, done: Json, suffix: str) -> None:
    rows = READERS[suffix](fetch(api, done, suffix, columns="result_status,note", status="no_match"))
    assert [[*row] for row in rows] == [["result_status", "note"]] * 3
    notes = [row["note"].replace("_x0007_", "\x07") for row in rows]
    assert notes == ["=1+1", 'two\nlines, "quoted"', "Ünï \x07"]


def test_rows_of_one_status_keep_their_text(api: Api, done: Json) -> None:
    lines = fetch(api, done, "csv", status="rejected").decode().splitlines()
    assert lines[1:] == ["3,x,-1,,rejected,not_a_number,,,,,,,", "4,51,,,rejected,too_few_fields,,,,,,,"]


def test_chosen_columns_of_a_csv_are_in_its_own_dialect(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload('lat;lon;"a;b"\r\n51,501009;-0,141588;=1\r\n')
    work_until_ended()
    content = fetch(api, upload, "csv", columns='result_distance_m,"a;b"', safe="1")
    assert content == b'result_distance_m;"a;b"\r\n0,0;\'=1\r\n'


def test_chosen_columns_of_a_safe_result_are_safe_in_the_header_too(api: Api) -> None:
    upload = api.upload("lat,lon,=a,b\n56,2.5,@x,y\n")
    assert fetch(api, upload, "csv", columns="=a,b", safe="1") == b"'=a,b\n'@x,y\n"


@pytest.mark.parametrize("columns", ["id,nothing", "id,id", "", '"id'])
def test_columns_that_are_not_there_are_refused(api: Api, done: Json, columns: str) -> None:
    problem = problem_of(api.get(f"{UPLOADS}{done['id']}/result.ndjson", columns=columns), 400, "invalid-parameter")
    if columns != '"id':
        assert problem["accepted"] == ["id", "lat", "lon", "note", *COLUMNS]


def test_a_name_with_a_comma_is_quoted(api: Api) -> None:
    upload = api.upload('lat,lon,"a, b"\n56,2.5,1\n')
    assert rows_of_ndjson(fetch(api, upload, "ndjson", columns='"a, b",lat')) == [{"a, b": "1", "lat": "56"}]


@pytest.mark.parametrize(
    ("suffix", "query"), [("csv", {"status": "ok"}), ("csv", {"safe": "2"}), ("xlsx", {"safe": "1"})]
)
def test_other_values_and_parameters_are_refused(api: Api, done: Json, suffix: str, query: dict[str, str]) -> None:
    problem_of(api.get(f"{UPLOADS}{done['id']}/result.{suffix}", **query), 400, "invalid-parameter")


# --- which format --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accept", "suffix"),
    [
        (None, "csv"),
        ("*/*", "csv"),
        ("text/html, application/geo+json;q=0.8, text/csv;q=0.5", "geojson"),
        ("application/x-ndjson", "ndjson"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("application/vnd.apache.parquet", "parquet"),
    ],
)
def test_accept_chooses_the_format(api: Api, done: Json, accept: str | None, suffix: str) -> None:
    headers = {"Accept": accept} if accept else {}
    response = api.client.get(f"{UPLOADS}{done['id']}/result/", headers=headers)
    assert response.headers["Content-Type"].split(";")[0] == formats.FORMATS[suffix].media_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="places-result.{suffix}"'
    assert "Accept" in response.headers["Vary"].split(", ")
    assert len(READERS[suffix](b"".join(response.streaming_content))) == 6


def test_a_format_that_nobody_writes_is_not_acceptable(api: Api, done: Json) -> None:
    response = api.client.get(f"{UPLOADS}{done['id']}/result/", headers={"Accept": "application/pdf"})
    assert "text/csv" in problem_of(response, 406, "not-acceptable")["accepted"]


def test_without_pyarrow_there_is_no_parquet(api: Api, done: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    formats.formats_here.cache_clear()
    try:
        problem = problem_of(api.get(f"{UPLOADS}{done['id']}/result.parquet"), 406, "not-acceptable")
        assert "pyarrow" in problem["detail"]
        assert "result_parquet" not in api.show(done)["links"]
    finally:
        formats.formats_here.cache_clear()


def test_the_links_lead_to_every_format(api: Api, done: Json) -> None:
    links = api.show(done)["links"]
    for suffix in SUFFIXES:
        assert api.client.head(links[f"result_{suffix}"]).status_code == 200


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_texts_are_packed_for_who_takes_it(api: Api, done: Json, suffix: str) -> None:
    address = f"{UPLOADS}{done['id']}/result.{suffix}"
    response = api.client.get(address, headers={"Accept-Encoding": "deflate, gzip;q=0.5"})
    content = b"".join(response.streaming_content)
    if suffix in ("csv", "ndjson", "geojson"):
        assert response.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in response.headers["Vary"]
        content = gzip.decompress(content)
    assert "Content-Encoding" not in api.client.head(address, headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert content == fetch(api, done, suffix)


def test_a_long_result_is_the_same_in_every_format(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(
        "id,lat,lon\n" + "".join(f"{number},{50.125 + number % 8},-1.125\n" for number in range(12_000))
    )
    work_until_ended()
    expected = rows_of_csv(fetch(api, upload, "csv"))
    assert len(expected) == 12_000
    for suffix in SUFFIXES[1:]:
        assert READERS[suffix](fetch(api, upload, suffix)) == expected
