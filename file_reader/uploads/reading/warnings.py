"""What is probably not meant, in the sender's words: one rule a warning. Codes are stable, sentences are not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uploads.reading.detecting.dialect import Dialect
from uploads.reading.notations import KINDS, Notation

#: Metres: within smaller ones, there are few postcodes.
_SMALL_SQUARE = 100.0


@dataclass(frozen=True)
class Read:
    """What became of the rows so far.

    `rejected` have no coordinates, `swapped` of them seem to have them the other way round, and `west` have a longitude
    below 0; None while there may be more.
    """

    dialect: Dialect
    rows: int
    rejected: int
    swapped: int
    west: int | None


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
    if not read.rows or read.rejected != read.rows:
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


def _further_sheets(read: Read) -> Said | None:
    if not (left := read.dialect.sheets_left):
        return None
    return Said(
        f"One sheet of the workbook is read. These are not: {', '.join(left)}. For those, send it again with sheet=."
    )


def _further_locations(read: Read) -> Said | None:
    dialect = read.dialect
    if not dialect.others:
        return None
    return Said(
        f"{dialect.latitude} and {dialect.longitude} are read. The file has further locations, which are not:"
        f" {', '.join(dialect.others)}. For those, send it again with latitude= and longitude=."
    )


def _coordinates_swapped(read: Read) -> Said | None:
    if read.swapped * 2 <= read.rows:
        return None
    latitude, longitude = str(read.dialect.latitude), str(read.dialect.longitude)
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
    if read.dialect.coordinates not in (Notation.OSGB36, Notation.OSGB36_SQUARE):
        return None
    return Said(
        f"{read.dialect.longitude} and {read.dialect.latitude} are read as eastings and northings of the British"
        " National Grid and converted to degrees."
    )


def _converted(read: Read) -> Said | None:
    notation = Notation(read.dialect.coordinates)
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
        return None
    return Said(
        f"The degrees of the first rows have so few decimals that each is a place of {size:,.0f} m: many postcodes are"
        " those of others. Send degrees with five decimals, if there are such."
    )


RULES: dict[str, Callable[[Read], Said | None]] = {
    "nothing_read": _nothing_read,
    "most_rejected": _most_rejected,
    "all_east": _all_east,
    "further_sheets": _further_sheets,
    "further_locations": _further_locations,
    "coordinates_swapped": _coordinates_swapped,
    "lines_above": _lines_above,
    "national_grid": _national_grid,
    "converted": _converted,
    "precision": _precision,
    "low_precision": _low_precision,
}
