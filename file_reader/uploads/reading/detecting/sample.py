"""The beginning of a table: its header, and what stands in its columns."""

import re
from collections.abc import Collection, Sequence

from uploads.reading.detecting import headers
from uploads.reading.errors import ColumnsError
from uploads.reading.notations import as_number

_SHOWN_COLUMNS = 1_000
SHOWN_CHARS = 100
#: The share of a column's values that must be as its name, or its use, says.
_ENOUGH = 0.6
_FRACTION = re.compile(r"\d[.,]\d{3,}")


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

    def numbers(self, column: int) -> list[float]:
        return [number for number in map(as_number, self.values(column)) if number is not None]

    def numbers_by_record(self, column: int) -> list[float | None]:
        return [as_number(record[column]) if column < len(record) else None for record in self._data]

    def cells_by_record(self, column: int) -> list[str]:
        return [record[column] if column < len(record) else "" for record in self._data]

    def cells(self) -> Collection[str]:
        """Every cell of the sample, the header's too."""
        return {cell for record in (self.header or (), *self._data) for cell in record}

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

    def is_exact(self, column: int) -> bool:
        """Most of its values have three digits or more behind the point, as coordinates have and counts have not."""
        return mostly([bool(_FRACTION.search(value)) for value in self.values(column)])

    def example(self, column: int) -> str:
        """One of its values, to show."""
        return repr(next(iter(self.values(column)), "")[:SHOWN_CHARS])

    def called(self, column: int) -> str:
        """What to call it in a sentence."""
        name = self.header[column].strip()[:SHOWN_CHARS] if self.header else ""
        return f"column {column + 1} ({name})" if name else f"column {column + 1}"

    def error(self, detail: str, candidates: Sequence[int] = ()) -> ColumnsError:
        # Bounded: an answer that shows the columns must not be as large as the file.
        seen: list[str | int] = list(range(1, min(self.width, _SHOWN_COLUMNS) + 1))
        if self.header is not None:
            seen = [name.strip()[:SHOWN_CHARS] for name in self.header[:_SHOWN_COLUMNS]]
        shown = {"candidates": [column + 1 for column in candidates]} if candidates else {}
        return ColumnsError(detail, columns_seen=seen, **shown)

    def several(self, what: str, candidates: Sequence[int]) -> ColumnsError:
        detail = f"Several columns could be the {what}. Say which one with {what}=<column number>."
        return self.error(detail, candidates)

    def missing(self, what: str) -> ColumnsError:
        return self.error(f"No column was recognised as the {what}. Say which one with {what}=<name or number>.")


def mostly(truths: Sequence[bool]) -> bool:
    return bool(truths) and sum(truths) >= _ENOUGH * len(truths)
