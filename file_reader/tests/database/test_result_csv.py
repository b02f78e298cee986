"""`result.csv`: the file as it came, with the answers behind every record."""

import codecs
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer, answer_to
from tests.working import work_until_ended, work_until_idle

from uploads.results.columns import COLUMNS
from uploads.results.pieces import UploadGoneError
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
HEADER = ",".join(COLUMNS)
MATCH = "match,,SW1A 1AA,0.0,SW1A,England,London,Westminster,St James's"
SEA = "no_match,none_within_max_distance,,,,,,,"
PENDING = "pending,,,,,,,,"


def result_of(api: Api, content: str | bytes, **options: str) -> bytes:
    upload = api.upload(content, **options)
    work_until_ended()
    return api.result(upload)


def match_in(district: str) -> dict[str, Any]:
    answer = answer_to(51.5, -0.1)
    return {**answer, "postcode_details": {**answer["postcode_details"], "admin_district": district}}


def test_every_record_comes_back_with_its_answer(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "name,lat,lon\nhere,51.501009,-0.141588\nsea,56,2.5\nbad,x,-1\n")
    assert result.decode() == (
        f"name,lat,lon,{HEADER}\nhere,51.501009,-0.141588,{MATCH}\nsea,56,2.5,{SEA}\nbad,x,-1,rejected,not_a_number,,,,,,,\n"
    )


def test_quotes_spaces_and_line_breaks_in_cells_stay_as_they_are(api: Api, consumer: FakePostcodeConsumer) -> None:
    record = '"51.501009" ,-0.141588,"two\r\nlines; ""quoted""",\'x\', y '
    result = result_of(api, f"lat,lon,a,b,c\r\n{record}\r\n")
    assert result.decode() == f"lat,lon,a,b,c,{HEADER}\r\n{record},{MATCH}\r\n"


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_break_in_a_cell_is_no_line_end(api: Api, consumer: FakePostcodeConsumer, end: str) -> None:
    result = result_of(api, f'lat,lon,n\n56,2.5,"a\nb"{end}')
    assert result.decode() == f'lat,lon,n,{HEADER}\n56,2.5,"a\nb",{SEA}{end}'


@pytest.mark.parametrize("sign", [",", "\t"])
def test_a_result_that_is_sent_again_has_its_answers_replaced(
    api: Api, consumer: FakePostcodeConsumer, sign: str
) -> None:
    old = 'match,,ZZ1 1ZZ,1.5,ZZ1,England,x,"Old, Older",y'
    content = f'name,lat,lon,{HEADER}\n"a, b""",56,2.5,{old}\nc,56,2.5,match\nd,56,2.5\ne,56,2.5,{old},more\n'
    expected = (
        f'name,lat,lon,{HEADER}\n"a, b""",56,2.5,{SEA}\nc,56,2.5,rejected,too_few_fields,,,,,,,\n'
        f"d,56,2.5,rejected,too_few_fields,,,,,,,\ne,56,2.5,{old},more,rejected,too_many_fields,,,,,,,\n"
    )
    swapped = {ord(","): sign, ord("\t"): ","} if sign == "\t" else {}
    assert result_of(api, content.translate(swapped)).decode() == expected.translate(swapped)


