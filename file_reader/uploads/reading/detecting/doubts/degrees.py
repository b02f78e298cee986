"""Columns that are called like a latitude and a longitude, and whose numbers are no degrees, or not all of them."""

import re
from collections.abc import Sequence
from itertools import chain

from uploads.reading.detecting.doubts import DECLARE, Doubt, Rules
from uploads.reading.detecting.doubts.sides import (
    contradicts,
    may_say_west,
    names_west,
    says_yes,
    side_column,
    sides_of,
    west_flags,
)
from uploads.reading.detecting.fitting import WHOLE_DEGREE, precision_of, seen_packed
from uploads.reading.detecting.headers import (
    DATUM_WORDS,
    GONS_WORDS,
    LATITUDE,
    MINUTES_WORDS,
    PACKED_WORDS,
    RADIANS_WORDS,
    SIDE_NAMES,
    SIDE_WORDS,
    normal,
)
from uploads.reading.detecting.sample import SHOWN_CHARS, Columns, Table
from uploads.reading.notations import UK_LATITUDE, UK_LONGITUDE, Notation, as_number, is_in_uk

_RADIAN = 57.29578  # degrees
#: The share of a file's rows that speaks for the whole.
_MOSTLY = 0.8
#: Labels and units stand in so many rows below the header.
_UNIT_ROWS = 3
#: What columns are called that say how the coordinates of their rows are written.
_SAYS_UNIT = frozenset({"format", "unit", "units", "notation"})
_POSITIVE_WEST = re.compile(r"\bpositive\b.{0,20}\bwest|\bwest.{0,20}\bpositive\b", re.IGNORECASE)
_PLAIN = re.compile(r"\s*[+-]?\d+(?:[.,]\d*)?\s*", re.ASCII)


def _minutes_named(table: Table, latitudes: Sequence[int]) -> Doubt | None:
    minutes = sorted({*table.worded(MINUTES_WORDS)} & {*table.worded(LATITUDE.words)})
    degrees = [column for column in latitudes if column not in minutes]
    numbers = [number for column in degrees for number in table.numbers(column)]
    if not minutes or not numbers or not all(map(_is_whole, numbers)):
        return None
    return Doubt(
        f"The degrees are whole numbers: {table.called(minutes[0])} seems to have their minutes, which are not"
        " read. Send degrees with decimals (degrees + minutes / 60 + seconds / 3600), or, if they are degrees as"
        f" they are, {DECLARE}.",
        [*degrees, *minutes],
    )


def _radians(table: Table, latitude: int, longitude: int) -> Doubt | None:
    if not RADIANS_WORDS & table.words(latitude, longitude) and not _are_radians(table, latitude, longitude):
        return None
    return Doubt(
        f"The coordinates seem to be in radians, such as {table.example(latitude)}. Send degrees (radians × 180 /"
        f" π), or, if they are degrees, {DECLARE}.",
        [latitude, longitude],
    )


def _other_unit(table: Table, latitude: int, longitude: int) -> Doubt | None:
    words = (GONS_WORDS | DATUM_WORDS) & table.words(latitude, longitude)
    if not words or not table.numbers(latitude):
        return None
    return Doubt(
        "The names say that the coordinates are in another unit, or of another datum, than degrees of WGS 84:"
        f" {', '.join(sorted(words))}. Send those, or, if they are, {DECLARE}.",
        [latitude, longitude],
    )


def _minutes_beside(table: Table, latitude: int, longitude: int) -> Doubt | None:
    beside = [column + 1 for column in (latitude, longitude)]
    if (
        max(beside) >= table.width
        or {*beside} & {latitude, longitude}
        or not all(_are_mostly_whole(table.numbers(column)) for column in (latitude, longitude))
        or not all(table.mostly_within(column, (0, 60)) for column in beside)
    ):
        return None
    return Doubt(
        f"The degrees are whole numbers: {table.called(beside[0])} and {table.called(beside[1])} seem to have their"
        " minutes, which are not read. Send degrees with decimals (degrees + minutes / 60 + seconds / 3600), or, if"
        f" they are degrees as they are, {DECLARE}.",
        [latitude, longitude, *beside],
    )


