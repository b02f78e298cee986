"""Which notations the cells of a column, or of two, fit: some are taken, others are only named when it is asked back.

One is taken where the names say it, or a column beside, and all cells fit it. Numbers alone fit several of them.
"""

import re
from collections.abc import Collection
from math import ceil

from uploads.reading.detecting.headers import X, Y
from uploads.reading.detecting.sample import Table
from uploads.reading.notations import (
    KINDS,
    SQUARE_METRES,
    Notation,
    as_number,
    is_in_uk,
    locator,
    square_corner,
)

#: What names say of the grid that metres are of.
_GRID_WORDS = {
    Notation.IRISH_GRID: frozenset({"irish", "ireland", "ing", "tm65", "tm75", "29902", "29903"}),
    Notation.ITM: frozenset({"itm", "2157"}),
    Notation.UTM29: frozenset({"utm29", "32629"}),
    Notation.UTM30: frozenset({"utm30", "32630"}),
    Notation.UTM31: frozenset({"utm31", "32631"}),
    Notation.WEB_MERCATOR: frozenset({"webmercator", "3857"}),
}
_ALL_GRID_WORDS = frozenset({"utm", "29", "30", "31"}).union(*_GRID_WORDS.values())
_UTM_ZONES = {"29": Notation.UTM29, "30": Notation.UTM30, "31": Notation.UTM31}
_PACKED = (Notation.DD_MMSS, Notation.DDMMSS, Notation.DDMM)
#: Any degrees of which no minute is above 59 fit them: where no name says it, the second look tells.
_LIKE_DEGREES = (Notation.DD_MMSS, Notation.DD_MMMM)
_SCALED = (Notation.E5, Notation.E6, Notation.E7)
#: Names of metres, but also what cells say: no header is known by them.
_EAST, _NORTH = frozenset({"e", "east", "rechtswert"}), frozenset({"n", "north", "hochwert"})
_DECIMALS = re.compile(r"(?:\d|\B)[.,](\d+)", re.ASCII)
#: An angle.
_NO_DECIMALS = re.compile(r"[^-+\d.,;()\[\]\s]|\d\s+\d", re.ASCII)
#: The numbers of an angle: degrees, and perhaps minutes and seconds.
_PARTS = re.compile(r"\d+(?:[.,]\d*)?|[.,]\d+", re.ASCII)
_EXPONENT = re.compile(r"\d[eE][-+]?\d", re.ASCII)
_OF_A_GRID = re.compile(r"\s*SRID=(?!4326)", re.IGNORECASE)
_BRITISH = re.compile(r"\s*SRID=27700;", re.IGNORECASE)
_WITH_DECIMALS = frozenset(
    {Notation.DEGREES, Notation.LAT_LON, Notation.LON_LAT, Notation.WKT, Notation.GEOJSON, Notation.JSON}
)
#: Metres, of whole degrees.
WHOLE_DEGREE = 111_320
#: Degrees with more decimals than that are exact enough.
_COARSE_DECIMALS = 2
#: To so many metres, those of a grid are rounded, or are the middle of what is as large.
_COARSE_METRES = (10_000, 5_000, 2_000, 1_000)
_MOST_DECIMALS = 20
#: Of fewer different numbers, nothing is said.
_FEW = 4
#: One number of so many may be more exact than the others.
_EXCEPT = 10


def grid_said(words: Collection[str]) -> Notation | None:
    """The grid that words in the names of two columns say; None if none or several."""
    said = [notation for notation, own in _GRID_WORDS.items() if own.intersection(words)]
    if "utm" in words:
        said += [notation for zone, notation in _UTM_ZONES.items() if zone in words]
    return said[0] if len(said) == 1 else None


def x_and_y(table: Table) -> tuple[int, int] | None:
    """The two columns that are called X and Y, or so behind the name of a grid: ITM_E and ITM_N."""
    xs, ys = table.named(X), table.named(Y)
    if not xs or not ys:
        xs, ys = table.named(_EAST), table.named(_NORTH)
    if not xs or not ys:
        rests = [frozenset(name.split("_")) - _ALL_GRID_WORDS for name in table.names]
        told = [bool(_ALL_GRID_WORDS.intersection(name.split("_"))) for name in table.names]
        xs, ys = ([column for column, rest in enumerate(rests) if told[column] and rest <= axis and rest]
                  for axis in (frozenset({"x", "e"}), frozenset({"y", "n"})))  # fmt: skip
    return (xs[0], ys[0]) if len(xs) == len(ys) == 1 else None


def all_read(table: Table, notation: Notation, north: int, east: int) -> bool:
    """Whether all rows that have both cells are read by a notation of two columns."""
    return _all(table, notation, north, east, in_uk=False)


def scale_of(table: Table, north: int, east: int) -> Notation | None:
    """The scale with which whole numbers are degrees in the UK, all of them; there can be one only."""
    return next((one for one in _SCALED if _all(table, one, north, east, in_uk=True)), None)


