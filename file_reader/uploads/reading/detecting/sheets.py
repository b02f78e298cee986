"""How a sheet of a workbook is written, and what stands on its other sheets."""

from dataclasses import replace
from typing import BinaryIO, cast

from uploads.reading.containers import SheetCsv, beginning_of
from uploads.reading.detecting.detect import SAMPLE_BYTES, detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.headers import name_both, names_of
from uploads.reading.errors import ColumnsError, EmptyFileError, ReadingError
from uploads.reading.workbook.about import About
from uploads.reading.workbook.sheets import ALL


def dialect_of_sheet(stream: SheetCsv, declared: Declared) -> Dialect:
    """The dialect of a sheet, which also says what other sheets there are. Raises as `detect_dialect` does, and
    ReadingError when the coordinates are formulas without values.
    """
    sample = beginning_of(cast(BinaryIO, stream), SAMPLE_BYTES)
    about = stream.about
    try:
        dialect = detect_dialect(sample, declared)
    except (ColumnsError, EmptyFileError) as error:
        if about.formulas:
            error.detail += f" Column(s) {', '.join(map(str, about.formulas[:20]))}:{_NOT_COMPUTED}"
        if about.left:
            _name_others(error, about)
        raise
    read = {dialect.latitude_column + 1: dialect.latitude, dialect.longitude_column + 1: dialect.longitude}
    if names := dict.fromkeys(str(name) for column, name in read.items() if column in about.formulas):
        raise ReadingError(f"The cells of {' and '.join(names)} are{_NOT_COMPUTED}")
    return replace(
        dialect,
        sheet=declared.sheet or "",
        sheets_left=about.left,
        sheets_alike=about.alike,
        merged_cells=not read.keys().isdisjoint(about.merged),
    )


_NOT_COMPUTED = (
    " formulas without values, or with zeros only: the program that wrote them does not compute. Open the workbook in a"
    " spreadsheet program, recalculate and save it, and send that."
)


def _name_others(error: ReadingError, about: About) -> None:
    """Adds the other sheets, and which of them to read, where only one way of reading them has coordinates."""
    located = [name for name, head in about.heads.items() if any(name_both(names_of(fields)) for fields in head)]
    are_alike = len({tuple(about.heads[name][0]) for name in located}) == 1 and 2 * len(located) > len(about.heads)
    sheet = located[0] if len(located) == 1 else ALL if are_alike else None
    error.detail += (
        f" The workbook has further sheets: {', '.join(about.left)}. Say one with sheet={sheet or '<name or number>'}."
    )
    if located:
        error.detail += f" These have coordinates: {', '.join(located)}."
    if sheet is not None:
        error.extra["fix"] = {"sheet": sheet}
