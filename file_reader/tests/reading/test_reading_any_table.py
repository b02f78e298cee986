"""Whatever Python's csv module writes is read back."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from hypothesis import example, given
from hypothesis import strategies as st

from uploads.reading.detecting.delimiter import DELIMITERS
from uploads.reading.detecting.detect import SAMPLE_BYTES, detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.records import read_records, read_rows

#: Encodings, the mark that stands before their text, and the characters that they have.
ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8-sig": ("utf-8", b"\xef\xbb\xbf"),
    "utf-16": ("utf-16-le", b"\xff\xfe"),
    "utf-16, big end first": ("utf-16-be", b"\xfe\xff"),
    "utf-16-le": ("utf-16-le", b""),
    "utf-16-be": ("utf-16-be", b""),
    "cp1252": ("cp1252", b""),
    "iso8859-1": ("iso8859-1", b""),
    "cp850": ("cp850", b""),
}
#: Those that a file shows by itself.
TOLD = ("utf-8", "utf-8-sig", "utf-16", "utf-16, big end first", "utf-16-le", "utf-16-be", "cp1252")

# Any character, but no lone surrogates (no encoding has them); NUL has a test of its own.
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
#: What Western tables have in their cells.
western_text = st.text("abcXYZ 059.-:/'\",;|\t\n\r()éèüßÆøñ£°–’", max_size=12)
#: Without those that look swapped.
degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180)).filter(lambda pair: not 49 <= pair[1] <= 61.5)
#: In Britain, to the metre or to ten kilometres.
british = st.tuples(
    st.integers(49_000_000, 61_500_000).map(lambda n: n / 1e6) | st.integers(490, 615).map(lambda n: n / 10),
    st.integers(-9_500_000, 2_600_000).map(lambda n: n / 1e6) | st.integers(-95, 26).map(lambda n: n / 10),
)
#: In the middle of the country: what has no header has to be on land.
inland = st.tuples(
    st.integers(52_000_000, 53_000_000).map(lambda n: n / 1e6) | st.integers(520, 530).map(lambda n: n / 10),
    st.integers(-2_000_000, -1_000_000).map(lambda n: n / 1e6) | st.integers(-20, -10).map(lambda n: n / 10),
)


@dataclass(frozen=True)
class Way:
    """A way to write a table; `before`, `between` and `behind` are how many other columns stand there."""

    delimiter: str
    line_end: str
    quoting: Literal[0, 1]  # as csv numbers them
    encoding: str
    decimal: str
    header: bool
    longitude_first: bool
    before: int
    between: int
    behind: int

    @property
    def latitude(self) -> int:
        return self.before + (self.between + 1) * self.longitude_first

    @property
    def longitude(self) -> int:
        return self.before + (self.between + 1) * (not self.longitude_first)

    @property
    def width(self) -> int:
        return self.before + self.between + self.behind + 2


def ways(encodings: Sequence[str]) -> st.SearchStrategy[Way]:
    return st.builds(
        Way,
        delimiter=st.sampled_from(DELIMITERS),
        line_end=st.sampled_from(["\n", "\r\n", "\r"]),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        encoding=st.sampled_from(encodings),
        decimal=st.sampled_from(".,"),
        header=st.booleans(),
        longitude_first=st.booleans(),
        before=st.integers(0, 3),
        between=st.integers(0, 2),
        behind=st.integers(0, 2),
    )


def written(way: Way, rows: Sequence[tuple[float, float]], others: Sequence[str]) -> tuple[list[list[str]], str, bytes]:
    """The cells of the table, its text and its bytes. `others` are the cells of the other columns, over and over."""
    codec, mark = ENCODINGS[way.encoding]
    left = cycle(others)
    table: list[list[str]] = []
    if way.header:
        table.append([f"column {chr(ord('a') + number)}" for number in range(way.width)])
        table[0][way.latitude], table[0][way.longitude] = "Latitude", "Longitude"
    for latitude, longitude in rows:
        record = [next(left).encode(codec, "ignore").decode(codec) for _ in range(way.width)]
        record[way.latitude] = shown(latitude).replace(".", way.decimal)
        record[way.longitude] = shown(longitude).replace(".", way.decimal)
        table.append(record)
    # The writer leaves the other half of CRLF unquoted: what it writes then is another table.
    unquoted = way.line_end != "\r\n" and any({"\r", "\n"} & {*cell} for record in table for cell in record)
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=way.delimiter, lineterminator=way.line_end, quoting=csv.QUOTE_ALL if unquoted else way.quoting
    )
    writer.writerows(table)
    return table, text.getvalue(), mark + text.getvalue().encode(codec)


def shown(number: float) -> str:
    """Without an exponent where six digits behind the point are enough: 1e-06 does not show a file's decimal sign."""
    text = repr(number)
    return f"{number:.6f}" if "e" in text and float(f"{number:.6f}") == number else text


