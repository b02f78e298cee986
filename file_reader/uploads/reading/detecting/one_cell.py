"""Columns whose cells hold both coordinates."""

import re
from collections.abc import Sequence

from uploads.reading.coordinates import ONE_CELL, Notation, is_in_uk, read_cell
from uploads.reading.detecting.sample import Columns, Table, mostly


def in_one_cell(table: Table, notation: Notation | None, columns: Sequence[int] | None = None) -> Columns | None:
    """The one column whose cells hold both, None where there is none. Raises ColumnsError if there are several."""
    found = {
        column: fitting
        for column in (range(table.width) if columns is None else columns)
        if (fitting := notations_of(table.values(column))) and (notation is None or notation in fitting)
    }
    if not found:
        return None
    if len(found) > 1:
        raise table.several("latitude", list(found))
    ((column, fitting),) = found.items()
    return Columns(column, column, notation or _likeliest(table, column, fitting))


def notations_of(values: Sequence[str]) -> set[Notation]:
    """The ways in which most of these cells can be read as both coordinates; a pair of whole numbers is none."""
    return {
        notation
        for notation in ONE_CELL
        if mostly([value.count(".") > 1 and _is_pair(read_cell(value, notation)) for value in values])
    }


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
