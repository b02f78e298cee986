"""Lines to records, and records to rows."""

import gzip
import io
from typing import Any

import pytest

from uploads.reading import records as reading
from uploads.reading.containers import gunzip
from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.errors import ContainerError, UnreadableError
from uploads.reading.fields import is_blank
from uploads.reading.lines import MAX_RECORD_CHARS
from uploads.reading.records import ReadRow, read_records, read_rows

COMMA = Dialect(delimiter=",", encoding="utf-8", has_header=True, decimal=".", latitude="lat", longitude="lon",
                latitude_column=0, longitude_column=1)  # fmt: skip


def records_of(text: str, dialect: Dialect = COMMA) -> list[Any]:
    return list(read_records(io.BytesIO(text.encode()), dialect))


def rows_of(text: str | bytes, **declared: Any) -> list[ReadRow]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_rows(io.BytesIO(data), detect_dialect(data, Declared(**declared))))


def test_a_record_has_its_line_its_text_and_its_fields() -> None:
    records = records_of('lat,lon\r\n51.5,"-0.1"\r\n')
    assert records == [(1, "lat,lon\r\n", ["lat", "lon"]), (2, '51.5,"-0.1"\r\n', ["51.5", "-0.1"])]


def test_a_cell_may_have_line_breaks_delimiters_and_quotes_inside() -> None:
    text = 'lat,lon,note\n51.5,-0.1,"two\r\nlines, and ""quotes"""\n52,-1,\n'
    assert records_of(text)[1:] == [
        (2, '51.5,-0.1,"two\r\nlines, and ""quotes"""\n', ["51.5", "-0.1", 'two\r\nlines, and "quotes"']),
        (4, "52,-1,\n", ["52", "-1", ""]),
    ]


def test_the_texts_of_the_records_joined_are_the_file() -> None:
    text = 'lat,lon,note\r51.5,-0.1,"a\rb"\r\n"52",\'-1\', "x" \n53,-2,\u2028\x0c'
    assert "".join(record.text for record in records_of(text)) == text


@pytest.mark.parametrize("blank", ["\n", "\r\n", "  \n", "\t\n", '""\n'])
def test_blank_lines_are_skipped_but_counted_as_lines(blank: str) -> None:
    records = records_of(f"{blank}lat,lon\n{blank}{blank}51.5,-0.1\n{blank}")
    assert [(record.line, record.fields) for record in records] == [(2, ["lat", "lon"]), (5, ["51.5", "-0.1"])]


def test_a_great_many_blank_lines_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[list[str]] = []
    monkeypatch.setattr(reading, "is_blank", lambda fields: looked_at.append(fields) or is_blank(fields))
    text = b"lat,lon\n" + (b"51.5,-0.1\n" + b"\n" * 20_000 + b" \r\n" * 20_000) * 10 + b"52,-1\n"
    rows = list(read_rows(io.BytesIO(text), COMMA))
    assert [row.line for row in rows] == [2 + number * 40_001 for number in range(11)]
    assert len(looked_at) < 100


def test_a_long_record_is_not_read_again_with_each_of_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    quoted = reading._quoted
    monkeypatch.setattr(
        reading, "_quoted", lambda text, *given, **more: reads.append(len(text)) or quoted(text, *given, **more)
    )
    text = b'lat,lon,note\n51.5,-0.1,"' + b"a\n" * 400_000 + b'"\n'
    (row,) = read_rows(io.BytesIO(text), COMMA)
    assert row.latitude == 51.5
    assert sum(reads) < 2 * len(text)


def test_a_record_of_empty_cells_is_not_blank() -> None:
    assert [row.reason for row in rows_of("lat,lon\n,\n51.5,-0.1\n")] == ["empty_row", None]


def test_the_last_record_needs_no_line_end() -> None:
    assert records_of("lat,lon\n51.5,-0.1")[-1] == (2, "51.5,-0.1", ["51.5", "-0.1"])


def test_an_unclosed_quote_is_an_error_that_names_the_line_where_it_opened() -> None:
    rows = read_rows(io.BytesIO(b'lat,lon\n51,0\n51,"0\n51,0\n51,0\n'), COMMA)
    assert next(rows).latitude == 51
    with pytest.raises(UnreadableError, match=r"The record that begins on line 3 opens a quote") as caught:
        next(rows)
    assert caught.value.line == 3


