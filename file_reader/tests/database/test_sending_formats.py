"""GeoJSON, other JSON, GPX and KML become CSV when they arrive; archives with more than a table; types of bodies."""

import gzip
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.api import UPLOADS, Api, problem_of
from tests.corpus.formats import collection, feature
from tests.corpus.packing import workbook, zipped
from tests.fake_postcode_consumer import FakePostcodeConsumer, postcode_at
from tests.working import work_until_ended

from uploads.models import Upload
from uploads.reading.formats import converting

pytestmark = pytest.mark.django_db
PREVIEW = f"{UPLOADS}preview/"
CSV = b"name,lat,lon\nhere,50.1,-0.1\n"
GEOJSON = """{"type": "FeatureCollection", "features": [
{"type": "Feature", "id": 7, "properties": {"name": "here", "n": 0.1000, "id": 12345678901234567890123, "x": null,
  "deep": {"a": [1.50, true, "é"], "b": null}}, "geometry": {"type": "Point", "coordinates": [-0.100, 50.10]}},
{"type": "Feature", "properties": {"name": "a line,\\nof two \\"lines\\"", "late": "yes", "x": ""},
  "geometry": {"type": "LineString", "coordinates": [[0, 1], [2.0, 3e0]]}},
{"type": "Feature", "properties": {"name": "above"},
  "geometry": {"type": "Point", "coordinates": [-0.2, 50.2, 12.50]}}]}"""
TABLE = [
    'latitude,longitude,name,n,id,x,deep,feature_id,late,geometry',
    '50.10,-0.100,here,0.1000,12345678901234567890123,,"{""a"":[1.50,true,""é""],""b"":null}",7,,',
    ',,"a line,\nof two ""lines""",,,,,,yes,"{""type"":""LineString"",""coordinates"":[[0,1],[2.0,3e0]]}"',
    '50.2,-0.2,above,,,,,,,"{""type"":""Point"",""coordinates"":[-0.2,50.2,12.50]}"',
]  # fmt: skip


def stored(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir / "uploads").rglob("*") if path.is_file()]


def test_geojson_becomes_a_table_in_which_nothing_is_lost(
    api: Api, consumer: FakePostcodeConsumer, data_dir: Path
) -> None:
    upload = api.upload(GEOJSON)
    assert upload["size"] == len(GEOJSON.encode())
    assert (upload["dialect"]["format"], upload["dialect"]["latitude"]) == ("geojson", "latitude")
    assert len(stored(data_dir)) == 1
    work_until_ended()
    result = api.result(upload).decode().split("\r\n")
    assert [line.startswith(start) for line, start in zip(result, TABLE, strict=False)] == [True] * 4
    assert result[0] == TABLE[0] + ",result_status" + result[0].partition(",result_status")[2]
    assert postcode_at(50.1, -0.1) in result[1]
    rows = api.rows(upload)
    assert [(row["status"], row["latitude"]) for row in rows] == [("match", 50.1), ("rejected", None), ("match", 50.2)]
    assert (rows[1]["line"], rows[1]["reason"]) == (3, "coordinates_missing")
    assert rows[1]["raw"].startswith(TABLE[2])


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (GEOJSON, "geojson"),
        ('{"name":"here","lat":50.1,"lon":-0.1}\n', "json"),
        ('{"name":"here","lat":50.1,"lon":-0.1}\n' * 2, "ndjson"),
        ('<gpx><wpt lat="50.1" lon="-0.1"><name>here</name></wpt></gpx>', "gpx"),
        (
            "<kml><Placemark><name>here</name><Point><coordinates>-0.1,50.1</coordinates></Point></Placemark></kml>",
            "kml",
        ),
        (CSV.decode(), "csv"),
    ],
)
def test_a_preview_shows_the_format_the_columns_and_the_rows(api: Api, data_dir: Path, content: str, form: str) -> None:
    for sent in (content.encode(), gzip.compress(content.encode()), zipped({"d/a": content.encode()})):
        shown = api.post(PREVIEW, sent, "application/octet-stream").json()
        assert shown["dialect"]["format"] == form
        assert "name" in shown["columns"]
        assert (shown["rows"][0]["latitude"], shown["rows"][0]["longitude"]) == (50.1, -0.1)
        assert "here" in shown["rows"][0]["fields"]
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


