"""How a file is written, told from its beginning."""

import io
from typing import Any

import pytest

from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.errors import ColumnsError, EmptyFileError, ReadingError, UnsupportedFileError
from uploads.reading.records import read_rows


def detect(data: str | bytes, **declared: Any) -> Dialect:
    return detect_dialect(data.encode() if isinstance(data, str) else data, Declared(**declared))


def coordinates_of(data: str | bytes, **declared: Any) -> list[Any]:
    encoded = data.encode() if isinstance(data, str) else data
    rows = read_rows(io.BytesIO(encoded), detect(encoded, **declared))
    return [row.reason or (row.latitude, row.longitude) for row in rows]


# --- delimiter -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told(delimiter: str) -> None:
    text = "name,lat,lon\nhere,51.5,-0.1\n".replace(",", delimiter)
    assert detect(text).delimiter == delimiter
    assert coordinates_of(text) == [(51.5, -0.1)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_a_header_alone(delimiter: str) -> None:
    assert detect(f"lat{delimiter}lon").delimiter == delimiter


def test_other_delimiters_in_the_cells_do_not_mislead() -> None:
    text = 'name,lat,lon\n"a; b; c; d",51.5,-0.1\n"e|f|g|h",52.5,-1.1\n'
    assert detect(text).delimiter == ","


def test_a_declared_delimiter_is_taken() -> None:
    assert detect("lat|lon;x\n51|0;0", delimiter="|", latitude="1", longitude="2").delimiter == "|"


def test_semicolons_and_decimal_commas_are_told_together() -> None:
    dialect = detect("Ort;Breitengrad;Längengrad\r\nBrighton;50,82253;-0,13716\r\n")
    assert (dialect.delimiter, dialect.decimal) == (";", ",")
    assert (dialect.latitude, dialect.longitude) == ("Breitengrad", "Längengrad")


def test_decimal_commas_in_quotes_are_told_among_commas() -> None:
    assert coordinates_of('lat,lon\n"51,5","-0,1"\n') == [(51.5, -0.1)]


def test_a_declared_decimal_sign_is_taken() -> None:
    assert coordinates_of("lat;lon\n51,5;-0,1\n51.5;-0.1\n", decimal=".") == ["not_a_number", (51.5, -0.1)]
    assert coordinates_of("lat;lon\n51;-1\n", decimal=",") == [(51, -1)]


# --- encoding ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_the_encoding_is_told(encoding: str, told: str) -> None:
    data = "café,lat,lon\nhere,51.5,-0.1\n".encode(encoding)
    assert detect(data).encoding == told
    assert coordinates_of(data) == [(51.5, -0.1)]


def test_utf_16_with_the_big_end_first_is_read() -> None:
    assert coordinates_of(b"\xfe\xff" + "lat,lon\n51.5,-0.1\n".encode("utf-16-be")) == [(51.5, -0.1)]


@pytest.mark.parametrize(
    ("mark", "written", "declared"),
    [
        (b"\xef\xbb\xbf", "utf-8", "utf-8"),
        (b"\xff\xfe", "utf-16-le", "utf-16"),
        (b"\xff\xfe", "utf-16-le", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be", "utf-16-be"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_header(mark: bytes, written: str, declared: str) -> None:
    dialect = detect(mark + "lat,lon\n51.5,-0.1\n".encode(written), encoding=declared)
    assert dialect.latitude == "lat"


def test_a_declared_encoding_is_taken() -> None:
    assert detect("Straße,lat,lon\n".encode("cp850"), encoding="cp850").encoding == "cp850"


def test_bytes_that_are_not_of_the_declared_encoding_are_an_error() -> None:
    with pytest.raises(ReadingError, match="not utf-8"):
        detect(b"caf\xe9,lat,lon\n", encoding="utf-8")


def test_a_character_that_the_sample_cuts_off_is_no_fault() -> None:
    row = "51.5,-0.1,é\n".encode()
    data = (b"lat,lon,n\n" + row * 20_000)[: 1 << 17]
    for cut in range(12):
        assert detect(data[: len(data) - cut]).encoding == "utf-8"


# --- header and columns --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("lat", "lon"), ("LAT", "LONG"), ("Latitude", "Longitude"), (" latitude ", "lng"), ("y_lat", "x_lon"),
        ("GEO-LAT", "GEO-LNG"), ("decimalLatitude", "decimalLongitude"), ("location.latitude", "location.longitude"),
        ("Decimal Latitude", "Decimal Longitude"), ("wgs84_lat", "wgs84_lon"), ("breitengrad", "LÄNGENGRAD"),
    ],
)  # fmt: skip
def test_usual_names_are_recognised_in_any_spelling(latitude: str, longitude: str) -> None:
    dialect = detect(f"id,{longitude},{latitude}\n1,-0.1,51.5\n")
    assert (dialect.has_header, dialect.longitude_column, dialect.latitude_column) == (True, 1, 2)
    assert (dialect.latitude, dialect.longitude) == (latitude.strip(), longitude.strip())


@pytest.mark.parametrize(
    ("header", "seen"),
    [("a,b,c", ["a", "b", "c"]), ("lat,b,c", ["lat", "b", "c"]), ("a,b,lon", ["a", "b", "lon"])],
)
def test_a_missing_column_is_an_error_that_shows_the_columns(header: str, seen: list[str]) -> None:
    with pytest.raises(ColumnsError) as caught:
        detect(f"{header}\nx,y,z\n")
    assert caught.value.extra["columns_seen"] == seen


def test_two_candidates_are_an_error_that_shows_both() -> None:
    with pytest.raises(ColumnsError, match="Several columns could be the latitude") as caught:
        detect("lat,lon,latitude\n51.5,-0.1,52.5\n")
    assert caught.value.extra == {"columns_seen": ["lat", "lon", "latitude"], "candidates": [1, 3]}


def test_two_candidates_are_told_apart_by_a_declared_number() -> None:
    assert coordinates_of("lat,lon,lat\n1,-0.1,51.5\n", latitude="3") == [(51.5, -0.1)]


def test_duplicate_names_of_other_columns_do_not_matter() -> None:
    assert coordinates_of("note,lat,note,lon\na,51.5,b,-0.1\n") == [(51.5, -0.1)]


def test_columns_without_a_name_do_not_matter() -> None:
    assert coordinates_of("id,,lat,lon,\n1,2,51.5,-0.1,\n") == [(51.5, -0.1)]


def test_eastings_and_northings_beside_the_coordinates_do_not_matter() -> None:
    text = "easting,northing,latitude,longitude\n528858,184211,51.542104,-0.143262\n"
    assert coordinates_of(text) == [(51.542104, -0.143262)]


@pytest.mark.parametrize(("latitude", "longitude"), [("North", "West"), ("north ", "WEST"), ("2", "1"), ("North", "1")])
def test_declared_columns_are_taken_by_name_or_by_number(latitude: str, longitude: str) -> None:
    assert coordinates_of("West,North\n-0.1,51.5\n", latitude=latitude, longitude=longitude) == [(51.5, -0.1)]


@pytest.mark.parametrize("column", ["nowhere", "0", "3", "-1", "9" * 5_000])
def test_a_declared_column_that_is_not_there_is_an_error(column: str) -> None:
    with pytest.raises(ColumnsError) as caught:
        detect("lat,lon\n51.5,-0.1\n", latitude=column)
    assert caught.value.extra["columns_seen"] == ["lat", "lon"]


def test_the_same_column_twice_is_an_error() -> None:
    with pytest.raises(ColumnsError, match="cannot be the same column"):
        detect("id,lat,lon\n7,51.5,-0.1\n", latitude="2", longitude="2")


def test_without_a_header_the_columns_are_told_by_their_values() -> None:
    text = "7\there\t-0.1\t51.5\n8\tthere\t-1.2\t53.4\n9\tnowhere\tNA\tNA\n"
    dialect = detect(text)
    assert (dialect.has_header, dialect.latitude, dialect.longitude) == (False, 4, 3)
    assert coordinates_of(text) == [(51.5, -0.1), (53.4, -1.2), "coordinates_missing"]


def test_without_a_header_values_that_do_not_tell_are_an_error_that_shows_the_candidates() -> None:
    with pytest.raises(ColumnsError) as caught:
        detect("51.5,52.5,-0.1\n51.6,52.6,-0.2\n")
    assert caught.value.extra == {"columns_seen": [1, 2, 3], "candidates": [1, 2, 3]}


def test_without_a_header_declared_numbers_are_taken() -> None:
    assert coordinates_of("-33.9,151.2\n", latitude="1", longitude="2") == [(-33.9, 151.2)]


def test_a_declared_header_is_skipped_and_a_declared_missing_one_is_a_row() -> None:
    assert coordinates_of("51,0\n52,1\n", has_header=True, latitude="1", longitude="2") == [(52, 1)]
    assert coordinates_of("x,y\n52,1\n", has_header=False, latitude="1", longitude="2") == ["not_a_number", (52, 1)]


def test_too_many_columns_are_an_error() -> None:
    with pytest.raises(ReadingError, match="more than 10,000"):
        detect(",".join(["lat", "lon", *["x"] * 10_000]) + "\n")


# --- what is no table ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "beginning",
    [
        b"PK\x03\x04rest",
        b"%PDF-1.7",
        b"\x1f\x8b\x08",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"SQLite format 3\0",
        b"PK\x05\x06",
        b"\x89PNG\r\n",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"\xff\xfe\0\0",
    ],
)
def test_other_formats_are_told_by_their_first_bytes(beginning: bytes) -> None:
    with pytest.raises(UnsupportedFileError, match="whatever its name says"):
        detect(beginning + b"lat,lon\n51.5,-0.1\n")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n\r\n", b"  \n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", b'""\n', b'"\xc2\xa0"']
)
def test_a_file_with_nothing_in_it_is_empty(data: bytes) -> None:
    with pytest.raises(EmptyFileError):
        detect(data)


