"""Text to coordinates."""

import pytest

from uploads.reading.notations import REASONS, Notation, read_cell
from uploads.reading.notations.degrees import read_coordinates
from uploads.reading.notations.grids import read_itm, read_osgb36


@pytest.mark.parametrize(
    ("latitude", "longitude", "degrees"),
    [
        ("51.501009", "-0.141588", (51.501009, -0.141588)),
        (" 51.5 ", "\t-0.1", (51.5, -0.1)),
        ("\u00a051.5", "-0.1", (51.5, -0.1)),
        ("+51.5", "-.1", (51.5, -0.1)),
        ("51.", "0", (51.0, 0.0)),
        ("5.15e1", "-1E-1", (51.5, -0.1)),
        ("90", "180", (90.0, 180.0)),
        ("-90", "-180", (-90.0, -180.0)),
        ("0", "0", (0.0, 0.0)),
    ],
)
def test_decimal_degrees_are_read(latitude: str, longitude: str, degrees: tuple[float, float]) -> None:
    assert read_coordinates(latitude, longitude) == degrees


@pytest.mark.parametrize("missing", ["", " ", "NA", "n/a", "NaN", "nan", "NULL", "None", "\\N", "-"])
def test_what_stands_for_nothing_is_missing(missing: str) -> None:
    assert read_coordinates(missing, "-0.1") == "coordinates_missing"
    assert read_coordinates("51.5", missing) == "coordinates_missing"


@pytest.mark.parametrize(
    "text",
    [
        "5_1.5", "1_000", "５１.５", "٥١", "inf", "-inf", "infinity", "0x33", "0b11", "51 30 36", "51.5WE",
        "51,5", "51..5", "51.5.1", "1e-", "e-", ".", "+", "--1", "+-1", "51.5;", "'51.5", "true",
        "51\u200b.5", "5 1",
    ],
)  # fmt: skip
def test_what_no_person_means_as_decimal_degrees_is_not_a_number(text: str) -> None:
    assert read_coordinates(text, "-0.1") == "not_a_number"
    assert read_coordinates("51.5", text) == "not_a_number"


@pytest.mark.parametrize("text", ["90.000001", "-90.1", "1e400", "-1e400", "123456789", "9" * 400])
def test_a_latitude_beyond_a_pole_is_out_of_range(text: str) -> None:
    assert read_coordinates(text, "-0.1") == "latitude_out_of_range"


@pytest.mark.parametrize("text", ["180.000001", "-180.1", "1e400"])
def test_a_longitude_beyond_the_date_line_is_out_of_range(text: str) -> None:
    assert read_coordinates("51.5", text) == "longitude_out_of_range"


def test_every_reason_has_a_sentence() -> None:
    given = {read_coordinates("", "0"), read_coordinates("x", "0"), read_coordinates("91", "0"),
             read_coordinates("0", "181"), read_coordinates("-0.1", "51.5"), read_coordinates("51°60'", "0"),
             read_coordinates("51.5", "0.1O"), read_coordinates("51.5", "0.1N"), read_coordinates("51.5", "-0.1W"),
             read_coordinates("51.5", "(0.1)"), read_coordinates("51.5N", "0.1"), read_osgb36("1", "1"),
             read_osgb36("4E+05", "4E+05"), read_itm("1", "1"), read_cell("x", Notation.WKT),
             read_cell("a", Notation.GEOHASH), read_cell("SRID=1;POINT(0 0)", Notation.WKT)}  # fmt: skip
    of_the_record = {
        "too_few_fields",
        "too_many_fields",
        "nul_byte",
        "irish_grid",
        "places_apart",
        "square_too_large",
        "empty_row",
        "comment",
        "sums_up",
    }
    assert given | of_the_record == set(REASONS)


def test_a_number_of_a_hundred_thousand_digits_is_refused_at_once() -> None:
    # With a pattern that tries every way to match the digits this takes minutes, and the suite's time-out ends it.
    assert read_coordinates("1" * 100_000 + "x", "0") == "not_a_number"
    assert read_coordinates("1" * 900 + "x", "0") == "not_a_number"
    assert read_coordinates("1" + " " * 900 + "x", "0") == "not_a_number"
