"""Files that are read without an error, and fit another reading better: a second look tells."""

import json
from collections.abc import Callable
from math import floor, radians

import numpy as np
from tests.corpus.case import At, Case, Fault
from tests.places import Location, around, exchanged_reference, of_britain, table

from uploads.reading.other_readings import on_grid

_PLACES = of_britain(3_000)
_NORFOLK = around([(52.6283, 1.2923)], 300)


def _doubt(code: str, line: int = 2, **more: object) -> Fault:
    return Fault("reading-doubtful", {"doubt": code, "line": line, **more})


def _packed(degrees: float) -> str:
    size = abs(degrees) + 1e-9
    minutes = size % 1 * 60
    return f"{'-' if degrees < 0 else ''}{floor(size)}.{floor(minutes):02}{floor(minutes % 1 * 60):02}"


def _with_minutes(degrees: float) -> str:
    size = abs(degrees)
    return f"{'-' if degrees < 0 else ''}{floor(size) + size % 1 * 0.6:.6f}"


def _both(write: Callable[[float], str], between: str = ",") -> Callable[[Location], str]:
    return lambda at: f"{write(at[0])}{between}{write(at[1])}"


def _lettered(at: Location) -> str:
    return f"{_packed(at[0])}N,{_packed(at[1]).lstrip('-')}{'W' if at[1] < 0 else 'E'}"


def _without_minus(at: Location) -> str:
    return f"{at[0]:.6f},{abs(at[1]):.6f}"


def _features(count: int) -> str:
    return json.dumps([
        {"type": "Feature", "properties": {}, "geometry": {
            "type": "Point", "coordinates": [float(_packed(east)), float(_packed(north))]}}
        for north, east in _PLACES[:count]
    ])  # fmt: skip


def _in_turn(places: list[Location], write: Callable[[Location], str]) -> bytes:
    """Every second row is written otherwise."""
    numbers = iter(range(len(places)))
    return table("id,lat,lon", places, lambda at: write(at) if next(numbers) % 2 else f"{at[0]},{at[1]}")


def _grid_in_turn(at: tuple[Location, int]) -> str:
    (latitude, longitude), number = at
    easting, northing = (f"{metres[0]:.0f}" for metres in on_grid(np.array([latitude]), np.array([longitude])))
    return f"{northing},{easting},GB" if number % 2 else f"{easting},{northing},GB"


#: Where all but a few British places are.
_MAINLAND = [at for at in _PLACES if at[0] < 55][:400]
#: At both sides of the meridian, and some on it.
_GREENWICH = [(round(north, 3), round(east, 3)) for north, east in around([(51.4779, 0.0)], 300)]
_DD_MMSS = {"coordinates": "dd.mmss"}
_RANDOM = [At(line, *at) for line, at in enumerate(_PLACES[:40], 2)]

