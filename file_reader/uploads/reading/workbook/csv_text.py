"""Sheets of a workbook → CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from uploads.reading.errors import ContainerError, ReadingError, UnreadableError
from uploads.reading.lines import MAX_RECORD_CHARS
from uploads.reading.workbook.about import About
from uploads.reading.workbook.limits import BROKEN, ContradictionError, RefusedError
from uploads.reading.workbook.package import Workbook
from uploads.reading.workbook.rows import Row, SheetRows
from uploads.reading.workbook.sheets import ALL, chosen, joined, trimmed

#: How much CSV is written at once, at least. Whoever wants to know what a workbook looks like reads the first piece.
PIECE_BYTES = 1 << 17
#: A sheet may become this many times as large as its workbook, beyond what is never too large: rows are filled up to
#: the width of the first, and a text that cells share is written again for each.
_MAX_CSV_RATIO = 100
_HARMLESS_CSV_BYTES = 16 << 20
_MAX_CSV_BYTES = 4 << 30
#: Also said of a process that did not get as far as to say it.
TOO_MUCH = "The workbook takes too much {} to read. Save the sheet as CSV, and send that."


def workbook_as_csv(stream: BinaryIO, wanted: str = "") -> Iterator[bytes]:
    """What is told of the workbook, as a line; then a sheet as CSV, at least PIECE_BYTES at a time, until its end.

    A blank row is a blank line. `wanted` is as for `sheets.chosen`.

    Raises UnreadableError with the row at fault, before which all rows have come; or ContainerError when the workbook
    is beyond a limit.
    """
    about = About()
    readings: list[SheetRows] = []
    pieces = _pieces(stream, wanted, about, readings)
    first = next(pieces)
    about.formulas = sorted({column for rows in readings for column in rows.formulas()})
    about.merged = sorted({column for rows in readings for column in rows.merged()})
    yield about.line()
    yield first
    yield from pieces


def _pieces(stream: BinaryIO, wanted: str, about: About, readings: list[SheetRows]) -> Iterator[bytes]:
    """The CSV, of which one piece comes in any case. `about` and `readings` are filled."""
    text = _CsvText(min(_MAX_CSV_BYTES, max(_HARMLESS_CSV_BYTES, stream.seek(0, io.SEEK_END) * _MAX_CSV_RATIO)))
    fault: ReadingError | None = None
    try:
        book = Workbook(stream)
        sheets = chosen(book, wanted, about)
        readings.extend(book.rows(sheet) for sheet in sheets)
        names = [sheet.name for sheet in sheets]
        yield from text.pieces(joined(zip(names, readings, strict=True)) if wanted == ALL else readings[0])
    # The rows before the fault are given out below, when the memory of what failed is free again.
    except UnreadableError as error:
        fault = error
    except ContradictionError as error:
        fault = UnreadableError(str(error), line=text.row + 1)
    except RefusedError as error:
        fault = ContainerError(f"The workbook {error}.")
    except MemoryError:
        fault = ContainerError(TOO_MUCH.format("memory"))
    except BROKEN:
        fault = UnreadableError(f"The workbook cannot be read after row {text.row}.", line=text.row + 1)
    yield text.taken()
    if fault is not None:
        raise fault


class _CsvText:
    """CSV that is being written. Every row is as wide as the first one that is not blank, or wider."""

    def __init__(self, limit: int) -> None:
        self.row = 0
        self._limit = limit
        self._width = self._written = 0
        self._text = io.StringIO(newline="")
        # Both characters: Python 3.11 quotes a cell with a line break only if that is one of the line end's characters.
        self._writer = csv.writer(self._text, lineterminator="\r\n")

    def taken(self) -> bytes:
        piece = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return piece

    def pieces(self, rows: Iterable[Row]) -> Iterator[bytes]:
        """The rows, but for what is left for `taken`. Raises UnreadableError or RefusedError when they are too long."""
        for number, fields in rows:
            while self.row < number - 1:  # rows that are left out
                blank = min(number - 1 - self.row, PIECE_BYTES // 2)
                self._text.write("\r\n" * blank)
                self.row += blank
                if self._text.tell() >= PIECE_BYTES:
                    yield self.taken()
            self.row = number
            self._add(fields)
            if self._text.tell() >= PIECE_BYTES:
                self._written += self._text.tell()
                yield self.taken()
                if self._written > self._limit:
                    raise RefusedError(
                        f"is far larger as CSV than as it was sent: {self._written:,} bytes by row {self.row}"
                    )

    def _add(self, fields: list[str]) -> None:
        if not any(fields):
            self._text.write("\r\n")
            return
        fields = trimmed(fields, max(self._width, 1))
        self._width = self._width or len(fields)
        before = self._text.tell()
        self._writer.writerow(fields + [""] * (self._width - len(fields)))
        if self._text.tell() - before > MAX_RECORD_CHARS:
            self._text.truncate(before)
            raise UnreadableError(f"Row {self.row} is longer than {MAX_RECORD_CHARS:,} characters.", line=self.row)
