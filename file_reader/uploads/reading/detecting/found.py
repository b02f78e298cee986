"""What is wanted of the columns, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from uploads.reading.detecting.headers import Pair
from uploads.reading.detecting.sample import Table
from uploads.reading.errors import ColumnsError
from uploads.reading.notations import Notation

#: How many columns a message names.
SHOWN_CALLED = 8


@dataclass(frozen=True)
class Columns:
    """The indexes (from 0) of the latitude and the longitude, or of northing and easting, or twice that of one cell."""

    latitude: int
    longitude: int
    notation: Notation
    #: The column with the squares that eastings and northings are within.
    square: int | None = None
    #: What the columns of further locations are called, which are not read.
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What the sender said of the columns: names, or numbers from 1 as text."""

    latitude: str | None = None
    longitude: str | None = None
    notation: Notation | None = None


def several_pairs(table: Table, pairs: Sequence[Pair]) -> ColumnsError:
    what, columns = "latitude", sorted({pair.north for pair in pairs})
    if len(columns) == 1:
        what, columns = "longitude", sorted({pair.east for pair in pairs})
    shown = [f"{table.called(pair.north)} with {table.called(pair.east)}" for pair in pairs[:SHOWN_CALLED]]
    return table.error(
        f"Several columns could be the {what}: {', or '.join(shown)}. Say which ones are meant with"
        " latitude=<name or number> and longitude=<name or number>.",
        columns[:SHOWN_CALLED],
    )