def test_many_blank_lines_before_the_header_do_not_matter() -> None:
    assert coordinates_of("\n" * 300 + "lat,lon\n51.5,-0.1\n") == [(51.5, -0.1)]


def test_a_header_with_an_unclosed_quote_is_an_error() -> None:
    with pytest.raises(ReadingError):
        detect('"lat,lon\n51.5,-0.1\n')


def test_text_that_is_no_table_is_an_error() -> None:
    with pytest.raises(ColumnsError):
        detect("Dear all,\nplease find the places attached.\n")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declared", [{}, {"encoding": "utf-16"}])
def test_utf_16_without_a_mark_is_told_by_its_zeros(encoding: str, declared: dict[str, str]) -> None:
    data = "lat,lon\n51.5,-0.1\n".encode(encoding)
    assert detect(data, **declared).encoding == encoding
    assert coordinates_of(data, **declared) == [(51.5, -0.1)]


def test_a_declared_mark_that_is_not_there_is_not_expected_in_the_result() -> None:
    assert detect("lat,lon\n51.5,-0.1\n", encoding="utf-8-sig").encoding == "utf-8"


def test_a_column_that_is_called_pk_makes_no_zip_archive_of_the_file() -> None:
    assert detect("PK,lat,lon\n1,51.5,-0.1\n").latitude == "lat"


def test_the_columns_that_are_shown_are_not_as_large_as_the_file() -> None:
    with pytest.raises(ReadingError) as caught:
        detect("x" * 100_000 + ",y\n1,2\n")
    assert len(str(caught.value.extra["columns_seen"])) < 300
