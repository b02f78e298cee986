"""`POST /uploads/`: the ways in which a file may come, and those in which it may not."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.api import UPLOADS, Api, problem_of
from tests.sending import CSV, assert_nothing_stored, part, send_parts, stored

from uploads.accepting.options import OPTIONS
from uploads.reading.detecting.delimiter import DELIMITERS

pytestmark = pytest.mark.django_db


# --- accepted ------------------------------------------------------------------------------------------------------
def test_a_form_with_a_file_is_accepted(api: Api, data_dir: Path) -> None:
    response = send_parts(api, part("file", CSV, "places.csv"))
    assert response.status_code == 202
    assert response.json()["filename"] == "places.csv"
    assert stored(data_dir) == [CSV]


@pytest.mark.parametrize(
    ("sent", "shown"), [("6%22 map.csv", '6" map.csv'), ("50%25.csv", "50%25.csv"), ('6\\" map.csv', '6" map.csv')]
)
def test_a_quote_in_the_name_of_a_file_comes_as_browsers_write_it(api: Api, sent: str, shown: str) -> None:
    response = send_parts(api, part("file", CSV, sent))
    assert (response.status_code, response.json()["filename"]) == (202, shown)


@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8", "TEXT/CSV", "text/plain"])
def test_the_file_itself_is_accepted(api: Api, data_dir: Path, content_type: str) -> None:
    response = api.post(f"{UPLOADS}?filename=places.csv", CSV, content_type)
    assert response.status_code == 202
    assert response.json()["filename"] == "places.csv"
    assert response.json()["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert stored(data_dir) == [CSV]


def test_every_byte_is_stored_as_it_came(api: Api, data_dir: Path) -> None:
    content = CSV + b'"--limi\r\n--limi",\x00\xff\r\n\r\n--' + b"51.5,-0.1,\r\n" * 50_000
    assert send_parts(api, part("file", content, "places.csv")).status_code == 202
    assert stored(data_dir) == [content]


def test_options_are_taken_from_the_form(api: Api) -> None:
    fields = {"latitude": "y", "longitude": "x", "has_header": "true", "delimiter": ";", "encoding": "Windows-1252",
              "decimal": ",", "max_distance": "500.5"}  # fmt: skip
    upload = api.upload("x;y\n-0,1;51,5\n", **fields)
    assert upload["dialect"] == {"delimiter": ";", "quoting": "quotes", "encoding": "cp1252", "has_header": True,
                                 "decimal": ",", "latitude": "y", "longitude": "x",
                                 "coordinates": "degrees", "format": "csv"}  # fmt: skip
    assert upload["max_distance"] == 500.5


def test_options_are_taken_from_the_query(api: Api) -> None:
    query = "latitude=2&longitude=1&has_header=false&delimiter=tab&encoding=utf-8&decimal=.&max_distance=20000"
    response = api.post(f"{UPLOADS}?{query}", b"-0.1\t51.5\n")
    assert response.status_code == 202
    assert response.json()["dialect"] == {"delimiter": "\t", "quoting": "none", "encoding": "utf-8",
                                          "has_header": False, "decimal": ".",
                                          "latitude": 2, "longitude": 1, "coordinates": "degrees",
                                          "format": "csv"}  # fmt: skip
    assert response.json()["max_distance"] == 20_000


def test_fields_may_come_behind_the_file(api: Api) -> None:
    response = send_parts(
        api, part("file", b"a,b\n51.5,-0.1\n", "x.csv"), part("latitude", b"a"), part("longitude", b"b")
    )
    assert response.status_code == 202
    assert response.json()["dialect"]["longitude"] == "b"


def test_empty_options_count_as_not_given(api: Api) -> None:
    upload = send_parts(api, *(part(name, b"") for name in OPTIONS), part("file", CSV, "places.csv")).json()
    assert upload["filename"] == "places.csv"
    assert upload["dialect"]["latitude"] == "lat"
    assert upload["max_distance"] == 2_000


@pytest.mark.parametrize("delimiter", [*DELIMITERS, *":^ ", "space", "comma", "semicolon", "tab", "pipe", "\\t"])
def test_the_delimiter_may_be_given_by_character_or_by_name(api: Api, delimiter: str) -> None:
    character = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "\\t": "\t", "space": " "}.get(
        delimiter, delimiter
    )
    assert api.upload(f"lat{character}lon\n", delimiter=delimiter)["dialect"]["delimiter"] == character


# --- refused -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("has_header", "maybe"), ("delimiter", "::"), ("delimiter", "x"), ("delimiter", "."), ("delimiter", '"'),
        ("quoting", "some"), ("encoding", "klingon"),
        ("encoding", "base64"), ("encoding", "undefined"), ("encoding", "idna"), ("encoding", "unicode_escape"),
        ("encoding", "a\0b"), ("encoding", "ü"), ("encoding", "../utf_8"), ("decimal", ";"), ("max_distance", "0"),
        ("max_distance", "-1"), ("max_distance", "20001"), ("max_distance", "nan"), ("max_distance", "inf"),
        ("max_distance", "2_000"), ("max_distance", "２０"), ("max_distance", "9" * 5_000), ("max_distance", "far"),
    ],
)  # fmt: skip
def test_an_option_that_is_not_valid_is_named(api: Api, data_dir: Path, option: str, value: str) -> None:
    problem = problem_of(api.send_form(CSV, **{option: value}), 400, "invalid-option")
    assert problem["option"] == option
    assert_nothing_stored(data_dir)


def test_a_form_without_a_file_is_malformed(api: Api, data_dir: Path) -> None:
    problem_of(send_parts(api, part("latitude", b"lat")), 400, "malformed-form")
    assert_nothing_stored(data_dir)


def test_a_form_with_two_files_is_malformed(api: Api, data_dir: Path) -> None:
    response = send_parts(api, part("file", CSV, "a.csv"), part("file", CSV, "b.csv"))
    assert "several files" in problem_of(response, 400, "malformed-form")["detail"]
    assert_nothing_stored(data_dir)


def test_a_file_in_another_field_is_malformed(api: Api, data_dir: Path) -> None:
    response = send_parts(api, part("upload", CSV, "a.csv"))
    assert "'upload'" in problem_of(response, 400, "malformed-form")["detail"]
    assert_nothing_stored(data_dir)


def test_a_file_sent_as_text_is_malformed(api: Api, data_dir: Path) -> None:
    problem_of(send_parts(api, part("file", CSV)), 400, "malformed-form")
    assert_nothing_stored(data_dir)


@pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=" + "x" * 300])
def test_a_form_without_a_usable_boundary_is_malformed(api: Api, data_dir: Path, parameters: str) -> None:
    response = api.post(UPLOADS, part("file", CSV, "a.csv") + b"--limit--\r\n", f"multipart/form-data{parameters}")
    problem_of(response, 400, "malformed-form")
    assert_nothing_stored(data_dir)


def test_a_form_that_breaks_the_rules_is_malformed(api: Api, data_dir: Path) -> None:
    problem_of(api.post(UPLOADS, b"lat,lon\n", "multipart/form-data; boundary=limit"), 400, "malformed-form")
    assert_nothing_stored(data_dir)


@pytest.mark.parametrize("end", [b"", b"--limit", b"--limi"])
def test_a_form_that_ends_before_its_end_is_cut_short(api: Api, data_dir: Path, end: bytes) -> None:
    problem_of(send_parts(api, part("file", CSV, "a.csv"), end=end), 400, "body-cut-short")
    assert_nothing_stored(data_dir)


def test_a_field_that_is_too_long_is_malformed(api: Api, data_dir: Path) -> None:
    response = send_parts(api, part("latitude", b"x" * 20_000), part("file", CSV, "a.csv"))
    assert "'latitude'" in problem_of(response, 400, "malformed-form")["detail"]
    assert_nothing_stored(data_dir)


def test_a_form_that_goes_on_behind_its_end_is_too_large(api: Api, data_dir: Path) -> None:
    response = send_parts(api, part("file", CSV, "a.csv"), end=b"--limit--\r\n" + b"x" * 2_000_000)
    problem_of(response, 413, "upload-too-large")
    assert_nothing_stored(data_dir)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/html", "image/png", "x"])
def test_another_kind_of_body_is_not_taken(api: Api, data_dir: Path, content_type: str) -> None:
    problem_of(api.post(UPLOADS, CSV, content_type), 415, "unsupported-media-type")
    assert_nothing_stored(data_dir)


def test_a_compressed_body_is_not_taken(api: Api, data_dir: Path) -> None:
    problem_of(api.post(UPLOADS, CSV, Content_Encoding="br"), 415, "unsupported-media-type")
    assert_nothing_stored(data_dir)


def test_another_format_named_csv_is_told_by_its_first_bytes(api: Api, data_dir: Path) -> None:
    problem_of(api.send_form(b"%PDF-1.7\n" + CSV, "places.csv"), 415, "unsupported-file")
    assert_nothing_stored(data_dir)


def test_a_file_above_the_maximum_is_too_large(api: Api, data_dir: Path, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = len(CSV)
    assert api.post(UPLOADS, CSV).status_code == 202
    for response in (api.post(UPLOADS, CSV + b"x"), api.send_form(CSV + b"x")):
        assert problem_of(response, 413, "upload-too-large")["max_bytes"] == len(CSV)
    assert stored(data_dir) == [CSV]


def test_a_declared_length_above_the_maximum_is_refused_before_it_is_read(api: Api, data_dir: Path) -> None:
    response = api.client.generic("POST", UPLOADS, CSV, content_type="text/csv", CONTENT_LENGTH=str(1 << 41))
    problem_of(response, 413, "upload-too-large")
    assert_nothing_stored(data_dir)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(api: Api, data_dir: Path, content: bytes) -> None:
    problem_of(api.send_form(content), 422, "empty-file")
    problem_of(api.post(UPLOADS, content), 422, "empty-file")
    assert_nothing_stored(data_dir)


def test_a_file_without_coordinate_columns_is_refused_with_the_columns_that_were_seen(api: Api, data_dir: Path) -> None:
    problem = problem_of(api.send_form("name,lat\nhere,51.5\n"), 422, "columns-not-found")
    assert problem["columns_seen"] == ["name", "lat"]
    assert_nothing_stored(data_dir)


def test_ambiguous_columns_are_refused_with_the_candidates(api: Api) -> None:
    problem = problem_of(api.send_form("latitude,longitude,lng,lat\n1,2,3,4\n"), 422, "columns-not-found")
    assert problem["candidates"] == [1, 4]


def test_bytes_that_are_not_of_the_declared_encoding_are_refused(api: Api) -> None:
    problem_of(api.send_form(b"caf\xe9,lat,lon\n", encoding="utf-8"), 422, "unreadable-file")


def test_a_nul_in_a_header_is_no_obstacle(api: Api) -> None:
    assert api.send_form(b"l\0at,lon\n51.5,-0.1\n", latitude="1", longitude="2").status_code == 202


# --- names ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\places.csv", "places.csv"),
        ("a\u202evsc.exe.csv", "avsc.exe.csv"),
        ("a\x00b\x1b[31m\x7f.csv", "ab[31m.csv"),
        ("line\nbreak\u2028\x85\u061c.csv", "linebreak.csv"),
        ("x" * 300 + ".csv", "x" * 251 + ".csv"),
        ("Plätze 東京.csv", "Plätze 東京.csv"),
        ("/", "upload.csv"),
        ("", "upload.csv"),
        ("   ", "upload.csv"),
    ],
)
def test_a_name_is_only_shown_and_what_could_mislead_is_taken_out(
    api: Api, data_dir: Path, sent: str, shown: str
) -> None:
    response = api.client.post(f"{UPLOADS}?{urlencode({'filename': sent})}", CSV, content_type="text/csv")
    assert response.status_code == 202
    assert response.json()["filename"] == shown
    names = [path.name for path in (data_dir / "uploads" / "files").iterdir()]
    assert names == [response.json()["id"].replace("-", "") + ".csv"]


@pytest.mark.parametrize("fields", [[], [part("filename", b"b.csv")]], ids=["query", "form"])
def test_a_name_that_is_given_as_an_option_is_taken_before_that_of_the_form(api: Api, fields: list[bytes]) -> None:
    query = "" if fields else "?filename=b.csv"
    body = b"".join([part("file", CSV, "a.csv"), *fields]) + b"--limit--\r\n"
    response = api.post(UPLOADS + query, body, "multipart/form-data; boundary=limit")
    assert response.json()["filename"] == "b.csv"


def test_the_name_in_a_form_is_cleaned_too(api: Api) -> None:
    response = send_parts(api, part("file", CSV, "../../etc/pass\u202ewd"))
    assert response.json()["filename"] == "passwd"


@pytest.mark.parametrize("encoding", ["utf-7", "hz", "iso2022_jp", "cp037", "utf-32", "charmap"])
def test_an_encoding_whose_faults_spread_is_refused(api: Api, encoding: str) -> None:
    problem = problem_of(api.send_form(b"lat,lon\n51.5,-0.1\n", encoding=encoding), 400, "invalid-option")
    assert problem["option"] == "encoding"


def test_an_upload_to_the_address_without_its_slash_is_taken(api: Api) -> None:
    upload = api.post(UPLOADS.rstrip("/"), b"lat,lon\n51.5,-0.1\n").json()
    assert upload["links"]["self"].endswith(f"{UPLOADS}{upload['id']}/")


def test_a_very_long_file_name_is_shortened(api: Api) -> None:
    upload = api.send_form(b"lat,lon\n51.5,-0.1\n", filename="n" * 5_000 + ".csv").json()
    assert upload["filename"] == "n" * 251 + ".csv"