def test_an_unclosed_quote_does_not_swallow_a_long_file() -> None:
    class Watched(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    stream = Watched(b'lat,lon\n51,"0\n' + b"51,0\n" * 2_000_000)
    with pytest.raises(UnreadableError, match="line 2"):
        list(read_rows(stream, COMMA))
    assert stream.taken < 2 * MAX_RECORD_CHARS


def test_a_row_has_its_coordinates_and_nothing_else() -> None:
    assert rows_of("lat,lon,name\n51.5,-0.1,here\n") == [ReadRow(2, 51.5, -0.1, None, None)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("51.5", "too_few_fields"),
        ("51.5,-0.1", "too_few_fields"),
        ("51.5,-0.1,here,there", "too_many_fields"),
        ("51.5,-0.1,he\0re", "nul_byte"),
        (",,here", "coordinates_missing"),
        ("51.5,west,here", "not_a_number"),
        ("91,-0.1,here", "latitude_out_of_range"),
        ("51.5,-181,here", "longitude_out_of_range"),
    ],
)
def test_a_row_that_cannot_be_read_keeps_its_line_and_its_text_and_the_rest_goes_on(record: str, reason: str) -> None:
    rows = rows_of(f"lat,lon,name\n51.5,-0.1,before\n{record}\n51.5,-0.1,after\n")
    assert rows == [
        ReadRow(2, 51.5, -0.1, None, None),
        ReadRow(3, None, None, reason, f"{record}\n"),
        ReadRow(4, 51.5, -0.1, None, None),
    ]


def test_the_line_of_a_rejected_row_counts_the_line_breaks_in_cells_before_it() -> None:
    rows = rows_of('lat,lon,name\n51.5,-0.1,"a\nb\nc"\n\nx,y,z\n')
    assert [(row.line, row.reason) for row in rows] == [(2, None), (6, "not_a_number")]


def test_decimal_commas_are_read_when_the_file_uses_them() -> None:
    assert rows_of("lat;lon\n51,5;-0,1\n") == [ReadRow(2, 51.5, -0.1, None, None)]


def test_a_decimal_comma_in_a_file_with_points_is_rejected() -> None:
    rows = rows_of("lat;lon\n51.5;-0.1\n51.6;-0.2\n50,937;-0.3\n")
    assert [row.reason for row in rows] == [None, None, "not_a_number"]


def test_a_field_that_is_too_long_is_an_error_that_names_its_line() -> None:
    with pytest.raises(UnreadableError) as caught:
        records_of("lat,lon\n51,0\n51," + "0" * (MAX_RECORD_CHARS + 10) + "\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "lines",
    [
        ['51.5,-0.1,"open', '55.9,-3.1,"fine"', "56,2,x"],
        ['51.5,-0.1,"5 pipes', *["55.9,-3.1,x"] * 1_000, '56,2,"x"', "56,2,x"],
        ['51.5,-0.1,"', '55.9,-3.1,"fine"'],
    ],
)
def test_an_unclosed_quote_takes_no_other_row_with_it_when_a_later_one_seems_to_close_it(lines: list[str]) -> None:
    with pytest.raises(UnreadableError) as caught:
        rows_of("\n".join(["lat,lon,n", *lines]))
    assert caught.value.line == 2


def test_spaces_behind_a_closing_quote_are_no_fault() -> None:
    (row,) = rows_of('lat,lon,n,m\n"51.5" ,-0.1,"two\nlines" ,x\n')
    assert (row.latitude, row.longitude) == (51.5, -0.1)


def test_gzip_data_with_a_great_many_members_is_refused_and_that_with_some_is_read() -> None:
    some = b"".join(gzip.compress(b"51,0\n") for _ in range(900))
    assert b"".join(gunzip([some])) == b"51,0\n" * 900
    with pytest.raises(ContainerError, match="members"):
        list(gunzip([gzip.compress(b"")] * 10_000))
    blocks = gzip.compress(b"".join(b"51.%d,0\n" % number for number in range(3_000)))  # as large as those of bgzip
    assert sum(map(len, gunzip([blocks] * 3_000))) > 0
