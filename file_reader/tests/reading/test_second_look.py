"""A second look tells from the rows alone that a file is meant in another way: the checks of its names are off here.

Honest files of any corner of the world are not stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from random import Random

import numpy as np
import pytest
from tests.corpus.reading import opened, told
from tests.places import Location, around, of_britain, table

from uploads.reading import records
from uploads.reading.detecting import detect
from uploads.reading.detecting.detect import SAMPLE_BYTES
from uploads.reading.detecting.doubts.degrees import CANDIDATES, DEGREES, SIDES
from uploads.reading.detecting.doubts.grid import BRITISH, EXCHANGED, METRES
from uploads.reading.detecting.doubts.places import PLACES
from uploads.reading.errors import DoubtfulError
from uploads.reading.formats.converting import Origin
from uploads.reading.notations import Notation
from uploads.reading.other_readings import on_grid
from uploads.reading.records import Part, read_parts
from uploads.reading.second_look import check_beginning, second_look

_STEP = 8_000


@pytest.fixture
def no_guards(monkeypatch: pytest.MonkeyPatch, take_out: Callable[..., None]) -> None:
    """The reader without what the kinds of file are asked back for one by one."""
    for rules in (CANDIDATES, DEGREES, SIDES, EXCHANGED, METRES, BRITISH, PLACES):
        take_out(rules, *rules)
    monkeypatch.setattr(detect, "side_column", lambda *_: None)
    monkeypatch.setattr(detect, "silent_sides", lambda *_: [])
    monkeypatch.setattr(records, "_are_records", lambda *_: False)


@dataclass
class Looked:
    """What the loader would do with a file: the rows that it keeps, how many are in the sea, and the doubt."""

    rows: int = 0
    located: int = 0
    at_sea: int = 0
    code: str = ""
    line: int = 0


def looked(content: bytes, *, step: int = _STEP, **declared: str) -> Looked:
    """Reads a file in steps, as the loader does."""
    result, before = Looked(), None
    found = told(content, Origin(), **declared)
    with opened(content, found.sheet) as stream:
        parts, rest = read_parts(stream, found), None
        while True:
            taken: list[Part] = []
            while (wanted := step - sum(map(len, taken))) and (part := rest or next(parts, None)):
                part, rest = part.split(wanted)
                taken.append(part)
            seen = second_look(taken, found, before, from_first=not result.rows)
            before = seen.located
            result.rows += sum(map(len, seen.parts))
            result.located += len(seen.located)
            result.at_sea += seen.at_sea
            if seen.doubt is not None:
                result.code, result.line = seen.doubt.code, seen.doubt.line
            if seen.error is not None or wanted:
                return result


def is_asked_back(content: bytes) -> str:
    """The doubt that its beginning gives."""
    try:
        check_beginning(content[:SAMPLE_BYTES], told(content, Origin()))
    except DoubtfulError as error:
        return str(error.extra["doubt"])
    return ""


# --- what goes wrong -----------------------------------------------------------------------------------------------
def degrees(at: Location) -> str:
    return f"{at[0]:.6f},{at[1]:.6f}"


def without_minus(at: Location) -> str:
    return f"{at[0]:.6f},{abs(at[1]):.6f}"


def packed(at: Location) -> str:
    def one(number: float) -> str:
        size = abs(number) + 1e-9
        minutes = size % 1 * 60
        return f"{'-' if number < 0 else ''}{floor(size)}.{floor(minutes):02d}{floor(minutes % 1 * 60):02d}36"

    return f"{one(at[0])},{one(at[1])}"


def grid(at: Location) -> str:
    easting, northing = on_grid(np.array([at[0]]), np.array([at[1]]))
    return f"{easting[0]:.0f},{northing[0]:.0f}"


def exchanged(at: Location) -> str:
    return ",".join(reversed(grid(at).split(",")))


def with_side(side: str, write: Callable[[Location], str]) -> Callable[[Location], str]:
    return lambda at: f"{write(at)},{side}"


def beginning_in_quotes(at: Location) -> str:
    """Three rows, of which a quote makes one."""
    return f'"mill,{degrees(at)}\n0,barn,{degrees(at)}\n0,pond",{degrees(at)}'


def named(at: Location) -> str:
    return f"mill,{degrees(at)}"


#: The doubt, the header, what a right row looks like, and a wrong one.
WRONG = [
    pytest.param("west_is_said", "id,LAT_N,LONG_W", degrees, without_minus, id="a name says west"),
    pytest.param(
        "west_is_said",
        "id,lat,lon,side",
        with_side("W", degrees),
        with_side("W", without_minus),
        id="a column says west",
    ),
    pytest.param(
        "west_is_said",
        "id,lat,lon,quadrant",
        with_side('"NW"', degrees),
        with_side('"NW"', without_minus),
        id="a column of quadrants",
    ),
    pytest.param("minus_lost", "id,lat,lon", degrees, without_minus, id="minus lost"),
    pytest.param("minutes_packed", "id,lat,lon", degrees, packed, id="minutes and seconds in one number"),
    pytest.param("grid_exchanged", "id,easting,northing", grid, exchanged, id="easting and northing exchanged"),
    pytest.param("rows_in_quotes", "id,name,lat,lon", named, beginning_in_quotes, id="rows in quotes"),
]


def file_of(header: str, right: Callable[[Location], str], wrong: Callable[[Location], str], *, begins: int) -> bytes:
    # Where all of these can be meant.
    places = [at for at in of_britain(2 * begins + 6_000) if at[1] < 0 and at[0] < 55][: begins + 3_000]
    assert len(places) == begins + 3_000
    return table(header, places[:begins], right) + table("", places[begins:], wrong).lstrip(b"\n")


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize("begins", [0, 260])
@pytest.mark.parametrize(("code", "header", "right", "wrong"), WRONG)
def test_what_goes_wrong_at_the_beginning_is_asked_back_at_once(
    code: str, header: str, right: Callable[[Location], str], wrong: Callable[[Location], str], begins: int
) -> None:
    assert is_asked_back(file_of(header, right, right, begins=3_000)) == ""
    assert is_asked_back(file_of(header, right, wrong, begins=begins)) == code


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize("begins", [0, 260, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("code", "header", "right", "wrong"), WRONG)
def test_a_file_ends_where_it_begins_to_go_wrong(
    code: str, header: str, right: Callable[[Location], str], wrong: Callable[[Location], str], begins: int
) -> None:
    found = looked(file_of(header, right, wrong, begins=begins))
    assert found.code == code
    # Nothing that is wrong is kept, and little that is right goes with it.
    assert begins - 150 <= found.rows <= begins
    assert found.line == found.rows + 2


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize("begins", [7_950, 8_100])
@pytest.mark.parametrize(("code", "header", "right", "wrong"), WRONG)
def test_what_begins_to_go_wrong_at_the_end_of_a_step_is_seen_in_the_next(
    code: str, header: str, right: Callable[[Location], str], wrong: Callable[[Location], str], begins: int
) -> None:
    found = looked(file_of(header, right, wrong, begins=begins))
    assert found.code == code
    assert found.rows <= max(begins, _STEP)


@pytest.mark.usefixtures("no_guards")
def test_a_run_that_is_long_over_two_steps_only_is_seen() -> None:
    lines = file_of("id,lat,lon", degrees, without_minus, begins=260).splitlines(keepends=True)
    found = looked(b"".join(lines[: 1 + 400 + 150]), step=400)
    assert (found.code, found.rows) == ("minus_lost", 400)


@pytest.mark.usefixtures("no_guards")
def test_of_one_row_or_two_a_word_and_the_sea_tell() -> None:
    assert is_asked_back(b"name,LAT_N,LONG_W\na,51.501009,0.141588\n") == "west_is_said"
    assert is_asked_back(b"name,lat,lon,West\na,51.501009,0.141588,W") == "west_is_said"
    assert is_asked_back(b"easting,northing\n179645,529090\n") == "grid_exchanged"
    assert is_asked_back(b"easting,northing\n529090,179645\n") == ""


def test_what_is_declared_is_read_and_noted() -> None:
    content = file_of("id,lat,lon", degrees, without_minus, begins=260)
    found = looked(content, latitude="lat", longitude="lon")
    assert (found.code, found.line) == ("minus_lost", 262)
    assert found.rows == content.count(b"\n") - 1


def test_a_quote_that_swallows_rows_of_which_one_is_short_is_seen() -> None:
    content = (
        b'id,name,lat,lon\n1,a,51.501,-0.141\n2,"mill,51.502,-0.142\n3,51.5\n4,pond",51.503,-0.143\n5,b,51.5,-0.1\n'
    )
    found = looked(content)
    assert (found.code, found.line) == ("rows_in_quotes", 3)


@pytest.mark.usefixtures("no_guards")
def test_latitudes_with_the_longitudes_of_other_places_are_often_in_the_sea() -> None:
    places = of_britain(5_000)
    joined = [(one[0], other[1]) for one, other in zip(places, reversed(places), strict=True)]
    assert looked(table("id,lat,lon", places)).at_sea < 10
    found = looked(table("id,lat,lon", joined))
    assert (found.code, found.located) == ("", 5_000)
    assert found.at_sea > 500


# --- what is honest ------------------------------------------------------------------------------------------------
NORFOLK, NORWICH = [(52.63, 1.3), (52.6, 1.73), (52.75, 0.4), (52.93, 1.3), (52.41, 0.75)], [(52.63, 1.3)]
IRELAND = [(53.35, -6.26), (51.9, -8.47), (53.27, -9.05), (54.6, -5.93), (54.27, -8.47), (52.66, -8.63)]
WORLD = [(40.7, -74.0), (48.9, 2.35), (-33.9, 151.2), (35.7, 139.7), (-1.3, 36.8), (51.5, -0.1), (-4.62, 55.45)]
LOWLANDS = [(52.37, 4.9), (51.92, 4.48), (50.85, 4.35), (51.05, 3.72), (51.2, 3.2), (49.44, 1.1), (48.86, 2.35)]


def sea(count: int, north: tuple[float, float], east: tuple[float, float]) -> list[Location]:
    random = Random(2)
    return [(round(random.uniform(*north), 5), round(random.uniform(*east), 5)) for _ in range(count)]


def by(axis: int, places: list[Location]) -> list[Location]:
    return sorted(places, key=lambda at: at[axis])


HONEST = {
    "the country by latitude": by(0, of_britain(6_000)),
    "the country by longitude": by(1, of_britain(6_000)),
    "one town": around(NORWICH, 3_000),
    "one street": around([(51.5012, -0.1412)], 3_000, spread=0.0015),
    "one street in the east": around([(52.6283, 1.2923)], 3_000, spread=0.0015),
    "one street at the sea": around([(52.6058, 1.7378)], 3_000, spread=0.002),
    "a town with two digits": [(round(north, 2), round(east, 2)) for north, east in around(NORWICH, 3_000)],
    "Norfolk": around(NORFOLK, 3_000),
    "Norfolk and its fishermen": by(0, around(NORFOLK, 1_500) + sea(500, (52.5, 53.1), (1.0, 2.2))),
    "Greenwich": around([(51.4779, 0.0)], 3_000),
    "the Channel Islands": around([(49.19, -2.1), (49.46, -2.58), (49.72, -2.2)], 2_000),
    "Man": around([(54.15, -4.48), (54.32, -4.38)], 2_000),
    "Shetland": around([(60.15, -1.15), (60.75, -0.85), (59.53, -1.63)], 2_000),
    "Scilly": around([(49.914, -6.315)], 2_000, spread=0.01),
    "Ireland": around(IRELAND, 3_000),
    "the world": around(WORLD, 3_000, spread=0.5),
    "the Low Countries": around(LOWLANDS, 3_000),
    "Patagonia": around([(-51.6, -69.2), (-50.3, -72.3)], 2_000),
    "the North Sea": sea(3_000, (53, 58), (0.5, 6)),
    "wind farms off Norfolk": sea(3_000, (53, 54), (1.5, 3)),
    "ships off Dover": sea(3_000, (50.9, 51.15), (1.1, 2.6)),
    "ships": sea(3_000, (49, 60), (-8, 3)),
    "a net of sixteenths": [(50 + north / 16, -4 + east / 16) for north in range(1, 17) for east in range(80)],
    "a net of quarters, line by line": [(50.125 + n / 4, -5 + e / 4) for e in range(25) for n in range(30)],
    "many at 0,0": [(0.0, 0.0)] * 1_000 + of_britain(1_000) + [(0.0, 0.0)] * 1_000,
}


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize("step", [400, _STEP])
@pytest.mark.parametrize("places", HONEST.values(), ids=HONEST)
def test_an_honest_file_is_read_to_its_end(places: list[Location], step: int) -> None:
    content = table("id,lat,lon", places)
    assert is_asked_back(content) == ""
    found = looked(content, step=step)
    assert (found.code, found.rows) == ("", len(places))


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize(
    "name", ["the country by latitude", "one town", "Norfolk and its fishermen", "ships", "Shetland"]
)
def test_an_honest_file_of_eastings_and_northings_is_read_to_its_end(name: str) -> None:
    content = table("id,easting,northing", HONEST[name], grid)
    assert told(content, Origin()).coordinates == Notation.OSGB36
    found = looked(content)
    assert (found.code, found.rows) == ("", len(HONEST[name]))


@pytest.mark.usefixtures("no_guards")
@pytest.mark.parametrize(
    ("header", "side"),
    [("id,lat,lon,power [W],note", "60,W1"), ("id,lat,lon,east_west", "East"), ("id,lat,lon,bearing", "NE")],
)
def test_what_is_no_word_for_west_is_taken_for_none(header: str, side: str) -> None:
    assert looked(table(header, around(NORFOLK, 2_000), with_side(side, degrees))).code == ""


@pytest.mark.usefixtures("no_guards")
def test_cells_of_several_lines_are_no_rows() -> None:
    content = table(
        "id,note,lat,lon",
        around(NORFOLK, 500),
        lambda at: f'"Flat 2, The Mill,\n1 High Street, 52.628 m, Norwich",{degrees(at)}',
    )
    found = looked(content)
    assert (found.code, found.rows) == ("", 500)


# --- the grid ------------------------------------------------------------------------------------------------------
def test_degrees_come_back_to_where_they_were_on_the_grid() -> None:
    # Ordnance Survey's own example: 52°39'28.72"N 1°42'57.79"E is E 651409.804 N 313177.450 (its datum is 100 m away).
    easting, northing = on_grid(np.array([52.658007833]), np.array([1.716073973]))
    assert abs(easting[0] - 651_409.8) < 200
    assert abs(northing[0] - 313_177.5) < 200
