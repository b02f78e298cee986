"""Columns that are called like coordinates, and whose numbers would put every row at a wrong place.

Each check raises ColumnsError. None is made of what was declared: then the sender has said what it is.
"""

import re
from collections.abc import Collection, Sequence

from uploads.reading.detecting.fitting import WHOLE_DEGREE, are_packed, seen, seen_packed, squares_column
from uploads.reading.detecting.headers import (
    BRITISH_WORDS,
    DATUM_WORDS,
    GONS_WORDS,
    LATITUDE,
    MINUTES_WORDS,
    OTHER_GRID_WORDS,
    PACKED_WORDS,
    RADIANS_WORDS,
    SIDE_WORDS,
    WEST_WORDS,
)
from uploads.reading.detecting.sample import Table
from uploads.reading.notations import GRID_EASTING, GRID_NORTHING, UK_LATITUDE, UK_LONGITUDE, is_in_uk

_RADIAN = 57.29578  # degrees
#: Where Ireland lies on the Irish Grid, in metres; on the British one, that is Cornwall, Devon, Wales, Liverpool,
#: Cumbria, Galloway, and the sea.
_IRISH_EASTING = (17_000.0, 367_000.0)
_IRISH_NORTHING = (19_000.0, 467_000.0)
#: A cell that says so of its row: a grid, a country, a town, a postcode.
_IRISH = re.compile(
    r"irish ?(os|grid)|ni|roi|(n(orthern|\.)? ?|republic of )?ireland|[ée]ire|belfast|(london)?derry|lisburn|newry"
    r"|armagh|dublin|cork|galway|limerick|waterford|bt\d{1,2} ?\d[a-z]{2}",
    re.IGNORECASE,
)
_BRITISH = re.compile(
    r"england|wales|cymru|scotland|great britain|gb|(?!bt)[a-z]{1,2}\d[\da-z]? ?\d[a-z]{2}", re.IGNORECASE | re.ASCII
)
_SIDES = {"e": "e", "east": "e", "ne": "e", "se": "e", "w": "w", "west": "w", "nw": "w", "sw": "w"}
#: The share of a file's rows that speaks for the whole.
_MOSTLY = 0.8
#: The share of rows in which a column of sides and the signs must agree, so that the others are wrong.
_AGREEING = 0.75
_PLAIN = re.compile(r"\s*[+-]?\d+(?:[.,]\d*)?\s*", re.ASCII)
_DECLARE = "declare the columns with latitude=<column number> and longitude=<column number>"


def check_whole_degrees(table: Table, latitudes: Sequence[int]) -> None:
    """The candidates for the latitude are not degrees without their minutes, which are in a column of their own."""
    minutes = sorted({*table.worded(MINUTES_WORDS)} & {*table.worded(LATITUDE.words)})
    degrees = [column for column in latitudes if column not in minutes]
    numbers = [number for column in degrees for number in table.numbers(column)]
    if minutes and numbers and all(map(_is_whole, numbers)):
        raise table.error(
            f"The degrees are whole numbers: {table.called(minutes[0])} seems to have their minutes, which are not"
            " read. Send degrees with decimals (degrees + minutes / 60 + seconds / 3600), or, if they are degrees as"
            f" they are, {_DECLARE}.",
            [*degrees, *minutes],
        )