def test_elements_of_gpx_and_kml_are_columns(api: Api) -> None:
    gpx = (
        '<gpx xmlns:x="u"><wpt lat="50.1" lon="-0.1"><ele>12.50</ele><name>a &amp; b</name><link href="http://a"><text>t'
        '</text></link><link href="http://b"/><extensions><x:deep k="v"><x:d>1</x:d></x:deep></extensions></wpt></gpx>'
    )
    shown = api.post(PREVIEW, gpx.encode(), "application/gpx+xml").json()
    assert dict(zip(shown["columns"], shown["rows"][0]["fields"], strict=True)) == {
        "latitude": "50.1", "longitude": "-0.1", "ele": "12.50", "name": "a & b", "link.href": "http://a",
        "link.text": "t", "link.href_2": "http://b", "deep.k": "v", "deep.d": "1",
    }  # fmt: skip
    kml = (
        '<kml><Placemark id="p"><name>a</name><description><![CDATA[<b>x</b>]]></description><ExtendedData><Data'
        ' name="n"><displayName>N</displayName><value>1</value></Data><SchemaData schemaUrl="#s"><SimpleData name="m">2'
        "</SimpleData></SchemaData></ExtendedData><Point><coordinates>-0.1,50.1,3.0</coordinates></Point></Placemark></kml>"
    )
    shown = api.post(PREVIEW, kml.encode(), "application/vnd.google-earth.kml+xml").json()
    assert dict(zip(shown["columns"], shown["rows"][0]["fields"], strict=True)) == {
        "latitude": "50.1", "longitude": "-0.1", "id": "p", "name": "a", "description": "<b>x</b>",
        "n.displayName": "N", "n": "1", "m": "2", "altitude": "3.0",
    }  # fmt: skip


def test_what_is_wrong_far_down_is_told_with_its_place_and_nothing_is_stored(api: Api, data_dir: Path) -> None:
    lines = [json.dumps(feature(n=number)) for number in range(20_000)]
    lines[19_998] = lines[19_998].replace('"n":', '"n" ')
    for path in (UPLOADS, PREVIEW):
        problem = problem_of(api.post(path, "\n".join(lines).encode(), "application/x-ndjson"), 422, "unreadable-file")
        assert (problem["record"], problem["line"]) == (19_999, 19_999)
        assert problem["detail"].startswith("Feature 19,999, on line 19,999: this is not JSON: '19998")
    assert (Upload.objects.count(), stored(data_dir)) == (0, [])


@pytest.mark.parametrize(
    ("option", "value"), [("delimiter", ";"), ("encoding", "windows-1252"), ("has_header", "false"), ("sheet", "1")]
)
def test_options_of_texts_and_workbooks_are_not_for_geojson(api: Api, data_dir: Path, option: str, value: str) -> None:
    assert problem_of(api.send_form(GEOJSON, **{option: value}), 400, "invalid-option")["option"] == option
    assert stored(data_dir) == []


def test_json_that_is_too_large_is_told_its_own_limit(
    api: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(converting.MAX_BYTES, "json", len(GEOJSON.encode()) - 1)
    problem = problem_of(api.send_form(GEOJSON), 413, "upload-too-large")
    assert problem["max_bytes"] == len(GEOJSON.encode()) - 1
    assert "in parts, or as CSV" in problem["detail"]
    assert stored(data_dir) == []


def test_few_files_are_converted_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
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
        answers = list(threads.map(lambda _: api.post(PREVIEW, GEOJSON.encode()), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert max(at_once) <= 2


def test_what_was_beside_the_table_is_said(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(zipped({"d/README.md": b"x", "d/places.csv": CSV}), filename="places.zip")
    work_until_ended()
    (warning,) = [one for one in api.show(upload)["warnings"] if one["code"] == "left_out"]
    assert "d/README.md" in warning["detail"]
    assert api.show(upload)["rows"]["matched"] == 1


def test_a_workbook_in_a_zip_is_read(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(zipped({"a.xlsx": workbook([["name", "lat", "lon"], ["here", 50.1, -0.1]])}))
    assert upload["dialect"]["format"] == "xlsx"
    work_until_ended()
    assert [row["latitude"] for row in api.rows(upload)] == [50.1]


@pytest.mark.parametrize("kind", ["", "application/octet-stream", "application/vnd.ms-excel", "application/json"])
@pytest.mark.parametrize("content", [CSV, workbook([["lat", "lon"], [50.1, -0.1]]), GEOJSON.encode()])
def test_the_content_decides_whatever_its_type_is(api: Api, kind: str, content: bytes) -> None:
    answer = api.post(PREVIEW, content, kind)
    assert answer.status_code == 200, answer.content
    assert answer.json()["rows"][0]["latitude"] == 50.1


def test_the_same_geojson_with_the_same_key_is_the_same_upload(api: Api) -> None:
    sent = [api.post(UPLOADS, collection(feature()).encode(), Idempotency_Key="monday").json() for _ in range(2)]
    assert sent[0]["id"] == sent[1]["id"]
