"""How the table of a file that has arrived is written."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from threading import BoundedSemaphore
from typing import BinaryIO

from uploads.accepting.options import check_converted, check_no_text, check_no_workbook
from uploads.files.incoming import Incoming
from uploads.reading.containers import SheetCsv, beginning_of
from uploads.reading.detecting.detect import SAMPLE_BYTES, detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.sheets import dialect_of_sheet
from uploads.reading.formats.telling import dialect_of_converted
from uploads.reading.second_look import check_beginning

#: Workbooks that one process looks into at once: each may take the memory and the CPU time that `workbook.process` has.
_workbooks = BoundedSemaphore(2)


@contextmanager
def opened_table(table: Incoming, sheet: str | None) -> Iterator[BinaryIO]:
    """The table, to look into; of a workbook that sheet, when its turn has come."""
    with table.open_table(sheet or "") as stream, _workbooks if isinstance(stream, SheetCsv) else nullcontext():
        yield stream


def detected_dialect(table: Incoming, stream: BinaryIO, declared: Declared) -> Dialect:
    """As `told_dialect`, for a file that is kept. Raises DoubtfulError, too, when its beginning is doubtful."""
    dialect = told_dialect(table, stream, declared)
    check_beginning(beginning_of(stream, SAMPLE_BYTES), dialect)
    return dialect


def told_dialect(table: Incoming, stream: BinaryIO, declared: Declared) -> Dialect:
    """How the table, which is open as `stream`, is written: as declared or told from its beginning.

    Raises OptionError or ReadingError.
    """
    if isinstance(stream, SheetCsv):
        check_no_text(declared, "an Excel workbook")
        return replace(dialect_of_sheet(stream, declared), format="xlsx", left=table.origin.left)
    check_no_workbook(declared)
    if table.origin.format != "csv":
        check_converted(declared, table.origin.format)
        return dialect_of_converted(beginning_of(stream, SAMPLE_BYTES), declared, table.origin)
    dialect = detect_dialect(beginning_of(stream, SAMPLE_BYTES), declared, further=table.samples())
    return replace(dialect, left=table.origin.left)
