"""Frames of pandas and polars against a real server. Neither is required: what is not installed is skipped."""

import io
from pathlib import Path
from typing import Any

import pytest

from postcodes_cli import Client, ResultError
from postcodes_cli.frames import RESULT_COLUMNS, geocoded

#: The palace, nothing, the sea, half a location, and the palace again.
TEXT = """\
name,lat,lon,visits
Palace,51.501009,-0.141588,3
Nowhere,,,1
Sea,0.00001,0.0,2
Half,51.501009,,
"Palace, again",51.501009,-0.141588,5
"""
STATUSES = ["match", "rejected", "no_match", "rejected", "match"]
POSTCODES = ["SW1A 1AA", None, None, None, "SW1A 1AA"]


@pytest.fixture(scope="module")
def pandas() -> Any:
    return pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.fixture(scope="module")
def polars() -> Any:
    return pytest.importorskip("polars", reason="polars is not installed")


@pytest.mark.parametrize("index", [[7, 7, 3, -1, 7], list("abcab"), [("x", 1), ("x", 1), ("y", 2), ("y", 1), ("x", 2)]])
def test_a_pandas_frame_keeps_rows_index_and_types(client: Client, pandas: Any, index: list[Any]) -> None:
    frame = pandas.read_csv(io.StringIO(TEXT), dtype={"visits": "Int64", "name": "category"})
    frame.index = pandas.MultiIndex.from_tuples(index) if isinstance(index[0], tuple) else pandas.Index(index, name="k")
    before = frame.copy(deep=True)
    answered = client.geocode_frame(frame, "lat", "lon")
    pandas.testing.assert_frame_equal(frame, before)
    pandas.testing.assert_frame_equal(answered[list(before.columns)], before)
    assert list(answered.columns) == [*before.columns, *RESULT_COLUMNS]
    assert answered["result_status"].tolist() == STATUSES
    assert [None if value is pandas.NA else value for value in answered["result_postcode"]] == POSTCODES
    assert answered["result_distance_m"].dtype == "float64"
    assert answered["result_distance_m"].isna().tolist() == [False, True, True, True, False]


def test_a_polars_frame_keeps_rows_and_types(client: Client, polars: Any) -> None:
    frame = polars.read_csv(io.StringIO(TEXT), schema_overrides={"visits": polars.UInt8, "lat": polars.Float32})
    answered = client.geocode_frame(frame, "lat", "lon")
    assert answered.columns == [*frame.columns, *RESULT_COLUMNS]
    assert answered.select(frame.columns).equals(frame)
    assert answered.schema["visits"] == polars.UInt8
    assert answered["result_status"].to_list() == STATUSES
    assert answered["result_postcode"].to_list() == POSTCODES
    assert answered.schema["result_distance_m"] == polars.Float64


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_without_a_location_or_a_row_has_the_same_columns(
    client: Client, library: str, request: pytest.FixtureRequest
) -> None:
    module = request.getfixturevalue(library)
    some = client.geocode_frame(module.read_csv(io.StringIO(TEXT)), "lat", "lon")
    none = client.geocode_frame(some[1:2], "lat", "lon")
    assert list(none["result_status"]) == ["rejected"]
    empty = client.geocode_frame(some[:0], "lat", "lon")
    assert len(empty) == 0
    for answered in (none, empty):
        assert list(answered.columns) == list(some.columns)
        assert list(answered.dtypes) == list(some.dtypes)


def test_options_are_passed_on(client: Client, pandas: Any) -> None:
    frame = pandas.DataFrame({"n": [179645], "e": [529090]})
    answered = client.geocode_frame(frame, "n", "e", coordinates="osgb36", max_distance=300, filename="grid.csv")
    assert answered["result_status"].tolist() == ["match"]
    upload = next(client.uploads())
    assert (upload["filename"], upload["max_distance"]) == ("grid.csv", 300)


def test_wrong_columns_and_what_is_no_frame_are_refused(client: Client, pandas: Any) -> None:
    frame = pandas.DataFrame([[51.5, -0.1, 51.4]], columns=["lat", "lon", "lat"])
    with pytest.raises(ValueError, match="2 columns 'lat'"):
        client.geocode_frame(frame, "lat", "lon")
    with pytest.raises(ValueError, match="no columns 'y'"):
        client.geocode_frame(frame, "y", "lon")


def test_a_list_is_no_frame(client: Client) -> None:
    with pytest.raises(TypeError, match="pandas or polars is needed, and this is a list"):
        client.geocode_frame([[51.5, -0.1]], "lat", "lon")


def test_answers_in_another_order_are_none(pandas: Any) -> None:
    def turned_round(_: Path, result: Path) -> None:
        rows = [f"{position},match{',' * (len(RESULT_COLUMNS) - 1)}" for position in (1, 0)]
        result.write_text("\n".join([",".join(("position", *RESULT_COLUMNS)), *rows, ""]))

    with pytest.raises(ResultError):
        geocoded(pandas.DataFrame({"lat": [51.5, 0], "lon": [0.0, 0]}), "lat", "lon", turned_round)