def _packed_named(table: Table, latitude: int, longitude: int) -> Doubt | None:
    said = PACKED_WORDS & table.words(latitude, longitude) or _said_packed(table)
    if not said or not any(map(_PLAIN.fullmatch, table.values(latitude))):
        return None
    return Doubt(
        f"The coordinates seem to be degrees, minutes and seconds in one number, such as {table.example(latitude)}."
        f" Send degrees (degrees + minutes / 60 + seconds / 3600), or, if they are degrees, {DECLARE}."
        + seen_packed(table, latitude, longitude),
        [latitude, longitude],
    )


def _said_packed(table: Table) -> bool:
    """Whether a column says of some rows that they are degrees, minutes and seconds."""
    columns = table.worded(_SAYS_UNIT)
    return any(value.strip().lower() in PACKED_WORDS for column in columns for value in table.values(column))


def _whole_degrees(table: Table, found: Columns) -> Doubt | None:
    columns = sorted({found.latitude, found.longitude})
    if precision_of(table, found.notation, columns) != WHOLE_DEGREE:
        return None
    whole = [column for column in columns if precision_of(table, found.notation, [column]) == WHOLE_DEGREE]
    where = "" if whole == columns else f" in {table.called(whole[0])}"
    return Doubt(
        f"All or nearly all degrees{where} are whole numbers, such as {table.whole_example(found, whole[0])}:"
        " places of 100 km. Send degrees with decimals, or, if these are all that is known,"
        f" {DECLARE}.",
        columns,
    )


def _side_in_name(table: Table, latitude: int, longitude: int) -> Doubt | None:
    for what, column in (("latitude", latitude), ("longitude", longitude)):
        said, other = SIDE_WORDS[what]
        words = table.words(column)
        numbers = table.numbers(column)
        if what == "latitude" and table.mostly_within(column, UK_LATITUDE):
            continue  # s.latitude is that of a site: nobody takes Britain for the southern hemisphere
        if said & words and not other & words and 2 * sum(number > 0 for number in numbers) > len(numbers):
            which = "its numbers" if _has_no_minus(numbers) else "most of its numbers"
            return Doubt(
                f"The name of {table.called(column)} says {min(said, key=len).upper()}, and {which} have no minus."
                f" Send them with their sign (west and south are negative), or, if they have it, {DECLARE}.",
                [column],
            )
    return None


def _side_in_column(table: Table, latitude: int, longitude: int) -> Doubt | None:
    if not _has_no_minus(table.numbers(longitude)):
        return None
    for column in range(table.width):
        sides = sides_of(table.values(column))
        beside = abs(column - longitude) == 1 or "sign" in table.words(column)
        words = table.words(column)  # a W among others may be watts
        is_other = column not in (latitude, longitude)
        says_so = is_other and (names_west(table, column) or words == {"w"}) and table.values(column)
        signs = {*map(str.strip, table.values(column))}
        is_sign = beside and (signs in ({"-"}, {"-", "+"}) or ("-1" in signs and signs <= {"-1", "1", "+1"}))
        is_side = (beside or column in table.named(SIDE_NAMES)) and may_say_west(table.values(column))
        if says_so or "w" in sides or is_sign or is_side:
            return _stands_in(table, longitude, column)
    return None


def _stands_in(table: Table, longitude: int, column: int) -> Doubt:
    return Doubt(
        f"Which longitudes are west seems to stand in {table.called(column)}, which is not read. Send longitudes with"
        " their sign (west is negative), or with the letter of their side behind the number (0.14W); or, if they have"
        f" their sign, {DECLARE}.",
        [longitude, column],
    )


def _sides_in_part(table: Table, latitude: int, longitude: int) -> Doubt | None:
    """Rows with a minus agree with a column of sides, and many others lack the minus that it says."""
    numbers = table.numbers_by_record(longitude)
    if side_column(table, longitude) is not None or min(table.numbers(longitude), default=0) >= 0:
        return None
    for column in range(table.width):
        cells = table.cells_by_record(column)
        said = [(cell, at) for cell, at in zip(cells, numbers, strict=True) if at is not None and cell.strip()]
        wrong = [at for cell, at in said if contradicts(cell, at)]
        if "w" in sides_of([cell for cell, _ in said]) and wrong and min(wrong) > 0:
            return _stands_in(table, longitude, column)
    return None