def seen_in_two(table: Table, north: int, east: int, among: Collection[Notation] = ()) -> str:
    """A sentence about the notations that would put all rows in the UK, and the option for them; empty if none does."""
    names = [
        one
        for one, kind in KINDS.items()
        if one in (among or KINDS) and kind.columns == 2 and one not in (Notation.DEGREES, Notation.OSGB36)
        and (among or one not in _LIKE_DEGREES) and _all(table, one, north, east, in_uk=True)
    ]  # fmt: skip
    if not names:
        return ""
    words = " or ".join(KINDS[one].words for one in names)
    return f" They look like {words}: if they are, say coordinates={' or coordinates='.join(names)}."


def seen_packed(table: Table, north: int, east: int) -> str:
    """The same about degrees, minutes and seconds in one number."""
    return seen_in_two(table, north, east, _PACKED)


def squares_columns(table: Table, northing: int, easting: int) -> list[int]:
    """The columns whose cells are all names of squares of 100 km, where metres can be within them."""
    numbers = table.numbers(easting) + table.numbers(northing)
    if not numbers or not 0 <= min(numbers) <= max(numbers) < SQUARE_METRES:
        return []
    return [
        column
        for column in range(table.width)
        if (values := table.values(column)) and all(square_corner(value) is not None for value in values)
    ]


def are_within_squares(table: Table, northing: int, easting: int) -> bool:
    """Whether the numbers are metres in a square, and not in units of 10 m or 100 m: some have all five figures."""
    return all(max(table.numbers(column), default=0) >= SQUARE_METRES / 10 for column in (northing, easting))


def precision_of(table: Table, notation: Notation, columns: Collection[int]) -> int | None:
    """How large the places are that the sample has, in metres, where they are no points; None where they are."""
    values = [value for column in {*columns} for value in table.values(column)]
    if (size := KINDS[notation].size) is not None:
        return max((ceil(found) for value in values if (found := size(value)) is not None), default=None)
    if notation == Notation.OSGB36:
        axes = [table.numbers(column) for column in {*columns}]
        rounded = (step for step in _COARSE_METRES if all(len({n % step for n in axis}) == 1 for axis in axes))
        return next(rounded, None) if len({n for axis in axes for n in axis}) >= _FEW else None
    if notation not in _WITH_DECIMALS or not values:
        return None
    if notation == Notation.WKT and any(map(_OF_A_GRID.match, values)):
        return None
    if notation == Notation.DEGREES:
        several = [_of_most(own) for column in columns if len({*(own := table.values(column))}) >= _FEW]
        coarsest = max([_finest(values), *several])
        return round(coarsest) if coarsest >= WHOLE_DEGREE / 10**_COARSE_DECIMALS else None
    if any(map(_EXPONENT.search, values)):
        return None
    if notation in (Notation.LAT_LON, Notation.LON_LAT) and any(map(_has_minutes, values)):
        return None
    most = max((len(digits.rstrip("0")) for value in values for digits in _DECIMALS.findall(value)), default=0)
    return round(WHOLE_DEGREE / 10**most) if most <= _COARSE_DECIMALS else None


def is_british(point: str) -> bool:
    """Whether a point says that it is in metres of the British National Grid."""
    return bool(_BRITISH.match(point))


def _has_minutes(pair: str) -> bool:
    return bool(_NO_DECIMALS.search(pair)) and len(_PARTS.findall(pair)) > 2


def _finest(values: Collection[str]) -> float:
    """The smallest size of these angles, in metres; 0 if none is one."""
    return min(filter(None, map(_size_of_angle, values)), default=0.0)


def _of_most(values: Collection[str]) -> float:
    """The smallest size of these angles but for a tenth of them, in metres; 0 if none is one."""
    sizes = sorted(filter(None, map(_size_of_angle, values)))
    return sizes[len(sizes) // _EXCEPT] if sizes else 0.0


def _size_of_angle(text: str) -> float | None:
    """How far the next angle with as many parts and decimals is away, in metres; None of what is none."""
    if as_number(text) is None:
        return None
    if _EXPONENT.search(text):
        digits, exponent = re.split("[eE]", text.strip())
        behind_point = len(re.split("[.,]", digits + ".")[1]) - int(exponent)
        return float(WHOLE_DEGREE / 10 ** min(max(behind_point, 0), _MOST_DECIMALS))
    parts = _PARTS.findall(text)
    while len(parts) > 1 and not parts[-1].strip("0.,"):  # whole minutes, with seconds of 0
        parts.pop()
    decimals = re.split("[.,]", parts[-1] + ".")[1].rstrip("0")
    return float(WHOLE_DEGREE / 60 ** (len(parts) - 1) / 10 ** len(decimals))


def _all(table: Table, notation: Notation, north: int, east: int, *, in_uk: bool) -> bool:
    read = locator(notation, 0, 1, ".")
    found = False
    for cells in zip(table.cells_by_record(north), table.cells_by_record(east), strict=True):
        located = read([cell.replace(",", ".") for cell in cells])
        if located != "coordinates_missing":
            found = True
            if isinstance(located, str) or (in_uk and not is_in_uk(*located)):
                return False
    return found