CASES = [
    # --- minutes behind the point
    *(
        Case(f"minutes and seconds behind the point, {count} rows", table("id,lat,lon", _PLACES[:count],
             _both(_packed)), fault=_doubt("minutes_packed", fix=_DD_MMSS))
        for count in (8, 15, 300)
    ),
    Case("minutes and seconds behind the point, with letters", table("id,lat,lon", _PLACES[:15], _lettered),
         fault=_doubt("minutes_packed", fix=_DD_MMSS)),
    Case("minutes and seconds behind the point, in one cell",
         "id\tplace\n" + "".join(f"1\t{_packed(n)}, {_packed(e)}\n" for n, e in _PLACES[:15]),
         fault=_doubt("minutes_packed", fix={})),
    Case("minutes and seconds behind the point, as WKT",
         "id,geom\n" + "".join(f"1,POINT({_packed(e)} {_packed(n)})\n" for n, e in _PLACES[:15]),
         fault=_doubt("minutes_packed", fix={})),
    Case("minutes and seconds behind the point, as GeoJSON", _features(15), fault=_doubt("minutes_packed")),
    Case("minutes and seconds behind the point, declared", table("id,lat,lon", _PLACES[:8], _both(_packed)),
         [At(line, *at, 50) for line, at in enumerate(_PLACES[:8], 2)], declared=_DD_MMSS),
    Case("minutes with decimals behind the point", table("id,lat,lon", _PLACES[:100], _both(_with_minutes)),
         fault=_doubt("minutes_behind_point", fix={"coordinates": "dd.mmmm"})),
    Case("minutes with decimals behind the point, declared",
         table("id,lat,lon", _PLACES[:100], _both(_with_minutes)),
         [At(line, *at, 1) for line, at in enumerate(_PLACES[:100], 2)], declared={"coordinates": "dd.mmmm"}),
    Case("minutes with decimals behind the point, further down",
         table("id,lat,lon", _PLACES[:300]) + table("", _PLACES[300:1_300], _both(_with_minutes)).lstrip(b"\n"),
         fault=Fault("reading-doubtful", {"doubt": "minutes_behind_point"})),
    Case("minutes and seconds in the longitude only",
         table("id,lat,lon", _PLACES[:100], lambda at: f"{at[0]},{_packed(at[1])}"),
         fault=_doubt("longitude_packed", fix={})),
    Case("minutes and seconds in the latitude only",
         table("id,lat,lon", _PLACES[:100], lambda at: f"{_packed(at[0])},{at[1]}"),
         fault=_doubt("latitude_packed", fix={})),
    Case("a few places of the country", table("id,lat,lon", _PLACES[:40]), _RANDOM),
    Case("half degrees", "lat,lon\n" + "".join(f"{50 + n // 16 / 2:.4f},{n % 16 / 2 - 6:.4f}\n" for n in range(256)),
         [At(n + 2, 50 + n // 16 / 2, n % 16 / 2 - 6) for n in range(256)]),
    Case("a grid of a county", "lat,lon\n" + "".join(
         f"{51.025 + n // 10 * 0.05:.4f},{-0.575 + n % 10 * 0.05:.4f}\n" for n in range(100)),
         [At(n + 2, round(51.025 + n // 10 * 0.05, 4), round(-0.575 + n % 10 * 0.05, 4)) for n in range(100)]),
    # --- other units
    *(
        Case(f"{name} further down", table("id,lat,lon", _PLACES[:300])
             + table("", _PLACES[300:600], write).lstrip(b"\n"), fault=_doubt(code, 302, fix={}))
        for name, code, write in (
            ("radians", "radians", lambda at: f"{radians(at[0]):.7f},{radians(at[1]):.7f}"),
            ("whole degrees", "whole_degrees", lambda at: f"{at[0]:.0f},{at[1]:.0f}"),
            ("the latitude twice", "same_number_twice", lambda at: f"{at[0]},{at[0]}"),
        )
    ),
    # --- some rows among others
    *(
        Case(f"every second row has lost its minus, {count} rows", _in_turn(_PLACES[:count], _without_minus),
             fault=Fault("reading-doubtful", {"doubt": "minus_lost_in_part", "fix": {}}))
        for count in (20, 100)
    ),
    Case("every second row has lost its minus, further down",
         table("id,lat,lon", _PLACES[:1_000]) + _in_turn(_PLACES[1_000:1_400], _without_minus).split(b"\n", 1)[1],
         fault=Fault("reading-doubtful", {"doubt": "minus_lost_in_part"})),
    Case("every second easting and northing is exchanged",
         table("id,easting,northing,country", zip(_MAINLAND[:20], range(20), strict=True), _grid_in_turn),
         fault=Fault("reading-doubtful", {"doubt": "grid_exchanged_in_part", "fix": {}})),
    Case("northings first in points of the National Grid", "wkt\nSRID=27700;POINT (179645 529090)\n",
         fault=_doubt("grid_exchanged", fix={})),
    Case("the halves of grid references are exchanged", table("id,ngr", _MAINLAND[:100], exchanged_reference),
         fault=_doubt("reference_exchanged", fix={})),
    Case("minutes and seconds in one number, and one row that is not",
         table("id,lat,lon", _PLACES[:40], _both(_packed)) + b"0,51.787878,-0.676767\n",
         fault=_doubt("minutes_packed", fix={"coordinates": "dd.mmss"})),
    Case("places of the country, and one of them many times, whose digits are below 60",
         table("id,lat,lon", _PLACES[:100]) + b"0,51.508036,-0.075853\n" * 3_000,
         [*(At(line, *at) for line, at in enumerate(_PLACES[:100], 2)),
          *(At(line, 51.508036, -0.075853) for line in range(102, 3_102))]),
    Case("minutes and seconds in one number in the first of two parts",
         table("id,lat,lon", _PLACES[:300], _both(_packed)) + table("", _PLACES[300:600]).lstrip(b"\n"),
         fault=_doubt("minutes_packed", fix={})),
    Case("minus nought is nought",
         table("id,lat,lon", _MAINLAND, lambda at: f"{at[0]},{abs(at[1]) if at[1] > -1 else at[1]}"),
         fault=Fault("reading-doubtful", {"doubt": "zero_degrees", "fix": {}})),
    Case("one decimal in some rows", "lat,lon\n51.501009,-0.141588\n51.5,-0.1\n53.3,-3.4\n52.9,-1.3\n54,-2\n52.5,-1.9\n"
         "51.503,-0.1276\n", fault=_doubt("rounded_in_part", 3, fix={})),
    Case("one decimal in the latitude of some rows", "lat,lon\n" + "51.501009,-0.141588\n" * 5
         + "".join(f"{n}.{n % 3},-2.14{n}58\n" for n in range(51, 56)),
         fault=_doubt("one_rounded_in_part", 7, fix={})),
    Case("a longitude of 0 in some rows", "lat,lon\n51.501009,-0.141588\n" + "".join(
         f"{51.5 + n / 7:.6f},0.000000\n" for n in range(4)), fault=_doubt("filled_in", 3, fix={})),
    Case("a longitude of -1 in some rows", "lat,lon\n51.501009,-0.141588\n" + "".join(
         f"{51.5 + n / 7:.6f},-1\n" for n in range(4)), fault=_doubt("filled_in", 3, fix={})),
    Case("Greenwich to three decimals", table("id,lat,lon", _GREENWICH),
         [At(line, *at) for line, at in enumerate(_GREENWICH, 2)]),
    Case("minutes of two digits behind the point",
         table("id,lat,lon", _MAINLAND[:60], lambda at: ",".join(_packed(one)[:-2] for one in at)),
         fault=_doubt("minutes_behind_point", fix={"coordinates": "dd.mmmm"})),
    # --- sides
    Case("west further down, in a column that said something else",
         table("id,lat,lon,a,b", _NORFOLK, "{0[0]},{0[1]},x,unknown".format) + b"1,51.501,0.142,x,NW\n" * 3_000,
         fault=Fault("reading-doubtful", {"doubt": "west_is_said"})),
    Case("minus lost further down", table("id,lat,lon", _NORFOLK)
         + table("", [at for at in _PLACES if at[1] < 0], _without_minus).lstrip(b"\n"),
         fault=Fault("reading-doubtful", {"doubt": "minus_lost"})),
    Case("easting and northing exchanged", "easting,northing\n179645,529090\n",
         fault=_doubt("grid_exchanged", fix={"latitude": "easting", "longitude": "northing", "coordinates": "osgb36"})),
    Case("a quote that swallows a short row too",
         'id,name,lat,lon\n1,a,51.501,-0.141\n2,"mill,51.502,-0.142\n3,51.5\n4,pond",51.503,-0.143\n',
         fault=_doubt("rows_in_quotes", 3)),
]  # fmt: skip
