"""The columns that the sender has said."""

from uploads.reading.coordinates import ONE_CELL, Notation
from uploads.reading.detecting.dialect import Declared
from uploads.reading.detecting.doubts import ask
from uploads.reading.detecting.doubts.grid import BRITISH, is_grid
from uploads.reading.detecting.headers import EASTING, LATITUDE, LONGITUDE, NORTHING, columns_called, normal
from uploads.reading.detecting.one_cell import in_one_cell
from uploads.reading.detecting.sample import SHOWN_CHARS, Columns, Table


def is_column_number(text: str) -> bool:
    """Whether it can be the number of a column, or of a sheet."""
    # Longer ones are no column's number, and int() refuses thousands of digits.
    return text.isascii() and text.isdecimal() and len(text) < 10


def declared_columns(table: Table, declared: Declared) -> Columns:
    """The columns that were said, or the one that was and its partner. Raises ColumnsError if they are not there."""
    if (both := _declared_for_both(table, declared)) is not None:
        return both
    if declared.latitude and declared.longitude:
        latitude, longitude = (
            _one(table, what, name)
            for what, name in (("latitude", declared.latitude), ("longitude", declared.longitude))
        )
    elif declared.latitude:
        latitude = _one(table, "latitude", declared.latitude)
        longitude = _partner(table, "longitude", latitude)
    else:
        longitude = _one(table, "longitude", declared.longitude or "")
        latitude = _partner(table, "latitude", longitude)
    if latitude == longitude:
        raise table.error("Latitude and longitude cannot be the same column, unless its cells hold both.")
    if declared.notation is None and is_grid(table, latitude, longitude):
        ask(table, BRITISH, latitude, longitude)
        return Columns(latitude, longitude, Notation.OSGB36)
    return Columns(latitude, longitude, declared.notation or Notation.DEGREES)


def _declared_for_both(table: Table, declared: Declared) -> Columns | None:
    """The one column that was declared, if its cells hold both or are said to; it is enough to name it once."""
    columns = {
        _one(table, what, name) for what, name in (("latitude", declared.latitude), ("longitude", declared.longitude))
        if name
    }  # fmt: skip
    if len(columns) == 1:
        (column,) = columns
        if declared.notation in ONE_CELL:
            return Columns(column, column, declared.notation)
        return None if declared.notation else in_one_cell(table, None, [column])
    if declared.notation in ONE_CELL:
        raise table.error(
            f"With coordinates={declared.notation}, one column holds both. Say which one.", sorted(columns)
        )
    return None


def _one(table: Table, what: str, name: str) -> int:
    candidates = table.named({normal(name)})
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise table.several(what, candidates)
    if is_column_number(name) and 1 <= int(name) <= table.width:
        return int(name) - 1
    raise table.error(f"There is no column {name[:SHOWN_CHARS]!r} for the {what}.")


def _partner(table: Table, what: str, declared: int) -> int:
    """The column that belongs to a declared one: called like it, or like nothing but the coordinate."""
    found = [columns_called(table.names, *axes) for axes in ((LATITUDE, LONGITUDE), (NORTHING, EASTING))]
    pairs = [pair for named in found for pair in named.pairs]
    if what == "longitude":
        partners = [pair.east for pair in pairs if pair.north == declared]
        plain = [pair.east for pair in pairs if not pair.meaning] + found[0].single_east
    else:
        partners = [pair.north for pair in pairs if pair.east == declared]
        plain = [pair.north for pair in pairs if not pair.meaning] + found[0].single_north
    candidates = sorted({*partners} or {*plain} - {declared})
    if not candidates:
        raise table.missing(what)
    if len(candidates) > 1:
        raise table.several(what, candidates)
    return candidates[0]
