"""What is probably not meant, in the sender's words: one rule a warning. Codes are stable, sentences are not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uploads.reading.detecting.dialect import Dialect
from uploads.reading.detecting.headers import names_reference, normal
from uploads.reading.notations import KINDS, Notation
from uploads.reading.other_readings import NOTES
from uploads.reading.own_postcodes import Compared
from uploads.reading.second_look import fix_of, sentence_of

#: Of British places 2 in a million are in the sea, of latitudes with longitudes of other places one in six. Said when
#: it is more than one of so many; of few locations more, and so many at least.
_AT_SEA, _FEW = 50, 50
_AT_SEA_OF_FEW, _LEAST = 5, 3
#: Metres: within smaller ones, there are few postcodes.
_SMALL_SQUARE = 100.0
_POINTS = {Notation.WKT.value: "WKT", Notation.GEOJSON.value: "GeoJSON"}


@dataclass(frozen=True)
class Read:
    """What became of the rows so far.

    `rejected` have no coordinates, `swapped` of them seem to have them the other way round, and `west` have a longitude
    below 0, None while there may be more. `at_sea` of them are in the sea, and `doubt` says how the rows may be meant
    otherwise, if somehow, or what else a second look has noted. `own_postcodes` says how many rows have the file's own
    postcode, when most have not.
    """

    dialect: Dialect
    rows: int
    rejected: int
    swapped: int
    west: int | None
    at_sea: int
    doubt: str
    own_postcodes: Compared | None = None


@dataclass(frozen=True)
class Said:
    """The sentence of a warning; `fix` has the options that would mend it, where that is certain."""

    detail: str
    fix: dict[str, str] = field(default_factory=dict)


def warnings_of(read: Read) -> list[dict[str, Any]]:
    """The warnings that apply, in the order of RULES."""
    said = ((code, rule(read)) for code, rule in RULES.items())
    return [{"code": code, "detail": one.detail, "fix": one.fix} for code, one in said if one is not None]


def _nothing_read(read: Read) -> Said | None:
    if not read.rows:
        return None if read.west is None else Said("The file has no row.")
    if read.rejected != read.rows or read.swapped * 2 > read.rows:
        return None
    return Said(
        "No row could be read. Each of them has the reason; look whether"
        f" {read.dialect.latitude} and {read.dialect.longitude} are the columns that you mean."
    )


def _most_rejected(read: Read) -> Said | None:
    if read.rejected == read.rows or read.rejected * 2 <= read.rows or read.swapped * 2 > read.rows:
        return None
    return Said(f"{read.rejected:,} of {read.rows:,} rows could not be read. Each of them has the reason.")


def _all_east(read: Read) -> Said | None:
    if read.west != 0 or read.rows == read.rejected:
        return None
    return Said(
        "No longitude is below 0, so every row is read as east of Greenwich. If the file lost its minus signs, these"
        " are other places: send it again with the signs."
    )


def _doubtful(read: Read) -> Said | None:
    if not read.doubt or read.doubt in NOTES:
        return None
    return Said(
        f"The columns are read as they were declared. They may be meant in another way: {sentence_of(read.doubt)}.",
        fix=fix_of(read.doubt, read.dialect),
    )


def _many_at_sea(read: Read) -> Said | None:
    located = read.rows - read.rejected
    if read.at_sea * (_AT_SEA if located >= _FEW else _AT_SEA_OF_FEW) <= located or read.at_sea < _LEAST:
        return None
    return Said(
        f"{read.at_sea:,} of {located:,} locations are in the sea. If they should not be, look whether"
        f" {read.dialect.latitude} and {read.dialect.longitude} are those of the same place, and have their signs."
    )


def _own_postcodes_differ(read: Read) -> Said | None:
    if (own := read.own_postcodes) is None:
        return None
    some = ", ".join(f"{number:,}" for number in own.others)
    return Said(
        f"The file's own postcodes say otherwise: {own.agree:,} of {own.rows:,} rows that were compared have the"
        f" outcode of {' or '.join(read.dialect.postcode_columns)}. Rows such as {some} have another one. Look whether"
        f" {read.dialect.latitude} and {read.dialect.longitude} are those of the same row, in this order, with their"
        " signs. If these postcodes are those of something else, such as the owner, nothing is wrong."
    )


def _further_sheets(read: Read) -> Said | None:
    if not (left := read.dialect.sheets_left):
        return None
    if read.dialect.sheets_alike:
        return Said(
            f"One sheet of the workbook is read. These are not: {', '.join(left)}. Some have the same header: with"
            " sheet=*, they are read as one table.",
            fix={"sheet": "*"},
        )
    return Said(f"Of the workbook, these sheets are not read: {', '.join(left)}. For those, send it again with sheet=.")


def _merged_cells(read: Read) -> Said | None:
    if not (read.dialect.merged_cells and read.rejected):
        return None
    return Said(
        f"{read.dialect.latitude} or {read.dialect.longitude} has cells that are merged over several rows. Only the"
        " first of these has the value; the others have none. Unmerge the cells, and fill in what is missing."
    )


def _left_out(read: Read) -> Said | None:
    if not (left := read.dialect.left):
        return None
    return Said(f"One table of what was sent is read. This is not: {', '.join(left)}.")


def _further_locations(read: Read) -> Said | None:
    dialect = read.dialect
    if not dialect.others:
        return None
    return Said(
        f"{dialect.latitude} and {dialect.longitude} are read. The file has further locations, which are not:"
        f" {', '.join(dialect.others)}. For those, send it again with latitude= and longitude=.",
        fix=dialect.others_fix,
    )


def _coordinates_swapped(read: Read) -> Said | None:
    if read.swapped * 2 <= read.rows:
        return None
    latitude, longitude = str(read.dialect.latitude), str(read.dialect.longitude)
    if read.dialect.coordinates in (Notation.WKT, Notation.GEOJSON):
        return Said(
            f"In most rows the points in {latitude} seem to be swapped: in {_POINTS[read.dialect.coordinates]} the"
            " longitude comes first. If they are, send latitude and longitude in two columns."
        )
    return Said(
        f"In most rows the latitude ({latitude}) and the longitude ({longitude}) seem to be swapped. If they are, send"
        " the file again and say which column is which.",
        fix={} if latitude == longitude else {"latitude": longitude, "longitude": latitude},
    )


def _lines_above(read: Read) -> Said | None:
    if not (count := read.dialect.preamble):
        return None
    return Said(
        f"What stands above the {'header' if read.dialect.has_header else 'first row'} is taken for titles or comments"
        f" and not read: {count} line(s)."
    )


def _national_grid(read: Read) -> Said | None:
    if read.dialect.in_metres:
        return Said(f"The points in {read.dialect.latitude} are read as metres of the British National Grid.")
    if read.dialect.coordinates not in (Notation.OSGB36, Notation.OSGB36_SQUARE):
        return None
    return Said(
        f"{read.dialect.longitude} and {read.dialect.latitude} are read as eastings and northings of the British"
        " National Grid and converted to degrees."
    )


def _converted(read: Read) -> Said | None:
    notation = Notation(read.dialect.coordinates)
    if notation == Notation.GRID_REFERENCE and not names_reference({*normal(str(read.dialect.latitude)).split("_")}):
        return Said(f"{read.dialect.latitude} is read as {KINDS[notation].words}.")
    if notation in (Notation.DEGREES, Notation.OSGB36, Notation.OSGB36_SQUARE) or KINDS[notation].columns == 1:
        return None
    return Said(f"{read.dialect.longitude} and {read.dialect.latitude} are read as {KINDS[notation].words}.")


def _precision(read: Read) -> Said | None:
    kind, size = KINDS[Notation(read.dialect.coordinates)], read.dialect.precision_m
    if kind.size is None or size is None or size < _SMALL_SQUARE:
        return None
    return Said(
        f"The first {kind.words} are squares of up to {size:,.0f} m: the postcode is that of a square's centre. Rows"
        " with larger ones, above 1,000 m, are rejected."
    )


def _low_precision(read: Read) -> Said | None:
    kind, size = KINDS[Notation(read.dialect.coordinates)], read.dialect.precision_m
    if kind.size is not None or size is None:
        return _few_decimals(read)
    return Said(
        f"The degrees of the first rows have so few decimals that each is a place of {size:,.0f} m: many postcodes are"
        " those of others. Send degrees with five decimals, if there are such."
        if not kind.is_metric
        else f"The metres of the first rows are rounded so that each is a place of {size:,.0f} m: many postcodes are"
        " those of others. Send them as they were before, if there are such."
    )


def _few_decimals(read: Read) -> Said | None:
    if read.doubt not in NOTES:
        return None
    return Said(
        f"{NOTES[read.doubt].detail}, and many postcodes are those of others. Send degrees with five decimals, if"
        " there are such."
    )


RULES: dict[str, Callable[[Read], Said | None]] = {
    "nothing_read": _nothing_read,
    "most_rejected": _most_rejected,
    "all_east": _all_east,
    "reading_doubtful": _doubtful,
    "many_at_sea": _many_at_sea,
    "own_postcodes_differ": _own_postcodes_differ,
    "further_sheets": _further_sheets,
    "merged_cells": _merged_cells,
    "left_out": _left_out,
    "further_locations": _further_locations,
    "coordinates_swapped": _coordinates_swapped,
    "lines_above": _lines_above,
    "national_grid": _national_grid,
    "converted": _converted,
    "precision": _precision,
    "low_precision": _low_precision,
}