def test_answers_of_before_are_replaced_in_every_piece_of_a_long_result(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uploads.results.pieces._ROWS", 1)
    row = "x" * 5_000 + ",56,2.5"
    result = result_of(api, f"name,lat,lon,{HEADER}\n" + f"{row},{MATCH}\n" * 20).decode()
    assert result == f"name,lat,lon,{HEADER}\n" + f"{row},{SEA}\n" * 20


def test_answers_get_a_number_where_other_columns_are_called_like_them(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    result = result_of(api, "result_postcode,lat,lon,result_status_2\nx,56,2.5,y\n").decode()
    numbered = ",".join(f"{name}_3" for name in COLUMNS)
    assert result == f"result_postcode,lat,lon,result_status_2,{numbered}\nx,56,2.5,y,{SEA}\n"


def test_without_quoting_nothing_is_put_into_quotes(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.answers[51.5, -0.1] = match_in('Here: "there"')
    result = result_of(api, 'name:lat:lon\n"x:51.5:-0.1\n', delimiter=":", quoting="none").decode().splitlines()
    assert result[1].startswith('"x:51.5:-0.1:match:')
    assert 'Here_ "there"' in result[1]


def test_what_stands_above_the_header_stays_there(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "sep=;\r\nStations;\r\n\r\nlat;lon\r\n56;2.5\r\n")
    header, sea = HEADER.replace(",", ";"), SEA.replace(",", ";")
    assert result.decode() == f"sep=;\r\nStations;\r\nlat;lon;{header}\r\n56;2.5;{sea}\r\n"


def test_what_stands_above_the_header_is_made_safe_too(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("=1+1\nlat,lon\n56,2.5\n")
    response = api.get(f"{UPLOADS}{upload['id']}/result.csv", safe="1")
    assert b"".join(response.streaming_content).startswith(b"'=1+1\nlat,lon,")


def test_answers_stand_under_their_names_when_rows_are_wider_than_the_header(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    result = result_of(api, "lat,lon\n56,2.5,,\nx,2.5,,\n")
    assert result.decode() == f"lat,lon,,,{HEADER}\n56,2.5,,,{SEA}\nx,2.5,,,rejected,not_a_number,,,,,,,\n"


def test_answers_stand_under_their_names_when_rows_are_narrower_than_the_header(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    result = result_of(api, "lat,lon,\n56,2.5\n56,2.5\n")
    assert result.decode() == f"lat,lon,,{HEADER}\n56,2.5,,{SEA}\n56,2.5,,{SEA}\n"


def test_spaces_before_quotes_stay(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, '"lat", "lon", "n"\n"56", "2.5", "a, b"\n')
    assert result.decode() == f'"lat", "lon", "n",{HEADER}\n"56", "2.5", "a, b",{SEA}\n'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_are(api: Api, consumer: FakePostcodeConsumer, end: str) -> None:
    result = result_of(api, f"lat,lon{end}56,2.5{end}")
    assert result.decode() == f"lat,lon,{HEADER}{end}56,2.5,{SEA}{end}"


def test_mixed_line_ends_stay_mixed(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "lat,lon\r\n56,2.5\n56,2.5\r56,2.5")
    assert result.decode() == f"lat,lon,{HEADER}\r\n56,2.5,{SEA}\n56,2.5,{SEA}\r56,2.5,{SEA}"


def test_a_file_without_a_last_line_end_gets_none(api: Api, consumer: FakePostcodeConsumer) -> None:
    assert result_of(api, "lat,lon\n56,2.5").decode() == f"lat,lon,{HEADER}\n56,2.5,{SEA}"


def test_a_header_alone_comes_back(api: Api, consumer: FakePostcodeConsumer) -> None:
    assert result_of(api, "lat,lon").decode() == f"lat,lon,{HEADER}"


def test_blank_lines_are_left_out(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "\n\nlat,lon\n\n56,2.5\n  \n56,2.5\n\n")
    assert result.decode() == f"lat,lon,{HEADER}\n56,2.5,{SEA}\n56,2.5,{SEA}\n"


def test_the_answers_of_a_short_record_stand_in_their_columns(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "lat,lon,name,town\n51.5\n56,2.5,a,b\n").decode()
    rows = list(csv.DictReader(io.StringIO(result)))
    assert [(row["result_status"], row["result_reason"]) for row in rows] == [
        ("rejected", "too_few_fields"),
        ("no_match", "none_within_max_distance"),
    ]
    assert result.splitlines()[1] == "51.5,,,,rejected,too_few_fields,,,,,,,"


def test_a_delimiter_in_a_cell_makes_no_column(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, 'lat,lon,name,town\n56,2.5,a,b\n56,2.5,"a,b"\n').decode()
    assert result.splitlines()[2] == '56,2.5,"a,b",,rejected,too_few_fields,,,,,,,'


def test_a_file_without_a_header_gets_none(api: Api, consumer: FakePostcodeConsumer) -> None:
    result = result_of(api, "51.501009,-0.141588\n56,2.5\n", latitude="1", longitude="2", has_header="false")
    assert result.decode() == f"51.501009,-0.141588,{MATCH}\n56,2.5,{SEA}\n"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_stays(api: Api, consumer: FakePostcodeConsumer, delimiter: str) -> None:
    result = result_of(api, "lat,lon\n51.501009,-0.141588\n".replace(",", delimiter)).decode()
    assert result == f"lat,lon,{HEADER}\n51.501009,-0.141588,{MATCH}\n".replace(",", delimiter)


def test_distances_have_the_files_decimal_sign(api: Api, consumer: FakePostcodeConsumer) -> None:
    assert ";12,5;" in result_of(api, "lat;lon\n51,5;-0,1\n").decode()
    assert ',"12,5",' in result_of(api, 'lat,lon\n"51,5","-0,1"\n').decode()


@pytest.mark.parametrize(
    "distances", [(0.0, 5.0, 12.34, 1999.99, 0.1 + 0.2, 123456789.125, 1e15), (12.34, 1e16), (12.34, 0.00001, 0.0001)]
)
def test_distances_are_written_as_they_are(
    api: Api, consumer: FakePostcodeConsumer, distances: tuple[float, ...]
) -> None:
    for number, distance in enumerate(distances):
        consumer.answers[51.5, number / 10] = {**answer_to(51.5, number / 10), "distance_m": distance}
    rows = "".join(f"51.5,{number / 10}\n" for number in range(len(distances)))
    result = csv.DictReader(io.StringIO(result_of(api, f"lat,lon\n{rows}").decode()))
    assert [row["result_distance_m"] for row in result] == [repr(distance) for distance in distances]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (b"", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("header", ["Straße,lat,lon\n", ""])
def test_the_encoding_and_its_mark_stay(
    api: Api, consumer: FakePostcodeConsumer, mark: bytes, encoding: str, header: str
) -> None:
    content = mark + f"{header}café,51.501009,-0.141588\nnaïve,51.501009,-0.141588\n".encode(encoding)
    result = result_of(api, content)
    assert result.startswith(mark)
    extended = header.replace("\n", f",{HEADER}\n")
    expected = f"{extended}café,51.501009,-0.141588,{MATCH}\nnaïve,51.501009,-0.141588,{MATCH}\n"
    assert result == mark + expected.encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "cp437", "iso8859-15"])
def test_a_declared_encoding_stays(api: Api, consumer: FakePostcodeConsumer, encoding: str) -> None:
    content = "lat,lon\n" + "56,2.5\n" * 3
    result = result_of(api, content.encode(encoding), encoding=encoding)
    assert result == (f"lat,lon,{HEADER}\n" + f"56,2.5,{SEA}\n" * 3).encode(encoding)


def test_a_character_that_the_encoding_does_not_have_becomes_a_question_mark(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    consumer.answers[51.5, -0.1] = match_in("Ynys Môn")
    assert b"Ynys M?n" in result_of(api, "lat,lon\n51.5,-0.1\n", encoding="ascii")


def test_a_delimiter_or_a_quote_in_an_answer_is_quoted(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.answers[51.5, -0.1] = match_in('Bristol, "City" of')
    result = result_of(api, "lat,lon\n51.5,-0.1\n").decode()
    assert next(csv.DictReader(io.StringIO(result)))["result_admin_district"] == 'Bristol, "City" of'


def test_cells_that_look_like_formulas_stay_as_they_are(api: Api, consumer: FakePostcodeConsumer) -> None:
    assert b"=1+1,@x,56,2.5,no_match" in result_of(api, "a,b,lat,lon\n=1+1,@x,56,2.5\n")


def test_while_the_work_goes_on_every_record_comes_back(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.CHUNK_ROWS = 1
    upload = api.upload("lat,lon\n" + "56,2.5\n" * 3 + "x,y\n" + "56,2.5\n" * 3)
    lines = ["56,2.5", "56,2.5", "56,2.5", "x,y", "56,2.5", "56,2.5", "56,2.5"]
    assert api.result(upload).decode().splitlines()[1:] == [f"{line},{PENDING}" for line in lines]
    worker = Worker()
    worker.run_once()
    worker.stop()
    shown = api.result(upload).decode().splitlines()[1:]
    # One chunk, and the one whose answers came meanwhile.
    assert shown[:3] == [f"56,2.5,{SEA}", f"56,2.5,{SEA}", f"56,2.5,{PENDING}"]
    assert shown[3].startswith("x,y,rejected,")
    assert len(shown) == 7


def test_of_a_file_that_cannot_be_read_to_its_end_the_records_before_the_fault_come_back(
    api: Api, consumer: FakePostcodeConsumer
) -> None:
    upload = api.upload('lat,lon\n56,2.5\n56,"2.5\n')
    work_until_idle()
    assert api.show(upload)["state"] == "failed"
    assert [line.split(",")[:2] for line in api.result(upload).decode().splitlines()] == [["lat", "lon"], ["56", "2.5"]]


def test_long_files_come_back_whole(api: Api, consumer: FakePostcodeConsumer) -> None:
    lines = [f"{number},56,2.5" for number in range(11_000)]
    result = result_of(api, "id,lat,lon\n" + "\n".join(lines) + "\n").decode()
    assert result.splitlines()[1:] == [f"{line},{SEA}" for line in lines]


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252"), ("utf-16", "utf-16")],
)
def test_the_answer_says_what_it_is(api: Api, encoding: str, charset: str) -> None:
    upload = api.send_form("café,lat,lon\n".encode(encoding), "Plätze 1.csv").json()
    response = api.get(f"{UPLOADS}{upload['id']}/result.csv")
    assert response.headers["Content-Type"] == f"text/csv; charset={charset}"
    assert response.headers["Content-Disposition"] == "attachment; filename*=utf-8''Pl%C3%A4tze%201-result.csv"
    b"".join(response.streaming_content)


def test_a_name_cannot_break_out_of_its_header(api: Api) -> None:
    response = api.client.post(f'{UPLOADS}?filename=a";%0d%0aX-Evil: 1.csv', b"lat,lon\n", content_type="text/csv")
    upload = response.json()
    response = api.get(f"{UPLOADS}{upload['id']}/result.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="a\\";X-Evil: 1-result.csv"'
    assert "X-Evil" not in response.headers
    b"".join(response.streaming_content)


def test_the_result_of_a_deleted_upload_is_not_found(api: Api) -> None:
    upload = api.upload("lat,lon\n")
    api.delete(f"{UPLOADS}{upload['id']}/")
    problem_of(api.get(f"{UPLOADS}{upload['id']}/result.csv"), 404, "not-found")


def characters_but(excluded: str) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters=excluded), max_size=8)


_QUOTED = characters_but("\0").map(lambda text: '"' + text.replace('"', '""') + '"')
_PLAIN = characters_but('\0\r\n,"')


@given(
    table=st.lists(st.tuples(_PLAIN, _PLAIN), max_size=5) | st.lists(st.tuples(_QUOTED, _PLAIN | _QUOTED), max_size=5),
    last_end=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
@hypothesis_settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_without_the_added_columns_the_result_is_the_file(
    api: Api, table: list[tuple[str, str]], last_end: bool, end: str
) -> None:
    lines = ["lat,lon,a,b", *[f"51,-1,{a},{b}" for a, b in table]]
    original = end.join(lines) + (end if last_end else "")
    result = api.result(api.upload(original)).decode()
    assert result.replace(f",{HEADER}", "", 1).replace(f",{PENDING}", "") == original


def test_a_result_that_is_deleted_while_it_is_sent_breaks_off(
    api: Api, consumer: FakePostcodeConsumer, transactional_db: None
) -> None:
    upload = api.upload("lat,lon\n" + "56,2.5\n" * 5_000)
    work_until_ended()
    pieces = iter(api.get(f"{UPLOADS}{upload['id']}/result.csv").streaming_content)
    assert next(pieces)
    api.delete(f"{UPLOADS}{upload['id']}/")
    with pytest.raises(UploadGoneError):
        list(pieces)


@pytest.mark.django_db
def test_the_head_of_a_result_has_no_body(api: Api) -> None:
    upload = api.upload("lat,lon\n56,2.5\n")
    answer = api.client.head(f"{UPLOADS}{upload['id']}/result.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert b"".join(answer.streaming_content) == b""


def test_a_result_without_all_rows_that_were_loaded_breaks_off(
    api: Api, consumer: FakePostcodeConsumer, data_dir: Path
) -> None:
    upload = api.upload("lat,lon\n50.1,-0.1\n50.2,-0.2\n")
    work_until_ended()
    (file,) = (data_dir / "uploads" / "files").iterdir()
    file.write_text("lat,lon\n50.1,-0.1\n")
    with pytest.raises(RuntimeError, match="1 rows of 2"):
        api.result(upload)