def _flag_in_part(table: Table, latitude: int, longitude: int) -> Doubt | None:
    """A column that is called like west says yes of some rows that have no minus, while others have one."""
    numbers = table.numbers_by_record(longitude)
    for column in west_flags(table, longitude):
        cells = zip(table.cells_by_record(column), numbers, strict=True)
        if any(says_yes(cell) and at is not None and at > 0 for cell, at in cells):
            return _stands_in(table, longitude, column)
    return None


def _side_below_name(table: Table, latitude: int, longitude: int) -> Doubt | None:
    """A line of units below the header: °N, °W."""
    if not _has_no_minus(table.numbers(longitude)):
        return None
    for cell in table.values(longitude)[:_UNIT_ROWS]:
        if as_number(cell) is None and SIDE_WORDS["longitude"][0] & {*normal(cell).split("_")}:
            return Doubt(
                f"A cell of {table.called(longitude)} says west, and its numbers have no minus: {cell[:SHOWN_CHARS]!r}."
                f" Send them with their sign (west is negative), or, if they have it, {DECLARE}.",
                [longitude],
            )
    return None


def _west_above(table: Table, above: Sequence[Sequence[str]], found: Columns) -> Doubt | None:
    """A unit above the longitude's name, or a sentence above the header, says west."""
    units = [record[found.longitude] for record in above if found.longitude < len(record) and len(record) > 1]
    says_west = any(SIDE_WORDS["longitude"][0] & {*normal(unit).split("_")} for unit in units)
    if found.notation != Notation.DEGREES or not (says_west or any(map(_POSITIVE_WEST.search, chain(*above)))):
        return None
    return Doubt(
        f"What stands above the header says that {table.called(found.longitude)} counts to the west. Send it with its"
        f" sign (west is negative), or, if it has it, {DECLARE}.",
        [found.longitude],
    )


def _minus_lost(table: Table, latitude: int, longitude: int) -> Doubt | None:
    if not _has_no_minus(table.numbers(longitude)):
        return None
    pairs = zip(table.numbers_by_record(latitude), table.numbers_by_record(longitude), strict=True)
    at = [(north, east) for north, east in pairs if north is not None and east is not None]
    as_read, mirrored = (sum(is_in_uk(north, sign * east) for north, east in at) for sign in (1, -1))
    if mirrored < _MOSTLY * len(at) or as_read >= _MOSTLY * mirrored:
        return None
    return Doubt(
        f"No longitude is west of Greenwich, such as {table.example(longitude)}, and most would be in the UK"
        " only if they were. Send longitudes with their sign (west is negative), or, if they have it, "
        f"{DECLARE}.",
        [longitude],
    )


def _are_mostly_whole(numbers: Sequence[float]) -> bool:
    return bool(numbers) and sum(map(_is_whole, numbers)) >= _MOSTLY * len(numbers)


def _is_whole(number: float) -> bool:
    return number % 1 == 0


def _has_no_minus(numbers: Sequence[float]) -> bool:
    return bool(numbers) and min(numbers) >= 0 and max(numbers) > 0


def _are_radians(table: Table, latitude: int, longitude: int) -> bool:
    """Whether all would be in the UK, were they radians; read as degrees, they lie in the sea off Africa."""
    return (
        table.is_exact(latitude)
        and table.is_exact(longitude)
        and table.is_within(latitude, UK_LATITUDE, _RADIAN)
        and table.is_within(longitude, UK_LONGITUDE, _RADIAN)
    )


#: Of the columns that may be the latitude, before one is chosen.
CANDIDATES: Rules = {"minutes_named": _minutes_named}
#: Of the latitude and the longitude, whether they are degrees.
DEGREES: Rules = {
    "radians": _radians,
    "other_unit": _other_unit,
    "minutes_beside": _minutes_beside,
    "packed_named": _packed_named,
}
#: The same of which side of Greenwich, or of the equator.
SIDES: Rules = {
    "side_in_name": _side_in_name,
    "side_in_column": _side_in_column,
    "sides_in_part": _sides_in_part,
    "flag_in_part": _flag_in_part,
    "side_below_name": _side_below_name,
    "minus_lost": _minus_lost,
}
#: Of what was told, and of the records above the header.
ABOVE: Rules = {"west_above": _west_above}
#: Of what was told, in whichever notation.
PRECISION: Rules = {"whole_degrees": _whole_degrees}
