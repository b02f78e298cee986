"""The beginning of a table: its header, and what stands in its columns."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from uploads.reading.detecting import headers
from uploads.reading.errors import ColumnsError
from uploads.reading.notations import NULLS, Located, Notation, as_number, locator

_SHOWN_COLUMNS = 1_000
SHOWN_CHARS = 100
#: How many columns a message names.
SHOWN_CALLED = 8
#: The share of a column's values that must be as its name, or its use, says.
_ENOUGH = 0.6
_FRACTION = re.compile(r"(?:\d|\B)[.,]\d{3,}")


@dataclass(frozen=True)
class Columns:
    """The indexes (from 0) of the latitude and the longitude, or of northing and easting, or twice that of one cell."""

    latitude: int
    longitude: int
    notation: Notation
    #: The column with the squares that eastings and northings are within.
    square: int | None = None
    #: Further locations, which are not read.
    others: tuple["Columns", ...] = ()

    @property
    def last(self) -> int:
        """The last one that is needed for a location."""
        return max(self.latitude, self.longitude, self.square or 0)


def telling(records: Iterable[Sequence[str]], names: Sequence[str], most: int) -> list[Sequence[str]]:
    """The first records that say something in a column that is called like a coordinate; without names, anywhere.

    0 is what some programs write for a coordinate that nobody knows.
    """
    named = headers.coordinate_columns(names)
    if named:
        told = (one for one in records if any(_says_something(one[at]) for at in named if at < len(one)))
    else:
        told = (one for one in records if "".join(one).strip())
    return list(islice(told, most))


def _says_something(cell: str) -> bool:
    text = cell.strip().lower()
    return text not in NULLS and text.strip("-+0.,") != ""


class Table:
    """A sample of a file. `names` are those of the header, as `headers.names_of` has them; none without a header."""

    def __init__(
        self, header: Sequence[str] | None, names: Sequence[str], width: int, data: Sequence[Sequence[str]]
    ) -> None:
        self.header = header
        self.names = names
        self.width = width
        self._data = data

    def values(self, column: int) -> list[str]:
        """Its cells that are not empty."""
        return [record[column] for record in self._data if column < len(record) and record[column].strip()]

    def is_empty(self, column: int) -> bool:
        """Whether its cells say nothing, in a word or without one."""
        return all(value.strip().lower() in NULLS for value in self.values(column))

    def numbers(self, column: int) -> list[float]:
        return [number for number in map(as_number, self.values(column)) if number is not None]

    def numbers_by_record(self, column: int) -> list[float | None]:
        return [as_number(record[column]) if column < len(record) else None for record in self._data]

    def cells_by_record(self, column: int) -> list[str]:
        return [record[column] if column < len(record) else "" for record in self._data]

    def cells(self) -> Collection[str]:
        """Every cell of the sample, the header's too."""
        return {cell for record in (self.header or (), *self._data) for cell in record}

    def located(self, columns: Columns) -> list[Located]:
        """The location of each record in those columns, or why it has none."""
        locate = locator(columns.notation, columns.latitude, columns.longitude, ",", columns.square)
        return [locate(record) if len(record) > columns.last else "too_few_fields" for record in self._data]

    def named(self, known: Collection[str]) -> list[int]:
        return headers.columns_named(self.names, known)

    def worded(self, words: frozenset[str]) -> list[int]:
        return [column for column, name in enumerate(self.names) if words.intersection(name.split("_"))]

    def words(self, *columns: int) -> set[str]:
        """All words in the names of these columns."""
        return {word for column in columns if self.names for word in self.names[column].split("_")}

    def mostly_within(self, column: int, limits: tuple[float, float]) -> bool:
        """Whether most of its values are numbers between the two, both included."""
        within = sum(limits[0] <= number <= limits[1] for number in self.numbers(column))
        return within > 0 and within >= _ENOUGH * len(self.values(column))

    def is_within(self, column: int, limits: tuple[float, float], unit: float = 1.0) -> bool:
        """Whether all of its numbers are between the two, both included, once multiplied by `unit`."""
        numbers = self.numbers(column)
        return bool(numbers) and all(limits[0] <= number * unit <= limits[1] for number in numbers)

    def is_exact(self, column: int) -> bool:
        """Most of its values have three digits or more behind the point, as coordinates have and counts have not."""
        return mostly([bool(_FRACTION.search(value)) for value in self.values(column)])

    def example(self, column: int) -> str:
        """One of its values, to show: one that is a number, if there is one."""
        values = self.values(column)
        number = next((value for value in values if as_number(value) is not None), None)
        return repr((number or next(iter(values), ""))[:SHOWN_CHARS])

    def whole_example(self, columns: Columns, column: int) -> str:
        """The same of the records that have a location in whole degrees, on one axis at least."""
        located = zip(self.cells_by_record(column), self.located(columns), strict=True)
        return repr(next((cell for cell, at in located if _is_whole(at)), "")[:SHOWN_CHARS])

    def called(self, column: int) -> str:
        """What to call it in a sentence."""
        name = self.header[column].strip()[:SHOWN_CHARS] if self.header else ""
        return f"column {column + 1} ({name})" if name else f"column {column + 1}"

    def called_both(self, columns: Columns) -> str:
        """What to call the columns of a location in a sentence."""
        if columns.latitude == columns.longitude:
            return self.called(columns.latitude)
        return f"{self.called(columns.latitude)} with {self.called(columns.longitude)}"

    def options(self, columns: Columns) -> dict[str, str]:
        """The options that declare these columns: by name, where it is the only one and not empty, else by number."""
        latitude, longitude = self._option(columns.latitude), self._option(columns.longitude)
        return {"latitude": latitude} if latitude == longitude else {"latitude": latitude, "longitude": longitude}

    def _option(self, column: int) -> str:
        name = self.names[column] if self.header else ""
        alone = name and self.header and len(self.named({name})) == 1
        return self.header[column].strip() if self.header and alone else str(column + 1)

    def error(self, detail: str, candidates: Sequence[int] = (), fix: Mapping[str, str] | None = None) -> ColumnsError:
        # Bounded: an answer that shows the columns must not be as large as the file.
        seen: list[str | int] = list(range(1, min(self.width, _SHOWN_COLUMNS) + 1))
        if self.header is not None:
            seen = [name.strip()[:SHOWN_CHARS] for name in self.header[:_SHOWN_COLUMNS]]
        shown = {"candidates": [column + 1 for column in candidates]} if candidates else {}
        return ColumnsError(detail, columns_seen=seen, **shown, **({"fix": fix} if fix else {}))

    def several(self, what: str, candidates: Sequence[int]) -> ColumnsError:
        detail = f"Several columns could be the {what}. Say which one with {what}=<column number>."
        return self.error(detail, candidates)

    def several_pairs(self, pairs: Sequence[headers.Pair]) -> ColumnsError:
        what, columns = "latitude", sorted({pair.north for pair in pairs})
        if len(columns) == 1:
            what, columns = "longitude", sorted({pair.east for pair in pairs})
        shown = [f"{self.called(pair.north)} with {self.called(pair.east)}" for pair in pairs[:SHOWN_CALLED]]
        return self.error(
            f"Several columns could be the {what}: {', or '.join(shown)}. Say which ones are meant with"
            " latitude=<name or number> and longitude=<name or number>.",
            columns[:SHOWN_CALLED],
        )

    def missing(self, what: str) -> ColumnsError:
        return self.error(f"No column was recognised as the {what}. Say which one with {what}=<name or number>.")


def _is_whole(located: Located) -> bool:
    return not isinstance(located, str) and any(number % 1 == 0 for number in located)


def mostly(truths: Sequence[bool]) -> bool:
    return bool(truths) and sum(truths) >= _ENOUGH * len(truths)
