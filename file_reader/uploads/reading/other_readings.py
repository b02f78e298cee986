"""Other readings of the rows of a file, each a rule: how one tells from where the rows are that it fits them better.

Most rules know which rows cannot be meant in their way. What lies between two of these is a run, and doubtful if it
fits. Others look for rows among others that no honest file has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from uploads.reading.detecting.dialect import Dialect
from uploads.reading.detecting.headers import SIDE_WORDS, WEST_WORDS, normal
from uploads.reading.land import COAST, ELSEWHERE, INLAND, SEA, has_postcodes, land_at
from uploads.reading.notations import KINDS, SQUARE_METRES, UK_LATITUDE, UK_LONGITUDE, Notation

#: Fewer rows in a run say nothing of the reading, unless they are the whole file; then, where only their place tells,
#: the second.
_RUN, _FEW = 200, 50
#: Another reading fits if it puts that share of the rows on land, and the present one not more than the other share. Of
#: 1,745,013 British postcodes all but 3 are on land as they are; 39 % without their minus, 99.9 % once it is back; 56 %
#: with easting and northing exchanged.
_FITS, _HOLDS = 0.95, 0.8
#: Without a minus, what was west is in the North Sea and in East Anglia: those shares of it at least are in the sea and
#: inland. Ships off the east coast are not inland, and its towns are not in the sea.
_AT_SEA, _INLAND = 0.35, 0.05
#: By chance, minutes or seconds are below 60 in six of ten places: so many of them, and it is none; in one column
#: alone some more.
_NO_CHANCE, _NO_CHANCE_IN_ONE = 20, 24
#: In part of the rows: so many of those in the sea, and of those with one number that is filled in; some rows before
#: the first of them are meant so, too, but do not show it. The same share as above is less where others are between.
_SHOWN, _MAY_PRECEDE = 4, 10
_AT_SEA_IN_PART = 0.3
#: Some British coasts are on land when they are exchanged, too, and so are ships off them: not over so many degrees.
_OFF, _HIGH, _WIDE = 0.1, 1.5, 2.0
#: The share of British places that is in the sea or abroad when a reference is exchanged within its square is 13 %.
_OFF_WITHIN = 0.05
#: How many times more often than the numbers beside it a number has to stand there.
_TIMES = 4
#: One row of so many may be meant in another way than all others.
_ONE_ODD = 20
#: So many different points, of which none is nearer to another on either axis, are those of a net; some 900 m.
_ON_A_NET, _NET = 60, 0.008
#: In a file of exact degrees, so many rows at least are.
_EXACT = 0.25
#: So many tenths of a degree of latitude have places in the first degree to the east, and in the second to the west.
_TENTHS = 10
#: What takes long for a row is done for one of so many.
_ONE_OF = 20

Degrees = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Located:
    """The rows that have a location, as columns, in degrees. `says_west` is the share of rows around each in which a
    cell says west, NaN where some are west; `land` is what is there, as `land_at` has it.
    """

    dialect: Dialect
    latitudes: Degrees
    longitudes: Degrees
    says_west: npt.NDArray[np.float64]
    land: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.latitudes)

    def __add__(self, other: "Located") -> "Located":
        columns = zip(self._columns(), other._columns(), strict=True)
        return Located(self.dialect, *(np.concatenate(both) for both in columns))

    def run(self, start: int, end: int) -> "Located":
        return self.some(slice(start, end))

    def some(self, rows: slice | Places) -> "Located":
        return Located(self.dialect, *(column[rows] for column in self._columns()))

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.latitudes, self.longitudes, self.says_west, self.land

    @cached_property
    def west(self) -> Places:
        places: Places = np.flatnonzero(self.longitudes < 0)
        return places

    @property
    def step(self) -> int:
        return _ONE_OF if len(self) >= _RUN else 1

    @cached_property
    def sample(self) -> Places:
        return np.arange(0, len(self), self.step)

    @cached_property
    def sampled(self) -> "Located":
        return self.some(self.sample)


def exchanged_on_land(rows: Located) -> npt.NDArray[np.bool_]:
    """Which of these rows are on British land with easting and northing exchanged; of references, within the square."""
    # 30 MB of grid, for the files that need it.
    from convertbng.cutil import convert_osgb36_to_ll

    eastings, northings = on_grid(rows.latitudes, rows.longitudes)
    if rows.dialect.coordinates in _IN_SQUARES:
        further = northings % SQUARE_METRES - eastings % SQUARE_METRES
        eastings, northings = eastings + further, northings - further
    else:
        eastings, northings = northings, eastings
    longitudes, latitudes = convert_osgb36_to_ll(eastings, northings)
    return has_postcodes(land_at(latitudes, longitudes))


def on_grid(latitudes: Degrees, longitudes: Degrees) -> tuple[Degrees, Degrees]:
    """Eastings and northings (metres, British National Grid) to some 200 m, also where OSTN15 ends, in the sea.

    Transverse Mercator by the first terms of Krüger's series, on Airy's ellipsoid, without the change of datum.
    """
    n = (6377563.396 - 6356256.909) / (6377563.396 + 6356256.909)
    radius = 0.9996012717 * 6377563.396 / (1 + n) * (1 + n**2 / 4)
    eccentricity = 2 * np.sqrt(n) / (1 + n)

    def projected(degrees: Degrees, from_middle: Degrees) -> tuple[Degrees, Degrees]:
        sine, turned = np.sin(np.radians(degrees)), np.radians(from_middle)
        tangent = np.sinh(np.arctanh(sine) - eccentricity * np.arctanh(eccentricity * sine))
        north = np.arctan2(tangent, np.cos(turned))
        east = np.arcsinh(np.sin(turned) / np.hypot(tangent, np.cos(turned)))
        first = n / 2 - 2 / 3 * n**2
        return (radius * (east + first * np.cos(2 * north) * np.sinh(2 * east)),
                radius * (north + first * np.sin(2 * north) * np.cosh(2 * east)))  # fmt: skip

    eastings, northings = projected(latitudes, longitudes + 2)
    _, origin = projected(np.array([49.0]), np.zeros(1))
    return eastings + 400_000, northings - origin - 100_000


@dataclass(frozen=True)
class Found:
    """Where rows begin that are meant in another way, and whether these are all of them, but for a few odd ones."""

    start: int
    are_all: bool = False


#: What was found, if anything was. Of the rows, and of the least of a run.
Begins = Callable[[Located, int], Found | None]


@dataclass(frozen=True)
class Rule:
    """Another reading of files in these notations, and where it begins.

    `detail` is for the sender, behind the line; `fix` has the options that mend it, if some do. It is not asked where
    the rule `unless` has found something.
    """

    notations: frozenset[Notation]
    begins: Begins
    detail: str
    fix: Callable[[Dialect], dict[str, str]] = lambda _: {}
    unless: str = ""


def _are_few(odd: Places, rows: Located) -> bool:
    """Whether rows, or all at the places of `sample`, are a few of all: those that are the same count once, since what
    is meant otherwise may be many times there.
    """
    sampled = int(np.count_nonzero(odd % rows.step == 0))
    if _ONE_ODD * max(len(odd), sampled * rows.step) > len(rows):
        return False
    places = rows.latitudes + rows.longitudes * 1_000
    return len(np.unique(places[odd])) * _ONE_ODD <= len(np.unique(places))


def _run(others: Callable[[Located], Places], fits: Callable[[Located], bool]) -> Begins:
    """Rows behind each other: `others` are those that cannot be meant so, `fits` says whether a run without them is.

    A few odd rows do not speak for all others.
    """

    def begins(rows: Located, least: int) -> Found | None:
        odd = others(rows)
        are_few = _are_few(odd, rows)
        edges = np.concatenate([[-1], odd, [len(rows)]])
        for number in np.flatnonzero(np.diff(edges) > least):
            start, end = int(edges[number]) + 1, int(edges[number + 1])
            if fits(rows.run(start, end)):
                are_before = start == int(number)  # all rows before it are odd
                return Found(start, are_all=are_few and are_before)
        if are_few and len(rows) >= least:
            rest = np.delete(np.arange(len(rows)), odd)
            if fits(rows.some(rest)):
                return Found(int(rest[0]), are_all=True)
        return None

    return begins


def _from(some: Places, among: Places) -> Found:
    """Where rows begin that are mixed with others: before the first that shows, there are some that do not."""
    return Found(int(among[max(0, int(np.searchsorted(among, some[0])) - _MAY_PRECEDE)]))


def _minus_lost_in_part(rows: Located, least: int) -> Found | None:
    """Many of the rows in the east are in the sea, and others are not ships: the minus is lost in some rows only."""
    east = np.flatnonzero(rows.longitudes > 0)
    at_sea = east[rows.land[east] == SEA]
    if len(at_sea) < _SHOWN or not len(rows.west):
        return None
    if least >= _RUN and not np.any((rows.west > at_sea[0]) & (rows.west < at_sea[-1])):
        return None  # a run that goes on
    among = east[(east >= at_sea[0]) & (east <= at_sea[-1])]
    inland = np.mean(rows.land[among] == INLAND)
    mirrored = has_postcodes(land_at(rows.latitudes[at_sea], -rows.longitudes[at_sea]))
    if len(at_sea) < _AT_SEA_IN_PART * len(among) or inland < _INLAND or np.mean(mirrored) < _FITS:
        return None
    return _from(at_sea, east)


def _exchanged_in_part(rows: Located, _: int) -> Found | None:
    """Some rows, of many parts of the country, are in the sea or abroad, and nearly all would be on land exchanged."""
    off = np.flatnonzero(rows.land <= ELSEWHERE)
    if len(off) < _SHOWN or len(off) < _OFF * (off[-1] - off[0] + 1):
        return None
    if np.ptp(rows.latitudes[off]) < _HIGH or np.ptp(rows.longitudes[off]) < _WIDE:
        return None
    is_exchanged = exchanged_on_land(rows.some(off))
    return _from(off[is_exchanged], np.arange(len(rows))) if np.mean(is_exchanged) >= _FITS else None


def _says_west(rows: Located) -> bool:
    names = set(normal(str(rows.dialect.longitude)).split("_")) if rows.dialect.has_header else set()
    west, east = SIDE_WORDS["longitude"]
    is_said = bool((west | WEST_WORDS) & names) and not east & names
    counted = rows.says_west[~np.isnan(rows.says_west)]
    says_so = len(counted) * 2 >= len(rows) and np.mean(counted) >= _HOLDS
    return bool((rows.longitudes > 0).any() and (is_said or says_so))


def _lost_its_minus(rows: Located) -> bool:
    return bool(
        len(rows) >= _FEW
        and np.mean(rows.land == SEA) >= _AT_SEA
        and np.mean(rows.land == INLAND) >= _INLAND
        and np.mean(has_postcodes(land_at(rows.latitudes, -rows.longitudes))) >= _FITS
    )


def _is_exchanged(rows: Located) -> bool:
    return bool(np.mean(rows.land >= COAST) <= _HOLDS and np.mean(exchanged_on_land(rows.sampled)) >= _FITS)


def _is_exchanged_within(rows: Located) -> bool:
    """Within squares, most are on land the other way round, too: ships are not, and land is not with them."""
    off = np.count_nonzero(rows.land <= ELSEWHERE)
    return bool(off >= _SHOWN and _OFF_WITHIN * len(rows) <= off <= (1 - _HOLDS) * len(rows))


def _but(may_be: Callable[[Located], npt.NDArray[np.bool_]]) -> Callable[[Located], Places]:
    """The places of the rows that cannot be meant so; if one of so many leaves no run, only of these."""

    def others(rows: Located) -> Places:
        some: Places = rows.sample[~may_be(rows.sampled)]
        if len(some) and np.diff(some, prepend=0, append=len(rows)).max() < _RUN:
            return some  # almost always
        places: Places = np.flatnonzero(~may_be(rows))
        return places

    return others


def _filled_in(rows: Located, _: int) -> Found | None:
    """A whole number stands beside so many others that it is none of them: for what was not known."""
    for filled, others in ((rows.longitudes, rows.latitudes), (rows.latitudes, rows.longitudes)):
        whole = np.flatnonzero(filled == np.rint(filled))
        if len(whole) < _SHOWN:
            continue
        whole = whole[(others[whole] != np.rint(others[whole])) & (rows.land[whole] != ELSEWHERE)]
        for value in np.unique(filled[whole]):
            at = whole[filled[whole] == value]
            beside = len(np.unique(others[at]))
            if beside < _SHOWN:
                continue  # almost always: what happens by chance takes longer
            if beside >= _SHOWN + _TIMES * max(_by_chance(filled, value), _as_usual(filled, others, value)):
                return Found(int(at[0]))
    return None


def _rounded_in_part(rows: Located, _: int) -> Found | None:
    """Both coordinates have one decimal or none in some rows: more than happen to, where the others have many.

    In a net of halves, quarters and eighths, as many as a quarter of those with two decimals happen to.
    """
    tenths = np.flatnonzero(_has_decimals(rows.longitudes, 1))
    tenths = tenths[_has_decimals(rows.latitudes[tenths], 1) & (rows.land[tenths] != ELSEWHERE)]
    if len(tenths) < _SHOWN:
        return None
    coarse = int(np.count_nonzero(_are_coarse(rows)))
    is_exact = len(rows) - coarse >= _EXACT * len(rows)
    return Found(int(tenths[0])) if is_exact and _are_many(tenths, coarse) else None


def _are_many(tenths: Places, coarse: int) -> bool:
    """Whether more have one decimal or none than happen to, of so many that have two or fewer."""
    return len(tenths) >= _SHOWN + (coarse - len(tenths)) / 2


def _one_rounded_in_part(rows: Located, _: int) -> Found | None:
    """The same of one of both coordinates: of those with two decimals or fewer, a tenth happen to have one or none."""
    for degrees in (rows.latitudes, rows.longitudes):
        tenths = np.flatnonzero(_has_decimals(degrees, 1) & (rows.land != ELSEWHERE))
        if len(tenths) < _SHOWN:
            continue
        coarse = int(np.count_nonzero(_has_decimals(degrees, 2)))
        are_exact = np.mean(_has_decimals(degrees, 4)) <= 1 - _EXACT  # a net of sixteenths has four
        differ = len(np.unique(degrees[tenths])) >= _SHOWN  # else it is a line on the map
        if are_exact and differ and _are_many(tenths, coarse):
            return Found(int(tenths[0]))
    return None


def _on_a_net(rows: Located, _: int) -> Found | None:
    """No two latitudes and no two longitudes are near each other, unless they are the same: points of a net."""
    if len(rows) < _ON_A_NET or not all(_is_apart(one[:_ON_A_NET]) for one in (rows.latitudes, rows.longitudes)):
        return None  # almost always
    are_many = len(np.unique(rows.latitudes + rows.longitudes * 1_000)) >= _ON_A_NET
    return Found(0) if are_many and _is_apart(rows.latitudes) and _is_apart(rows.longitudes) else None


def _is_apart(degrees: Degrees) -> bool:
    return bool(np.diff(np.unique(np.round(degrees, 6))).min(initial=1.0) >= _NET)


def _zero_degrees(rows: Located, _: int) -> Found | None:
    """Nothing lies between 1° and 0° west, in a country of which many places do: '-0' has lost its minus."""
    if not len(rows.west) or rows.longitudes[rows.west].max() > -1:
        return None
    east = (rows.longitudes > 0) & (rows.longitudes < 1) & (rows.land != ELSEWHERE)
    west = (rows.longitudes > -2) & (rows.longitudes <= -1) & (rows.land != ELSEWHERE)
    tenths = [len(np.unique(np.floor(rows.latitudes[some] * 10))) for some in (east, west)]
    return Found(int(np.flatnonzero(east)[0])) if min(tenths) >= _TENTHS else None


def _by_chance(degrees: Degrees, value: float) -> float:
    """How many have a value because they happen to: as many as have one beside it, with as many decimals."""
    beside = degrees[(np.abs(degrees - value) < 1.01) & (degrees != value)]
    most = 0.0
    for unit in 10.0 ** -np.arange(1, 8):
        steps = np.abs(beside - value) / unit
        near = steps[(steps < 10.5) & (np.abs(steps - np.rint(steps)) < 0.001)]
        most = max([most, *(np.count_nonzero(near < count + 0.5) / (2 * count) for count in (1, 2, 5, 10))])
    return most


def _as_usual(degrees: Degrees, others: Degrees, value: float) -> int:
    """Beside how many more numbers than one another value stands: in a net of points each does beside many."""
    values, counts = np.unique(degrees[degrees != value], return_counts=True)
    usual = values[np.argsort(counts)[-_SHOWN:]]
    return max((len(np.unique(others[degrees == one])) - 1 for one in usual), default=0)


def _may_be_packed(degrees: Degrees) -> npt.NDArray[np.bool_]:
    """Whether the first two digits behind the point may be minutes, and the next two seconds."""
    digits = _digits(degrees)
    return (digits < 6_000) & (digits % 100 < 60)


def _chances(degrees: Degrees) -> int:
    """How many of the minutes and seconds do not follow from others, as their places are far from these."""
    digits = _digits(degrees)
    whole = np.trunc(degrees)
    minutes = len(np.unique(whole * 100 + digits // 100))
    return min(len(np.unique(whole)) + minutes, 2 * len(np.unique(digits % 100)))


def _are_packed(rows: Located) -> bool:
    return _chances(rows.latitudes) + _chances(rows.longitudes) >= _NO_CHANCE


def _is_packed_alone(degrees: Degrees, others: Degrees) -> bool:
    """Whether one column is, and most of the other one are not."""
    return _chances(degrees) >= _NO_CHANCE_IN_ONE and bool(np.mean(_may_be_packed(others)) < _HOLDS)


def _may_have_minutes(degrees: Degrees) -> npt.NDArray[np.bool_]:
    return _digits(degrees) < 6_000


def _have_minutes(rows: Located) -> bool:
    """Whether minutes of all kinds go on in the next degree, but none is above 59, in both columns.

    A region may end at some minute; only by chance it goes on behind the others. Where the seconds are below 60, too,
    that is another rule's. Of two digits alone, those of many places have to be below 60.
    """
    both = rows.latitudes, rows.longitudes
    if np.mean(_are_coarse(rows)) >= _HOLDS:
        tens = [np.unique(np.trunc(np.abs(degrees) * 10)) for degrees in both]
        return sum(map(len, tens)) >= _NO_CHANCE_IN_ONE and all(len(np.unique(one % 10)) >= 5 for one in tens)
    have_seconds = np.mean(_may_be_packed(rows.latitudes) & _may_be_packed(rows.longitudes)) >= _HOLDS
    return not have_seconds and all(map(_goes_on, both))


def _goes_on(degrees: Degrees) -> bool:
    """Whether five of six tens of minutes are in a degree, and 50 to 59 stand before the first ten of the next."""
    for side in (degrees[degrees >= 0], -degrees[degrees < 0]):
        tens = {*np.unique((side * 10 + 1e-6).astype(np.int32)).tolist()}
        wholes = {ten // 10 for ten in tens}
        if any(sum(whole * 10 + ten in tens for ten in range(6)) >= 5 for whole in wholes) and any(
            {whole * 10 + 5, whole * 10 + 10} <= tens for whole in wholes
        ):
            return True
    return False


def _are_radians(rows: Located) -> npt.NDArray[np.bool_]:
    """Which would be in the UK, were they radians; as they are, they lie in the sea off Africa."""
    north, east = np.degrees(rows.latitudes), np.degrees(rows.longitudes)
    return (north >= UK_LATITUDE[0]) & (north <= UK_LATITUDE[1]) & (east >= UK_LONGITUDE[0]) & (east <= UK_LONGITUDE[1])


def _are_whole(rows: Located) -> npt.NDArray[np.bool_]:
    are: npt.NDArray[np.bool_] = (rows.latitudes % 1 == 0) & (rows.longitudes % 1 == 0) & (rows.latitudes != 0)
    return are


def _are_the_same(rows: Located) -> npt.NDArray[np.bool_]:
    are: npt.NDArray[np.bool_] = (rows.latitudes == rows.longitudes) & (rows.latitudes != 0)
    return are


def _is_long(rows: Located) -> bool:
    return len(rows) >= _FEW


def _are_coarse(rows: Located) -> npt.NDArray[np.bool_]:
    """Which have two decimals or fewer."""
    are: npt.NDArray[np.bool_] = (
        _has_decimals(rows.latitudes, 2) & _has_decimals(rows.longitudes, 2) & (rows.latitudes != 0)
    )
    return are


def _has_decimals(degrees: Degrees, most: int) -> npt.NDArray[np.bool_]:
    """Which have so many decimals at most."""
    scaled = degrees * 10**most
    has: npt.NDArray[np.bool_] = np.abs(scaled - np.rint(scaled)) < 1e-6
    return has


def _digits(degrees: Degrees) -> npt.NDArray[np.int32]:
    """The four digits behind the point."""
    return (np.abs(degrees) * 10_000 + 1e-6).astype(np.int32) % 10_000


def _packed_fix(dialect: Dialect, notation: Notation) -> dict[str, str]:
    """Only of two columns, one notation is as good as the other."""
    return {"coordinates": notation.value} if dialect.coordinates == Notation.DEGREES else {}


#: Metres and squares of a grid have their side in themselves.
_DEGREES = frozenset(notation for notation, kind in KINDS.items() if not kind.is_metric and kind.size is None)
#: Eastings and northings within squares of 100 km.
_IN_SQUARES = frozenset({Notation.GRID_REFERENCE, Notation.OSGB36_SQUARE})
#: Degrees with a point.
_WITH_POINT = frozenset({Notation.DEGREES, Notation.LAT_LON, Notation.LON_LAT, Notation.WKT, Notation.GEOJSON,
                         Notation.JSON})  # fmt: skip
_IN_ONE = (
    "the digits behind the point of all {} are below 60, as in 51.3006 for 51°30'06\": degrees, minutes and seconds in"
    " one number. Send degrees in both columns (degrees + minutes / 60 + seconds / 3600)"
)
RULES = {
    "west_is_said": Rule(
        _DEGREES,
        _run(lambda rows: rows.west, _says_west),
        "a name or a column says west, and no longitude has a minus. Send longitudes with their sign (west is"
        " negative)",
    ),
    "minus_lost": Rule(
        _DEGREES,
        _run(lambda rows: rows.west, _lost_its_minus),
        "no longitude has a minus, and many locations in the sea would be on land if they were west of Greenwich. Send"
        " longitudes with their sign (west is negative)",
    ),
    "minus_lost_in_part": Rule(
        _DEGREES,
        _minus_lost_in_part,
        "some longitudes have a minus, and many locations of those that have none are in the sea, and would be on land"
        " if they were west of Greenwich. Send all longitudes with their sign (west is negative)",
        unless="minus_lost",
    ),
    "minutes_packed": Rule(
        _WITH_POINT,
        _run(_but(lambda rows: _may_be_packed(rows.latitudes) & _may_be_packed(rows.longitudes)), _are_packed),
        "the digits behind the point are all below 60, as in 51.3006 for 51°30'06\": degrees, minutes and seconds in"
        " one number. If they are, send them in two columns with coordinates=dd.mmss",
        lambda dialect: _packed_fix(dialect, Notation.DD_MMSS),
    ),
    "minutes_behind_point": Rule(
        _WITH_POINT,
        _run(_but(lambda rows: _may_have_minutes(rows.latitudes) & _may_have_minutes(rows.longitudes)), _have_minutes),
        "the first two digits behind the point are all below 60, as in 51.300600 for 51°30.06': degrees and minutes in"
        " one number. If they are, send them in two columns with coordinates=dd.mmmm",
        lambda dialect: _packed_fix(dialect, Notation.DD_MMMM),
    ),
    "latitude_packed": Rule(
        _WITH_POINT,
        _run(
            _but(lambda rows: _may_be_packed(rows.latitudes)),
            lambda rows: _is_packed_alone(rows.latitudes, rows.longitudes),
        ),
        _IN_ONE.format("latitudes"),
    ),
    "longitude_packed": Rule(
        _WITH_POINT,
        _run(
            _but(lambda rows: _may_be_packed(rows.longitudes)),
            lambda rows: _is_packed_alone(rows.longitudes, rows.latitudes),
        ),
        _IN_ONE.format("longitudes"),
    ),
    "radians": Rule(
        _WITH_POINT,
        _run(_but(_are_radians), _is_long),
        "the coordinates seem to be in radians: these would be in the UK. Send degrees (radians × 180 / π)",
    ),
    "whole_degrees": Rule(
        _WITH_POINT,
        _run(_but(_are_whole), _is_long),
        "all degrees are whole numbers: places of 100 km. Send degrees with decimals",
    ),
    "same_number_twice": Rule(
        _WITH_POINT,
        _run(_but(_are_the_same), _is_long),
        "the latitude and the longitude are the same number. Look whether one of them was copied into the other",
    ),
    "grid_exchanged": Rule(
        frozenset({Notation.OSGB36}),
        _run(_but(lambda rows: (rows.land < COAST) | exchanged_on_land(rows)), _is_exchanged),
        "eastings and northings seem to be exchanged: as they are, many locations are in the sea, and the other way"
        " round they are on land. Say longitude=<column of the easting> and latitude=<column of the northing>",
        lambda dialect: (
            {}
            if dialect.in_metres
            else {
                "latitude": str(dialect.longitude),
                "longitude": str(dialect.latitude),
                "coordinates": dialect.coordinates,
            }
        ),
    ),
    "reference_exchanged": Rule(
        _IN_SQUARES,
        _run(_but(exchanged_on_land), _is_exchanged_within),
        "the two halves of the references seem to be exchanged: as they are, some locations are in the sea, and the"
        " other way round all are on land. Write the easting first",
    ),
    "grid_exchanged_in_part": Rule(
        frozenset({Notation.OSGB36}),
        _exchanged_in_part,
        "eastings and northings seem to be exchanged in some rows: as they are, these are in the sea, and the other way"
        " round they are on land. Exchange them there",
        unless="grid_exchanged",
    ),
    "zero_degrees": Rule(
        _DEGREES,
        _zero_degrees,
        "no longitude is between -1 and 0, and many are between 0 and 1, and below -1: what was -0°30' seems to have"
        " lost its minus. Send all longitudes with their sign (west is negative)",
    ),
    "rounded_in_part": Rule(
        _WITH_POINT,
        _rounded_in_part,
        "some rows have one decimal or none, and others have many: these are places of 10 km, or stand for one that is"
        " not known. Send degrees with five decimals, or leave the cells empty there",
        unless="whole_degrees",
    ),
    "filled_in": Rule(
        _DEGREES,
        _filled_in,
        "the same whole number, such as 0, is a coordinate of so many places that it seems to stand for one that is not"
        " known. Leave the cell empty there",
        unless="rounded_in_part",
    ),
    "one_rounded_in_part": Rule(
        _WITH_POINT,
        _one_rounded_in_part,
        "one of both coordinates has one decimal or none in some rows, and many in the others: these are places of"
        " 10 km, or stand for one that is not known. Send degrees with five decimals, or leave the cells empty there",
        unless="filled_in",
    ),
}
#: What is not as exact further down as in the first rows: nothing is asked, but it is said.
NOTES = {
    "few_decimals": Rule(
        _WITH_POINT,
        _run(_but(_are_coarse), lambda rows: len(rows) >= _RUN),
        "The degrees of 200 rows or more behind each other have two decimals or fewer: each is a place of 1 km",
    ),
    "on_a_net": Rule(
        _DEGREES,
        _on_a_net,
        "The locations stand on a net, none nearer to another than some 900 m: each is a place of that size or more",
    ),
}


def begins_of(rules: dict[str, Rule], rows: Located, *, from_first: bool) -> dict[str, Found]:
    """Where rows begin that are meant in another way, by the names of the rules that have found some."""
    least = min(_RUN, len(rows)) if from_first else _RUN
    notation = Notation.OSGB36 if rows.dialect.in_metres else rows.dialect.coordinates
    found: dict[str, Found] = {}
    for code, rule in rules.items():
        if len(rows) and notation in rule.notations and rule.unless not in found:
            begins = rule.begins(rows, least)
            if begins is not None:
                found[code] = begins
    return found
