"""What is said of a file and what is found out: the words for how it is written."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from uploads.reading.notations import KINDS, Located, Notation, locator

#: Metres.
_LARGE_SQUARE = 1_000.0


@dataclass(frozen=True)
class Declared:
    """What the sender said about the file; None is "find out". Columns are header names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    has_header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    coordinates: str | None = None
    sheet: str | None = None
    quoting: str | None = None
    #: The columns are those of a format that has its locations apart from all else: nobody has declared them.
    is_of_format: bool = False

    @property
    def notation(self) -> Notation | None:
        return Notation(self.coordinates) if self.coordinates else None


@dataclass(frozen=True)
class Second:
    """Where a row has its location once more: no further away than `within` metres, unless it is another place."""

    latitude_column: int
    longitude_column: int
    coordinates: str
    within: float

    def locator(self, decimal: str) -> Callable[[Sequence[str]], Located]:
        """As that of a Dialect."""
        return locator(Notation(self.coordinates), self.latitude_column, self.longitude_column, decimal)


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `latitude` and `longitude` are the header's names, or numbers from 1 without a header.

    `coordinates` is a Notation. When it is one of ONE_CELL, both columns are the same; of metres, `latitude` is the
    northing and `longitude` the easting, and `square_column` has the squares that they are within, if they are.
    `precision_m` is how large the places of the first rows are, in metres, where they are no points.

    `preamble` is how many records stand above the header, or above the first row: titles, comments, `sep=;`. `surplus`
    is how many fields more than the header the rows have, all of them empty; below 0, how many columns without a name
    they leave out. With `skip_spaces`, quotes may stand behind a delimiter and spaces. `quoting` is one of QUOTING:
    with `none`, quotes are part of the cells.

    `others` names the columns of further locations, which are not read; if it is one, `others_fix` has the options that
    declare it. With `cr_ends`, a CR without an LF ends a line; else it is part of a cell.

    Of a workbook, `sheet` is the one that is read, by name or number, empty for the first visible one, * for all alike;
    `sheets_left` are those that are not, and with `sheets_alike` some of them have the same first row. With
    `merged_cells`, a coordinate stands in cells that are merged over several rows.

    `format` is what was sent; of what is neither csv nor xlsx, this is the table that was made of it. `left` names what
    was beside the table and is not read.

    What held for the beginning is asked of every row: `side_column` said east or west of the first rows, as the signs
    did; `silent_sides` may say so further down; `west_flags` say yes where it is west; `second`
    was at the same place; with `is_lettered`, letters did in the longitude itself; with
    `is_british`, a row that says it is in Ireland is of another grid. With `is_of_world`, most are abroad, and none is
    taken for a swapped one. With `in_metres`, points are in those of the British National Grid.
    With `is_declared`, the sender has said what the columns are. `postcode_columns` have the file's own postcodes, by
    what they are called: the answers are compared with them.
    """

    delimiter: str
    encoding: str
    has_header: bool
    decimal: str
    latitude: str | int
    longitude: str | int
    latitude_column: int
    longitude_column: int
    coordinates: str = Notation.DEGREES.value
    preamble: int = 0
    surplus: int = 0
    skip_spaces: bool = False
    quoting: str = "quotes"
    square_column: int | None = None
    precision_m: int | None = None
    side_column: int | None = None
    silent_sides: list[int] = field(default_factory=list)
    west_flags: list[int] = field(default_factory=list)
    second: Second | None = None
    is_lettered: bool = False
    is_british: bool = False
    in_metres: bool = False
    is_of_world: bool = False
    is_declared: bool = False
    postcode_columns: dict[str, int] = field(default_factory=dict)
    cr_ends: bool = True
    others: list[str] = field(default_factory=list)
    others_fix: dict[str, str] = field(default_factory=dict)
    sheet: str = ""
    sheets_left: list[str] = field(default_factory=list)
    sheets_alike: bool = False
    merged_cells: bool = False
    format: str = "csv"
    left: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def locator(self) -> Callable[[Sequence[str]], Located]:
        """A function from the fields of a record to its coordinates, or to the reason why it has none."""
        return locator(
            Notation(self.coordinates), self.latitude_column, self.longitude_column, self.decimal, self.square_column
        )

    @property
    def last_column(self) -> int:
        """The last one that is needed for a location."""
        return max(self.latitude_column, self.longitude_column, self.square_column or 0)

    def is_coarser(self, fields: Sequence[str]) -> bool:
        """Whether the square of a record is larger than those of the first ones, and than 1 km."""
        size = KINDS[Notation(self.coordinates)].size
        found = size and size(fields[self.latitude_column])
        return bool(found and found > max(self.precision_m or 0, _LARGE_SQUARE))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        second = value.get("second")
        return cls(**{**value, "second": second and Second(**second)})
