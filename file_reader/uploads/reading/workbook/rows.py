"""The rows of a sheet, as its XML is parsed. Nothing is kept but the row that is being read."""

import re
from collections.abc import Iterator

from uploads.reading.workbook.cells import TEXT_OF, number_of, number_text
from uploads.reading.workbook.limits import BROKEN, MAX_COLUMNS, MAX_ROWS, ContradictionError, RefusedError
from uploads.reading.workbook.part import LocalNames, Part
from uploads.reading.workbook.styles import Format
from uploads.reading.workbook.texts import SharedTexts

Row = tuple[int, list[str]]
_MERGED = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})", re.ASCII)
#: Different spans of columns that are remembered. Each may be as wide as the sheet.
_MAX_SPANS = 100


class SheetRows:
    """Reads the rows of a sheet. Its XML: worksheet (1) > sheetData (2) > row (3) > c (4) > v, f, is (5) > t, r, rPh.

    What stands behind the rows is looked at as far as it can be read, for merged cells.
    """

    def __init__(self, part: Part, texts: SharedTexts, formats: dict[str, Format]) -> None:
        self._part, self._texts, self._formats = part, texts, formats
        self._local = LocalNames()
        self._columns = _Columns()
        self._rows: list[Row] = []
        self._fields: list[str] = []
        self._chars: list[str] = []
        self._inline: list[str] = []
        self._cell: dict[str, str] = {}
        self._depth = self._number = self._column = 0
        self._last = 0  # the highest number of a row so far
        self._in_data = self._is_over = self._in_cell = self._is_phonetic = self._is_formula = False
        self._computed: set[int] = set()
        self._uncomputed: set[int] = set()
        self._spans: set[tuple[int, int]] = set()
        part.depth = lambda: self._depth
        part.parser.StartElementHandler = self._start
        part.parser.EndElementHandler = self._end
        part.parser.CharacterDataHandler = self._chars.append

    def __iter__(self) -> Iterator[Row]:
        """The number and the fields of each row, in ascending order."""
        for rows in self.pieces():
            yield from rows

    def pieces(self) -> Iterator[list[Row]]:
        """The rows of each piece of XML; those before an error, too. Raises what is wrong with the part."""
        going_on = True
        while going_on:
            error: Exception | None = None
            try:
                going_on = self._part.parse_piece()
            except (ContradictionError, RefusedError, MemoryError, *BROKEN) as caught:
                error = caught
            rows, self._rows = self._rows, []
            yield rows
            if error is not None:
                if self._is_over:
                    return
                raise error

    def formulas(self) -> set[int]:
        """The columns (from 1) with formulas of which none has a stored value but 0, so far."""
        return self._uncomputed - self._computed

    def merged(self) -> set[int]:
        """The columns (from 1) that have cells merged over several rows: only the first of these has the value."""
        return {column for first, last in self._spans for column in range(first, last + 1)}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth = depth = self._depth + 1
        self._chars.clear()
        if not self._in_data:
            if depth == 2:
                self._in_data = self._local[name] == "sheetData"
            elif depth == 3 and self._local[name] == "mergeCell":
                self._note_merged(attributes.get("ref", ""))
        elif depth == 4:
            self._in_cell = self._local[name] == "c"
            if self._in_cell:
                self._start_cell(attributes)
        elif depth == 5:
            if self._local[name] == "f":
                self._is_formula = True
        elif depth == 3:
            given = attributes.get("r")
            self._number = self._number + 1 if given is None else _row_number(given)
            self._fields = []
            self._column = 0
        elif depth == 6:
            self._is_phonetic = self._local[name] == "rPh"

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._cell = attributes
        place = attributes.get("r")
        self._column = column = self._column + 1 if place is None else self._columns[place.rstrip("0123456789")]
        if column > MAX_COLUMNS:
            raise RefusedError(f"has more than {MAX_COLUMNS:,} columns in row {self._number}")
        fields = self._fields
        if column > len(fields):
            fields.extend([""] * (column - len(fields)))
        elif fields[column - 1]:
            raise ContradictionError(f"Row {self._number:,} of the sheet has two cells for column {column}.")

    def _end(self, name: str) -> None:
        self._depth = depth = self._depth - 1
        if not self._in_data:
            return
        if depth == 4:
            if self._in_cell and self._chars and self._local[name] == "v":
                self._fields[self._column - 1] = self._text("".join(self._chars))
        elif depth > 4:
            if self._local[name] == "t" and not self._is_phonetic:
                self._inline.append("".join(self._chars))
                self._chars.clear()
        elif depth == 3:
            if self._inline:
                if self._in_cell and self._cell.get("t") == "inlineStr":
                    self._fields[self._column - 1] = TEXT_OF["str"]("".join(self._inline))
                self._inline.clear()
            if self._is_formula:
                self._is_formula = False
                self._note_formula()
        elif depth == 2:
            self._end_row(name)
        else:
            self._in_data = False
            self._is_over = True

    def _end_row(self, name: str) -> None:
        number = self._number
        if number > MAX_ROWS:
            raise RefusedError(f"has a row {number:,}; sheets end at row {MAX_ROWS:,}")
        if self._local[name] == "row":
            if number > self._last:
                self._last = number
                self._rows.append((number, self._fields))
            elif any(self._fields):
                raise ContradictionError(
                    f"Row {number:,} of the sheet stands behind row {self._last:,}. Save the workbook once more."
                )
        self._part.begun = self._part.parser.CurrentByteIndex

    def _text(self, value: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "n":
            return self._formats.get(self._cell.get("s", "0"), number_text)(number_of(value))
        if kind == "s":
            return self._texts[int(value)]
        return "" if kind == "inlineStr" else TEXT_OF.get(kind, str)(value)

    def _note_formula(self) -> None:
        """A text may be empty; a number may not, and XlsxWriter writes 0 for each."""
        is_missing = self._cell.get("t") != "str" and self._fields[self._column - 1] in ("", "0")
        (self._uncomputed if is_missing else self._computed).add(self._column)

    def _note_merged(self, ref: str) -> None:
        found = _MERGED.fullmatch(ref)
        if found and int(found[2]) < int(found[4]) and len(self._spans) < _MAX_SPANS:
            first, last = self._columns[found[1]], self._columns[found[3]]
            self._spans.add((first, min(last, MAX_COLUMNS)))


class _Columns(dict[str, int]):
    """The number of a column (from 1) by its letters."""

    def __missing__(self, letters: str) -> int:
        if not re.fullmatch("[A-Za-z]{1,3}", letters):
            raise ValueError(letters)
        number = 0
        for letter in letters.upper():
            number = number * 26 + ord(letter) - ord("A") + 1
        self[letters] = number
        return number


def _row_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)  # some programs write 1.0
        if not number.is_integer():
            raise
        return int(number)
