"""Columns whose cells hold both coordinates."""

import re
from collections.abc import Sequence

from uploads.reading.detecting.headers import names_reference
from uploads.reading.detecting.sample import Columns, Table, mostly
from uploads.reading.notations import KINDS, MARKED, MISSING, ONE_CELL, Notation, is_in_uk, read_cell

#: With blanks between its parts, a reference is nothing else.
_REFERENCE_WITH_BLANKS = re.compile(r"[A-Z]{1,2} \d+ \d+", re.IGNORECASE | re.ASCII)
_ANGLES_CHARS = 100
_NUMBERS = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?", re.ASCII)
_SRID_CHARS = 20


def in_one_cell(table: Table, notation: Notation | None, columns: Sequence[int] | None = None) -> Columns | None:
    """The one column whose cells hold both, None where there is none. Raises ColumnsError if there are several."""
    found = {
        column: fitting
        for column in (range(table.width) if columns is None else columns)
        if (fitting := notations_of(table.values(column), notation))
    }
    if not found:
        return None
    if len(found) > 1:
        raise table.several("latitude", list(found))
    ((column, fitting),) = found.items()
    if notation is None and columns is None:
        _check_numbers(table, column, fitting)
    return Columns(column, column, notation or _likeliest(table, column, fitting))


def _check_numbers(table: Table, column: int, fitting: set[Notation]) -> None:
    """Whether the first two of more numbers are meant. Raises ColumnsError where something speaks for others."""
    if not fitting & {Notation.LAT_LON, Notation.LON_LAT}:
        return
    numbers = [_NUMBERS.findall(value) for value in table.values(column)]
    name = table.header[column] if table.header else ""
    names = name.split()
    between = next((sign for sign in ",;\t|" if name.count(sign) > 1), None)
    if between and mostly([value.count(between) == name.count(between) for value in table.values(column)]):
        raise table.error(
            f"Each line of {table.called(column)} seems to be a row in quotes. Send the file without these quotes.",
            [column],
        )
    if len(names) > 2 and mostly([len(found) >= len(names) for found in numbers]):
        raise table.error(
            f"{table.called(column)} seems to be several columns, with spaces between. If they are, say"
            " delimiter=space.",
            [column],
            {"delimiter": "space"},
        )
    if mostly([len(found) > 2 and _is_either(found[0], found[1]) and _is_another(found) for found in numbers]):
        raise table.error(
            f"{table.called(column)} holds more than two numbers in a cell, and not only the first two can be the"
            " location. Send latitude and longitude in two columns.",
            [column],
        )


def _is_another(numbers: Sequence[str]) -> bool:
    """Whether the third of these may be the longitude instead: as exact as one, which the second is not."""
    is_exact = [len(number.partition(".")[2]) > 2 for number in numbers]
    return _is_either(numbers[1], numbers[2]) or (is_exact[2] > is_exact[1] and _is_either(numbers[0], numbers[2]))


def _is_either(one: str, other: str) -> bool:
    """Whether two numbers are a place in the UK, in one order or in the other."""
    first, second = float(one), float(other)
    return is_in_uk(first, second) or is_in_uk(second, first)


def notations_of(values: Sequence[str], wanted: Notation | None = None) -> set[Notation]:
    """The ways, or the wanted one, in which most of these cells can be read as both coordinates.

    A pair of whole numbers is none. Cells that stand for squares may be anything else: these have to be wanted.
    """
    return {
        notation
        for notation in ONE_CELL
        if (notation == wanted or (wanted is None and KINDS[notation].size is None))
        and mostly([_may_be_pair(value) and _is_pair(read_cell(value, notation)) for value in values])
    }


def _may_be_pair(value: str) -> bool:
    return value.count(".") > 1 or "SRID=" in value.upper() or bool(MARKED.search(value[:_ANGLES_CHARS]))


def _is_pair(read: object) -> bool:
    return isinstance(read, tuple) or read == "coordinates_swapped"


def _likeliest(table: Table, column: int, fitting: set[Notation]) -> Notation:
    """Which comes first, where a pair can be read both ways: the values tell, or the header, or round brackets."""
    if len(fitting) == 1:
        return next(iter(fitting))
    values = table.values(column)
    for notation in (Notation.LAT_LON, Notation.LON_LAT):
        if mostly([not isinstance(at := read_cell(value, notation), str) and is_in_uk(*at) for value in values]):
            return notation
    name = table.names[column] if table.names else ""
    if re.search("(lon|lng).*lat", name):
        return Notation.LON_LAT
    if re.search("lat.*(lon|lng)", name) or mostly([value.strip().startswith("(") for value in values]):
        return Notation.LAT_LON
    raise table.error(
        f"Column {column + 1} holds both coordinates, but nothing tells which one comes first."
        " Say it with coordinates=lat_lon or coordinates=lon_lat.",
        [column],
    )


def by_references(table: Table) -> Columns | None:
    """The one column of grid references or geohashes that says so."""
    found = [
        Columns(column, column, notation)
        for column in range(table.width)
        for notation in (Notation.GRID_REFERENCE, Notation.GEOHASH)
        if is_reference(notation, table.values(column), table.names[column] if table.names else "")
    ]
    if len(found) > 1:
        raise table.several("latitude", [one.latitude for one in found])
    return found[0] if found else None


def is_reference(notation: Notation, values: Sequence[str], name: str) -> bool:
    """Whether a column is of squares: the name says so, or its blanks, and all its cells fit."""
    filled = [value for value in map(str.strip, values) if value.lower() not in MISSING]
    if not filled or any(isinstance(read_cell(value, notation), str) for value in filled):
        return False
    words = {*name.split("_")}
    if notation == Notation.GEOHASH:
        return "geohash" in words
    return names_reference(words) or all(map(_REFERENCE_WITH_BLANKS.fullmatch, filled))


def seen_in_one_cell(table: Table, columns: Sequence[int]) -> str:
    """A sentence about the first of these columns whose cells can all be read as both, but do not say enough."""
    for column in columns:
        if (value := next(iter(table.values(column)), None)) is None:
            continue
        called = table.called(column)
        as_wkt = read_cell(value, Notation.WKT)
        if as_wkt == "unknown_srid":
            return f" The points in {called} have {value[:_SRID_CHARS].partition(';')[0]}, which is not converted."
        if as_wkt in ("latitude_out_of_range", "longitude_out_of_range"):
            return (
                f" The points in {called} are not in degrees: write their SRID before each, such as"
                " SRID=27700;POINT (529090 179645)."
            )
        for notation in (Notation.GRID_REFERENCE, Notation.GEOHASH):
            if _is_in_uk(value, notation) and all(_is_in_uk(one, notation) for one in table.values(column)):
                return (
                    f" What is in {called} looks like {KINDS[notation].words}: if it is that, say"
                    f" coordinates={notation} and latitude={column + 1}."
                )
    return ""


def _is_in_uk(cell: str, notation: Notation) -> bool:
    located = read_cell(cell, notation)
    return located == "coordinates_missing" or (not isinstance(located, str) and is_in_uk(*located))