def assert_read_back(
    data: bytes, dialect: Dialect, table: list[list[str]], text: str, rows: list[tuple[float, float]]
) -> None:
    records = list(read_records(io.BytesIO(data), dialect))
    assert [record.fields for record in records] == table
    assert "".join(record.text for record in records) == text
    assert [(row.latitude, row.longitude) for row in read_rows(io.BytesIO(data), dialect)] == rows


def the_beginning(data: bytes) -> bytes:
    return data[:SAMPLE_BYTES]


#: Between tabs, nothing tells that quotes enclose a cell with a tab and a line end: cut there, both halves are as wide.
TAB_AND_LINE_END = Way("\t", "\n", csv.QUOTE_MINIMAL, "utf-8", ".", False, False, 0, 2, 0)


@example(way=TAB_AND_LINE_END, rows=[(0.0, 0.0)], others=["", "", "\r\t"])
@given(
    way=ways(list(ENCODINGS)),
    rows=st.lists(degrees, min_size=1, max_size=8),
    others=st.lists(any_text, min_size=1, max_size=9),
)
def test_any_table_is_read_back_with_options(way: Way, rows: list[tuple[float, float]], others: list[str]) -> None:
    if way.header is False:
        others = ["x" + other for other in others]  # no magic bytes at the beginning
    table, text, data = written(way, rows, others)
    dialect = detect_dialect(
        the_beginning(data),
        Declared(
            latitude=str(way.latitude + 1),
            longitude=str(way.longitude + 1),
            has_header=way.header,
            delimiter=way.delimiter,
            encoding=ENCODINGS[way.encoding][0],
            decimal=way.decimal,
            coordinates="degrees",
            quoting="quotes",
        ),
    )
    assert (dialect.latitude_column, dialect.longitude_column) == (way.latitude, way.longitude)
    assert_read_back(data, dialect, table, text, rows)


@given(
    way=ways(TOLD),
    rows=st.lists(british, min_size=1, max_size=8),
    others=st.lists(western_text, min_size=1, max_size=9),
)
def test_the_dialect_of_a_table_with_a_header_is_told(
    way: Way, rows: list[tuple[float, float]], others: list[str]
) -> None:
    # "é" alone is Windows-1252 for certain, "–é–" is not.
    if way.encoding == "cp1252":
        others = [other.replace("°", "").replace("–", "").replace("’", "") + "é" for other in others]
    way = Way(**{**vars(way), "header": True})
    rows = [*rows, (51.5, -0.1)]  # whole degrees alone are asked back
    table, text, data = written(way, rows, others)
    dialect = detect_dialect(the_beginning(data), Declared())
    assert (dialect.delimiter, dialect.decimal, dialect.has_header) == (way.delimiter, way.decimal, True)
    assert_read_back(data, dialect, table, text, rows)


@example(way=Way(";", "\n", csv.QUOTE_MINIMAL, "utf-8", ",", False, False, 0, 0, 0), rows=[(51.5, -0.1)], others=["x"])
@given(
    way=ways(TOLD),
    rows=st.lists(inland, min_size=1, max_size=8),
    others=st.lists(st.text("abcXYZ éß", min_size=1, max_size=9).map(lambda text: "x" + text), min_size=1, max_size=9),
)
def test_the_dialect_of_a_table_without_a_header_is_told(
    way: Way, rows: list[tuple[float, float]], others: list[str]
) -> None:
    way = Way(**{**vars(way), "header": False})
    rows = [*rows, (51.5, -0.1)]  # whole numbers, or none in the west, are not known as places
    table, text, data = written(way, rows, others)
    dialect = detect_dialect(the_beginning(data), Declared())
    assert (dialect.delimiter, dialect.decimal, dialect.has_header) == (way.delimiter, way.decimal, False)
    assert (dialect.latitude, dialect.longitude) == (way.latitude + 1, way.longitude + 1)
    assert_read_back(data, dialect, table, text, rows)
