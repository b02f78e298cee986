"""Whatever features have for properties, each is a row with its own coordinates, and its values are in its cells."""

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.formats import collection, feature

from uploads.reading.detecting.dialect import Declared
from uploads.reading.formats.converting import Origin
from uploads.reading.formats.program import as_csv
from uploads.reading.formats.telling import dialect_of_converted
from uploads.reading.records import read_records, read_rows

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
names = texts | st.sampled_from(["lat", "lon", "latitude", "Longitude", "x", "y", "easting", "id", "geometry", "#"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(texts, some),
)
coordinates = st.tuples(st.floats(-8, 2).map(lambda x: round(x, 6)), st.floats(50, 60).map(lambda y: round(y, 6)))


def cell(value: Any) -> str:
    """What a value is as text: JSON, but of a text, and of nothing."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(st.lists(st.tuples(coordinates, st.dictionaries(names, values, max_size=5)), min_size=1, max_size=5))
def test_features_are_rows(places: list[tuple[tuple[float, float], dict[str, Any]]]) -> None:
    data = collection(
        *[feature({"type": "Point", "coordinates": at}, **{}) | {"properties": own} for at, own in places]
    )
    about, table = b"".join(as_csv(io.BytesIO(data.encode()), "json")).split(b"\n", 1)
    origin = Origin(**json.loads(about))
    header, *rows = csv.reader(io.StringIO(table.decode(), newline=""))
    assert [dict(zip(header, row, strict=True)) for row in rows] == [
        dict.fromkeys(header, "") | {origin.longitude: str(at[0]), origin.latitude: str(at[1])}
        | {name: cell(value) for name, value in own.items()}
        for at, own in places
    ]  # fmt: skip
    dialect = dialect_of_converted(table, Declared(), origin)
    read = [(row.line, row.longitude, row.latitude) for row in read_rows(io.BytesIO(table), dialect) if not row.reason]
    with_nul = {number for number, row in enumerate(rows, 2) if any("\0" in one for one in row)}
    assert read == [(number, *at) for number, (at, _) in enumerate(places, 2) if number not in with_nul]
    assert "".join(record.text for record in read_records(io.BytesIO(table), dialect)) == table.decode()
