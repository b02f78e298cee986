"""A second look at the whole: whether what was told from the first rows holds for all rows that are read.

It knows little of how files go wrong, but what comes of it: locations in the sea that another reading puts on land, no
longitude in the west where something says west, digits that decimals do not have. A rule of RULES knows which rows
cannot be meant in its way; what lies between two of these is doubtful if it fits, and there the reading ends.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from uploads.reading.coordinates import Notation
from uploads.reading.detecting.dialect import SAMPLE_BYTES, Dialect
from uploads.reading.detecting.headers import SIDE_WORDS, WEST_WORDS, normal
from uploads.reading.errors import DoubtfulError, UnreadableError
from uploads.reading.land import COAST, INLAND, SEA, has_postcodes, land_at
from uploads.reading.records import Part, read_parts

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
#: What takes long for a row is done for one of so many.
_ONE_OF = 20

Degrees = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Located:
    """The rows that have a location, as columns, in degrees. `says_west` is the share of rows around each in which a
    cell says west, NaN where some are west.
    """

    dialect: Dialect
    latitudes: Degrees
    longitudes: Degrees
    says_west: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.latitudes)

    def __add__(self, other: "Located") -> "Located":
        names = ("latitudes", "longitudes", "says_west")
        return Located(self.dialect, *(np.concatenate([getattr(self, of), getattr(other, of)]) for of in names))

    def run(self, start: int, end: int) -> "Located":
        return Located(self.dialect, self.latitudes[start:end], self.longitudes[start:end], self.says_west[start:end])

    @cached_property
    def land(self) -> npt.NDArray[np.uint8]:
        return land_at(self.latitudes, self.longitudes)

    @cached_property
    def sample(self) -> Places:
        return np.arange(0, len(self), _ONE_OF if len(self) >= _RUN else 1)

    @cached_property
    def exchanged(self) -> npt.NDArray[np.bool_]:
        """Which of the sample are on British land with easting and northing exchanged."""
        # 30 MB of grid, for the files that need it.
        from convertbng.cutil import convert_osgb36_to_ll

        eastings, northings = on_grid(self.latitudes[self.sample], self.longitudes[self.sample])
        longitudes, latitudes = convert_osgb36_to_ll(northings, eastings)
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
class Rule:
    """Another reading of files in these notations.

    `others` are the places of rows that cannot be meant so, `fits` says whether a run without such rows is. `detail` is
    for the sender, behind the line; `fix` has the options that mend it, if some do.
    """

    notations: frozenset[Notation]
    others: Callable[[Located], Places]
    fits: Callable[[Located], bool]
    detail: str
    fix: Callable[[Dialect], dict[str, str]] = lambda _: {}


def _west(rows: Located) -> Places:
    places: Places = np.flatnonzero(rows.longitudes < 0)
    return places


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


def _not_exchanged(rows: Located) -> Places:
    is_other = (rows.land[rows.sample] >= COAST) & ~rows.exchanged
    places: Places = rows.sample[is_other]
    return places


def _is_exchanged(rows: Located) -> bool:
    return bool(np.mean(rows.land >= COAST) <= _HOLDS and np.mean(rows.exchanged) >= _FITS)


def _not_packed(rows: Located) -> Places:
    places: Places = np.flatnonzero(~(_may_be_packed(rows.latitudes) & _may_be_packed(rows.longitudes)))
    return places


def _is_packed(rows: Located) -> bool:
    """Whether these are so many that it is no chance. Of decimals, seven in eight tell, unless all are of a street."""
    digits = _digits(rows.latitudes)
    return len(rows) >= _FEW and len(np.unique(digits // 100)) >= 5 and len(np.unique(digits % 100)) >= 20


def _may_be_packed(degrees: Degrees) -> npt.NDArray[np.bool_]:
    digits = _digits(degrees)
    return (digits < 6_000) & (digits % 100 < 60)


def _digits(degrees: Degrees) -> npt.NDArray[np.int32]:
    """The four digits behind the point."""
    return (np.abs(degrees) * 10_000 + 1e-6).astype(np.int32) % 10_000


_DEGREES = frozenset(Notation) - {Notation.OSGB36}
RULES = {
    "west_is_said": Rule(
        _DEGREES,
        _west,
        _says_west,
        "a name or a column says west, and no longitude has a minus. Send longitudes with their sign (west is"
        " negative)",
    ),
    "minus_lost": Rule(
        _DEGREES,
        _west,
        _lost_its_minus,
        "no longitude has a minus, and many locations in the sea would be on land if they were west of Greenwich. Send"
        " longitudes with their sign (west is negative)",
    ),
    "minutes_packed": Rule(
        _DEGREES,
        _not_packed,
        _is_packed,
        "the digits behind the point are all below 60, as in 51.3006 for 51°30'06\": degrees, minutes and seconds in"
        " one number. Send degrees (degrees + minutes / 60 + seconds / 3600)",
    ),
    "grid_exchanged": Rule(
        frozenset({Notation.OSGB36}),
        _not_exchanged,
        _is_exchanged,
        "eastings and northings seem to be exchanged: as they are, many locations are in the sea, and the other way"
        " round they are on land. Say longitude=<column of the easting> and latitude=<column of the northing>",
        lambda dialect: {
            "latitude": str(dialect.longitude),
            "longitude": str(dialect.latitude),
            "coordinates": dialect.coordinates,
        },
    ),
}
_IN_QUOTES = "rows_in_quotes"
_DETAILS = {code: rule.detail for code, rule in RULES.items()} | {
    _IN_QUOTES: "a cell in quotes has lines that look like rows of their own. Write a quote inside of a cell twice, and"
    " the cell in quotes"
}


@dataclass(frozen=True)
class Doubt:
    """What may be wrong from a record on: `before` counts the records of the parts before it, `line` is its own."""

    code: str
    before: int
    line: int

    def error(self, dialect: Dialect) -> DoubtfulError:
        """The end of the reading, in the sender's words."""
        return DoubtfulError(
            f"From line {self.line} on, {sentence_of(self.code)}; or, if they are right, declare the columns with"
            " latitude=<name or number> and longitude=<name or number>.",
            line=self.line,
            doubt=self.code,
            fix=fix_of(self.code, dialect),
        )