def check_degrees(table: Table, latitude: int, longitude: int) -> None:
    """The two columns are not in radians, and the sign of the longitude is not in a column of its own."""
    if RADIANS_WORDS & table.words(latitude, longitude) or _are_radians(table, latitude, longitude):
        raise table.error(
            f"The coordinates seem to be in radians, such as {table.example(latitude)}. Send degrees (radians × 180 /"
            f" π), or, if they are degrees, {_DECLARE}.",
            [latitude, longitude],
        )
    words = table.words(latitude, longitude)
    if (GONS_WORDS | DATUM_WORDS) & words and table.numbers(latitude):
        raise table.error(
            "The names say that the coordinates are in another unit, or of another datum, than degrees of WGS 84:"
            f" {', '.join(sorted((GONS_WORDS | DATUM_WORDS) & words))}. Send those, or, if they are, {_DECLARE}.",
            [latitude, longitude],
        )
    beside = [column + 1 for column in (latitude, longitude)]
    if (
        all(_are_mostly_whole(table.numbers(column)) for column in (latitude, longitude))
        and max(beside) < table.width
        and not {*beside} & {latitude, longitude}
        and all(table.mostly_within(column, (0, 60)) for column in beside)
    ):
        raise table.error(
            f"The degrees are whole numbers: {table.called(beside[0])} and {table.called(beside[1])} seem to have their"
            " minutes, which are not read. Send degrees with decimals (degrees + minutes / 60 + seconds / 3600), or, if"
            f" they are degrees as they are, {_DECLARE}.",
            [latitude, longitude, *beside],
        )
    if PACKED_WORDS & table.words(latitude, longitude) and any(map(_PLAIN.fullmatch, table.values(latitude))):
        raise table.error(
            f"The coordinates seem to be degrees, minutes and seconds in one number, such as {table.example(latitude)}."
            f" Send degrees (degrees + minutes / 60 + seconds / 3600), or, if they are degrees, {_DECLARE}."
            + seen_packed(table, latitude, longitude),
            [latitude, longitude],
        )
    if are_packed(table, latitude, longitude):
        raise table.error(
            f"Behind the point of all coordinates, such as {table.example(latitude)}, no minutes and no seconds would"
            " be above 59: they seem to be degrees, minutes and seconds in one number. If they are, say"
            f" coordinates=dd.mmss; if they are degrees, {_DECLARE}.",
            [latitude, longitude],
        )
    check_side(table, latitude, longitude)


def check_precision(table: Table, precision: int | None, columns: Sequence[int]) -> None:
    """Not all degrees are whole numbers."""
    if precision == WHOLE_DEGREE:
        raise table.error(
            f"All degrees are whole numbers, such as {table.example(columns[0])}: places of 100 km. Send degrees with"
            f" decimals, or, if these are all that is known, {_DECLARE}.",
            columns,
        )


def check_side(table: Table, latitude: int, longitude: int) -> None:
    """Which side of Greenwich, or of the equator, the numbers are of is not said beside them."""
    for what, column in (("latitude", latitude), ("longitude", longitude)):
        said, other = SIDE_WORDS[what]
        words = table.words(column)
        if said & words and not other & words and _has_no_minus(table.numbers(column)):
            raise table.error(
                f"The name of {table.called(column)} says {min(said, key=len).upper()}, and its numbers have no minus."
                f" Send them with their sign (west and south are negative), or, if they have it, {_DECLARE}.",
                [column],
            )
    if _has_no_minus(table.numbers(longitude)):
        _check_sides(table, latitude, longitude)


def _check_sides(table: Table, latitude: int, longitude: int) -> None:
    """No other column says which longitudes are west, and they are in the UK as they are, if they are there at all."""
    for column in range(table.width):
        sides = sides_of(table.values(column))
        beside = abs(column - longitude) == 1 or "sign" in table.words(column)
        words = table.words(column)  # a W among others may be watts
        names_west = column not in (latitude, longitude) and (WEST_WORDS & words or words == {"w"})
        says_so = names_west and table.values(column)
        if says_so or "w" in sides or (beside and {*map(str.strip, table.values(column))} in ({"-"}, {"-", "+"})):
            raise table.error(
                f"Which longitudes are west seems to stand in {table.called(column)}, which is not read. Send"
                f" longitudes with their sign (west is negative), or, if they have it, {_DECLARE}.",
                [longitude, column],
            )
    pairs = zip(table.numbers_by_record(latitude), table.numbers_by_record(longitude), strict=True)
    at = [(north, east) for north, east in pairs if north is not None and east is not None]
    as_read, mirrored = (sum(is_in_uk(north, sign * east) for north, east in at) for sign in (1, -1))
    if mirrored >= _MOSTLY * len(at) and as_read < _MOSTLY * mirrored:
        raise table.error(
            f"No longitude is west of Greenwich, such as {table.example(longitude)}, and most would be in the UK"
            " only if they were. Send longitudes with their sign (west is negative), or, if they have it, "
            f"{_DECLARE}.",
            [longitude],
        )


