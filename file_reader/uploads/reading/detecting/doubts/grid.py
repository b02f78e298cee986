"""Northings and eastings that are not metres of the British National Grid: that of Ireland looks like it."""

import re
from collections.abc import Collection

from uploads.reading.detecting.doubts import Doubt, Rules
from uploads.reading.detecting.fitting import seen_in_two, squares_columns
from uploads.reading.detecting.headers import BRITISH_WORDS, OTHER_GRID_WORDS, X
from uploads.reading.detecting.sample import Columns, Table
from uploads.reading.notations import GRID_EASTING, GRID_NORTHING, Notation

#: Where Ireland lies on the Irish Grid, in metres; on the British one, that is Cornwall, Devon, Wales, Liverpool,
#: Cumbria, Galloway, and the sea.
_IRISH_EASTING = (17_000.0, 367_000.0)
_IRISH_NORTHING = (19_000.0, 467_000.0)
#: Shetland's easternmost metres; those of ITM are more where its eastings are above 700,000, too.
_FAR_NORTH_EASTING = 470_000.0
#: A cell that says so of its row: a grid, a country, a town, a postcode.
_IRISH = re.compile(
    r"irish ?(os|grid)|ni|roi|(n(orthern|\.)? ?|republic of )?ireland|[ée]ire|belfast|(london)?derry|lisburn|newry"
    r"|n\d{8}|gb-?nir|armagh|dublin|cork|galway|limerick|waterford|(.{0,200}\W)?bt\d{1,2} ?\d[a-z]{2}|bt\d{1,2}( \d)?"
    r"|nir|irl|ulster|antrim|fermanagh|tyrone|ukn0\d|tln\d\d|95[a-z]{2}\d{2}(s\d)?|bt"
    r"|(antrim and newtownabbey|ards and north down|armagh( city)?, banbridge and craigavon|belfast( city)?"
    r"|causeway coast and glens|derry( city)? and strabane|fermanagh and omagh|lisburn and castlereagh"
    r"|mid and east antrim|mid ulster|newry, mourne and down)( (borough|district|city))?( council)?"
    r"|(.{0,200}\W)?(county|co\.?) (antrim|armagh|down|fermanagh|tyrone|(london)?derry)(\W.{0,200})?"
    r"|psni|osi|tm65|tm75|itm|irish transverse mercator|epsg:(29902|29903|2157)",
    re.IGNORECASE,
)
_BRITISH = re.compile(
    r"[esw]\d{8}|osgb(36)?|bng|british national grid|epsg:27700|england|wales|cymru|scotland|great britain|gb"
    r"|(?!bt)[a-z]{1,2}\d[\da-z]? ?\d[a-z]{2}",
    re.IGNORECASE | re.ASCII,
)
#: What columns say of their rows: the grid, by its number or its name.
_SAYS_GRID = frozenset({"srid", "epsg", "crs", "grid", "projection", "country"})
_IRISH_GRIDS = frozenset({"29902", "29903", "2157", "ig", "ing", "ie", "irl", "irish", "osi"})
_BRITISH_GRID = frozenset({"27700"})
_DECLARE = "If they are of the British National Grid, say coordinates=osgb36."


def _exchanged(table: Table, northing: int, easting: int) -> Doubt | None:
    """Numbers beyond the grid's eastings stand where eastings should, more often than where northings should."""
    norths, easts = table.numbers_by_record(northing), table.numbers_by_record(easting)
    pairs = [(north, east) for north, east in zip(norths, easts, strict=True) if north is not None and east is not None]
    if sum(_is_far_north(*pair) for pair in pairs) >= sum(_is_far_north(east, north) for north, east in pairs):
        return None
    return Doubt(
        f"Eastings and northings seem to be exchanged: {table.called(easting)} has numbers above"
        f" {GRID_EASTING[1]:,.0f}, which no easting has. If they are, say latitude=<the column of the northings> and"
        " longitude=<that of the eastings>; else mend these rows.",
        [easting, northing],
        # X and Y may be those of Switzerland: nothing is certain there.
        fix={} if easting in table.named(X) else table.options(Columns(easting, northing, Notation.OSGB36)),
    )