def sentence_of(code: str) -> str:
    """What a doubt says, without its beginning and its end."""
    return _DETAILS[code]


def fix_of(code: str, dialect: Dialect) -> dict[str, str]:
    """The options that mend it, if some do."""
    return RULES[code].fix(dialect) if code in RULES else {}


@dataclass(frozen=True)
class Seen:
    """Some records and what a second look at them found: of those that have a location the place, from 0, and the
    degrees; how many of these are in the sea; the first doubt. What the reading ends with, if it has to, stands behind
    them.
    """

    parts: list[Part]
    places: Places
    located: Located
    doubt: Doubt | None
    error: DoubtfulError | None

    @property
    def at_sea(self) -> int:
        return int(np.sum(self.located.land == SEA))


def second_look(parts: list[Part], dialect: Dialect, before: Located | None = None, *, from_first: bool) -> Seen:
    """The records of some parts up to the first doubt; all of them if the columns were declared.

    `before` are the locations that were seen last: a run may have begun there. `from_first` says that nothing of the
    file was read before these parts.
    """
    latitudes, longitudes = (
        np.concatenate([np.empty(0), *(np.asarray(getattr(part, name), float) for part in parts)])
        for name in ("latitudes", "longitudes")
    )
    places = np.flatnonzero(~np.isnan(latitudes))
    says_west = np.repeat([part.says_west for part in parts], list(map(len, parts)))
    located = Located(dialect, latitudes[places], longitudes[places], says_west[places])
    doubt = _first_doubt(parts, places, located, before, from_first=from_first)
    if doubt is None or dialect.is_declared:
        return Seen(parts, places, located, doubt, None)
    kept = int(np.searchsorted(places, doubt.before))
    return Seen(_first(parts, doubt.before), places[:kept], located.run(0, kept), doubt, doubt.error(dialect))


def _first_doubt(
    parts: list[Part], places: Places, located: Located, before: Located | None, *, from_first: bool
) -> Doubt | None:
    seen = len(before) if before else 0
    runs = _runs(before + located if before else located, from_first=from_first)
    found = [(int(places[max(start - seen, 0)]), code) for start, code in runs if len(located)]
    at = 0
    for part in parts:
        found += [(at + part.lines.index(line), _IN_QUOTES) for line in part.in_quotes]
        at += len(part)
    if not found:
        return None
    at, code = min(found, key=itemgetter(0))
    return Doubt(code, at, _first(parts, at + 1)[-1].lines[-1])


def _first(parts: list[Part], count: int) -> list[Part]:
    """The first `count` records of these parts."""
    kept = []
    for part in parts:
        if count <= 0:
            break
        kept.append(part.split(count)[0])
        count -= len(part)
    return kept


def _runs(rows: Located, *, from_first: bool) -> Iterator[tuple[int, str]]:
    """Where a run begins that fits another reading, and which."""
    least = min(_RUN, len(rows)) if from_first else _RUN
    for code, rule in RULES.items():
        if not len(rows) or rows.dialect.coordinates not in rule.notations:
            continue
        edges = np.concatenate([[-1], rule.others(rows), [len(rows)]])
        for number in np.flatnonzero(np.diff(edges) > least):
            start, end = int(edges[number]) + 1, int(edges[number + 1])
            if rule.fits(rows.run(start, end)):
                yield start, code
                break


def doubt_at_beginning(sample: bytes, dialect: Dialect) -> Doubt | None:
    """The first doubt about the first SAMPLE_BYTES of a table."""
    parts: list[Part] = []
    try:
        for part in read_parts(BytesIO(sample), dialect):
            parts.append(part)  # noqa: PERF402 - what was read before an error counts
    except UnreadableError:
        pass  # the sample ends within a record, or the file says so itself when it is read
    if len(sample) >= SAMPLE_BYTES:
        parts = _first(parts, sum(map(len, parts)) - 1)  # the last one is cut off
    return second_look(parts, dialect, from_first=True).doubt


def check_beginning(sample: bytes, dialect: Dialect) -> None:
    """Raises DoubtfulError when the first SAMPLE_BYTES of a table are doubtful, unless its columns were declared."""
    if not dialect.is_declared and (doubt := doubt_at_beginning(sample, dialect)):
        raise doubt.error(dialect)
