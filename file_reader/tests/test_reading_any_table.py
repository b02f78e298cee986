"""Whatever Python's csv module writes is read back."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from uploads.reading.dialect import DELIMITERS, SAMPLE_BYTES, Declared, detect_dialect
from uploads.reading.records import read_records, read_rows

# Any character, but no lone surrogates (no encoding has them); NUL has a test of its own.
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(
    rows=st.lists(st.tuples(cells, degrees, cells), max_size=8),
    delimiter=st.sampled_from(DELIMITERS),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=150, deadline=None)
def test_any_table_is_read_back(
    rows: list[tuple[str, tuple[float, float], str]], delimiter: str, line_end: str, quoting: int, encoding: str
) -> None:
    if line_end != "\r\n" and quoting == csv.QUOTE_MINIMAL:
        quoting = csv.QUOTE_ALL  # the writer leaves the other half of CRLF unquoted: what it writes is another table
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    table = [["before", "lat", "lon", "after"]]
    table += [[before, repr(pair[0]), repr(pair[1]), after] for before, pair, after in rows]
    writer.writerows(table)
    data = text.getvalue().encode(encoding)

    dialect = detect_dialect(data[:SAMPLE_BYTES], Declared(delimiter=delimiter, encoding=encoding))
    records = list(read_records(io.BytesIO(data), dialect))
    assert [record.fields for record in records] == table
    assert "".join(record.text for record in records) == text.getvalue()
    read = [(row.latitude, row.longitude) for row in read_rows(io.BytesIO(data), dialect)]
    assert read == [pair for _, pair, _ in rows]


@given(rows=st.lists(st.tuples(st.floats(49, 61), st.floats(-9, 2)), min_size=1), delimiter=st.sampled_from(DELIMITERS))
@settings(max_examples=50, deadline=None)
def test_the_delimiter_and_the_columns_of_plain_files_are_told(rows: list[tuple[float, float]], delimiter: str) -> None:
    lines = ["lon" + delimiter + "lat", *(f"{longitude!r}{delimiter}{latitude!r}" for latitude, longitude in rows)]
    data = "\n".join(lines).encode()
    dialect = detect_dialect(data[:SAMPLE_BYTES], Declared())
    assert dialect.delimiter == delimiter
    assert [(row.latitude, row.longitude) for row in read_rows(io.BytesIO(data), dialect)] == rows