def _is_far_north(north: float, east: float) -> bool:
    """Whether it is in Scotland so far north that the same numbers, exchanged, are in no grid of these islands."""
    return GRID_EASTING[1] < north <= GRID_NORTHING[1] and GRID_EASTING[0] <= east <= _FAR_NORTH_EASTING


def _not_metres(table: Table, northing: int, easting: int) -> Doubt | None:
    if not table.values(easting) or is_grid(table, northing, easting):
        return None
    if table.is_within(northing, (-90, 90)) and table.is_within(easting, (-180, 180)):
        return Doubt(
            f"The eastings and northings seem to be degrees: {table.example(easting)}, {table.example(northing)}. If"
            " they are, say latitude=<the column of the northings> and longitude=<that of the eastings>.",
            [easting, northing],
            fix=table.options(Columns(northing, easting, Notation.DEGREES)),
        )
    return Doubt(
        "The eastings and northings are not metres of the British National Grid:"
        f" {table.example(easting)}, {table.example(northing)}. Send them in metres, without signs between the"
        " thousands, or send degrees." + seen_in_two(table, northing, easting),
        [easting, northing],
    )


def _within_squares(table: Table, northing: int, easting: int) -> Doubt | None:
    if not (squares := squares_columns(table, northing, easting)):
        return None
    return Doubt(
        "The eastings and northings seem to be within squares of 100 km, whose letters stand in"
        f" {table.called(squares[0])}. If they are metres, say coordinates=osgb36_square; else send metres from the"
        f" grid's own origin, or degrees. {_DECLARE}",
        [easting, northing, *squares],
    )


def _other_grid_named(table: Table, northing: int, easting: int) -> Doubt | None:
    if not OTHER_GRID_WORDS & table.words(easting, northing):
        return None
    return Doubt(
        f"The eastings and northings seem to be of another grid. {_DECLARE}" + seen_in_two(table, northing, easting),
        [easting, northing],
    )


def _some_in_ireland(table: Table, northing: int, easting: int) -> Doubt | None:
    if not says_irish(table.cells()) and not _IRISH_GRIDS & _grids_said(table):
        return None
    return Doubt(
        "Some rows are in Ireland, where eastings and northings are of the Irish Grid. If all are, say"
        f" coordinates=irish_grid; else send these rows as a file of their own. {_DECLARE}",
        [easting, northing],
    )


def _all_can_be_irish(table: Table, northing: int, easting: int) -> Doubt | None:
    if not table.is_within(easting, _IRISH_EASTING) or not table.is_within(northing, _IRISH_NORTHING):
        return None
    if (
        BRITISH_WORDS & table.words(easting, northing)
        or _BRITISH_GRID & _grids_said(table)
        or any(_BRITISH.fullmatch(cell.strip()) for cell in table.cells())
    ):
        return None
    return Doubt(
        "The eastings and northings can be of the British National Grid (Wales, Cornwall, Liverpool) or of the"
        f" Irish Grid. If they are of that, say coordinates=irish_grid. {_DECLARE}",
        [easting, northing],
    )


def _grids_said(table: Table) -> set[str]:
    """What stands in columns that are called like the number or the name of a grid, in small letters."""
    return {value.strip().lower() for column in table.worded(_SAYS_GRID) for value in table.values(column)}


def says_irish(cells: Collection[str]) -> bool:
    """Whether one of these cells says that it is in Ireland, or of its grid."""
    return any(_IRISH.fullmatch(cell.strip()) for cell in cells)


def is_grid(table: Table, northing: int, easting: int) -> bool:
    """Whether most of their values are metres of the British National Grid."""
    return table.mostly_within(easting, GRID_EASTING) and table.mostly_within(northing, GRID_NORTHING)


#: Of columns that are called northing and easting, or Y and X.
EXCHANGED: Rules = {"exchanged": _exchanged}
#: Of columns that are called northing and easting.
METRES: Rules = {"not_metres": _not_metres}
#: Of metres that nobody has said to be British.
BRITISH: Rules = {
    "within_squares": _within_squares,
    "other_grid_named": _other_grid_named,
    "some_in_ireland": _some_in_ireland,
    "all_can_be_irish": _all_can_be_irish,
}