def sides_of(values: Sequence[str]) -> set[str]:
    """`e`, `w` or both, if that is what the cells of a column say, and nothing else."""
    sides = {_SIDES.get(value.strip().lower(), "") for value in values}
    return set() if "" in sides else sides


def contradicts(cell: str, longitude: float) -> bool:
    """Whether a cell of a column of sides says another side than the longitude's sign, or none that is known."""
    side = _SIDES.get(cell.strip().lower(), "") if cell.strip() else None
    if side is None or longitude == 0:
        return False
    return side != ("e" if longitude > 0 else "w")


def side_column(table: Table, longitude: int) -> int | None:
    """The column that says east or west of each row, as the signs of the longitudes do; None where there is none."""
    numbers = table.numbers_by_record(longitude)
    for column in range(table.width):
        cells = table.cells_by_record(column)
        said = [(cell, at) for cell, at in zip(cells, numbers, strict=True) if at is not None and cell.strip()]
        agreeing = sum(bool(sides_of([cell])) and not contradicts(cell, at) for cell, at in said)
        if said and agreeing >= _AGREEING * len(said):
            return column
    return None


def check_british(table: Table, *, easting: int, northing: int) -> None:
    """The two columns are not of another grid: that of Ireland, which Northern Ireland has, looks like the British."""
    words = table.words(easting, northing)
    declare = "If they are of the British National Grid, say coordinates=osgb36."
    if (square := squares_column(table, northing=northing, easting=easting)) is not None:
        raise table.error(
            "The eastings and northings seem to be within squares of 100 km, whose letters stand in"
            f" {table.called(square)}. If they are metres, say coordinates=osgb36_square; else send metres from the"
            f" grid's own origin, or degrees. {declare}",
            [easting, northing, square],
        )
    if OTHER_GRID_WORDS & words:
        raise table.error(
            f"The eastings and northings seem to be of another grid. {declare}" + seen(table, northing, easting),
            [easting, northing],
        )
    if says_irish(table.cells()):
        raise table.error(
            "Some rows are in Ireland, where eastings and northings are of the Irish Grid. If all are, say"
            f" coordinates=irish_grid; else send these rows as a file of their own. {declare}",
            [easting, northing],
        )
    says_british = BRITISH_WORDS & words or any(_BRITISH.fullmatch(cell.strip()) for cell in table.cells())
    if not says_british and _are_irish(table.numbers(easting), table.numbers(northing)):
        raise table.error(
            "The eastings and northings can be of the British National Grid (Wales, Cornwall, Liverpool) or of the"
            f" Irish Grid. If they are of that, say coordinates=irish_grid. {declare}",
            [easting, northing],
        )


def says_irish(cells: Collection[str]) -> bool:
    """Whether one of these cells says that it is in Ireland, or of its grid."""
    return any(_IRISH.fullmatch(cell.strip()) for cell in cells)


def check_grid(table: Table, *, easting: int, northing: int) -> None:
    """Most of their values are metres of the British National Grid."""
    if not is_grid(table, easting=easting, northing=northing):
        raise table.error(
            "The eastings and northings are not metres of the British National Grid:"
            f" {table.example(easting)}, {table.example(northing)}. Send them in metres, without signs between the"
            " thousands, or send degrees." + seen(table, northing, easting),
            [easting, northing],
        )


def is_grid(table: Table, *, easting: int, northing: int) -> bool:
    return table.mostly_within(easting, GRID_EASTING) and table.mostly_within(northing, GRID_NORTHING)


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
        and _all_within(table.numbers(latitude), UK_LATITUDE, _RADIAN)
        and _all_within(table.numbers(longitude), UK_LONGITUDE, _RADIAN)
    )


def _are_irish(eastings: Sequence[float], northings: Sequence[float]) -> bool:
    return _all_within(eastings, _IRISH_EASTING) and _all_within(northings, _IRISH_NORTHING)


def _all_within(numbers: Sequence[float], limits: tuple[float, float], unit: float = 1.0) -> bool:
    return bool(numbers) and all(limits[0] <= number * unit <= limits[1] for number in numbers)
