"""Which sheets of a workbook are read, and several sheets as one table."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from uploads.reading.workbook.about import About
from uploads.reading.workbook.limits import BROKEN, ContradictionError, RefusedError
from uploads.reading.workbook.package import Sheet, Workbook
from uploads.reading.workbook.rows import Row, SheetRows

#: What is wanted by `sheet=*`: all visible sheets with the same first row.
ALL = "*"
#: Names of sheets that are told: so many, of so many characters. Excel takes names of 31.
_SHOWN_SHEETS = 50
_SHOWN_CHARS = 100
#: Further sheets that are told of by their beginning, and how far: pieces of XML, rows, fields and their characters.
_MAX_HEADS = 20
_HEAD_PIECES = 4
_HEAD_ROWS = 3
_HEAD_FIELDS = 40
_HEAD_CHARS = 60
_Heads = dict[Sheet, list[list[str]]]


def chosen(book: Workbook, wanted: str, about: About) -> list[Sheet]:
    """The sheet with the name that is wanted, or the visible one with that number from 1; the first visible one, if
    none is wanted; with ALL, those of the first row that most visible sheets have.

    Raises RefusedError when there is none.
    """
    visible = [sheet for sheet in book.sheets if not sheet.is_hidden]
    looked_into = visible if wanted == ALL else visible[:_MAX_HEADS] if not wanted and len(visible) > 1 else []
    heads: _Heads = {sheet: head for sheet in looked_into if (head := _head(book, sheet))}
    alike = Counter(tuple(head[0]) for head in heads.values())
    if wanted == ALL and heads:
        most, _ = alike.most_common(1)[0]
        found = [sheet for sheet, head in heads.items() if tuple(head[0]) == most]
    else:
        found = [_one(book.sheets, visible, wanted if wanted != ALL else "")]
    about.read = _shown(found)
    about.left = _shown([sheet for sheet in book.sheets if sheet not in found])
    about.alike = not wanted and found[0] in heads and alike[tuple(heads[found[0]][0])] > 1
    about.heads = {
        sheet.name[:_SHOWN_CHARS]: [[field[:_HEAD_CHARS] for field in fields[:_HEAD_FIELDS]] for fields in head]
        for sheet, head in islice(heads.items(), _MAX_HEADS)
        if sheet not in found
    }
    return found


def _one(sheets: list[Sheet], visible: list[Sheet], wanted: str) -> Sheet:
    if not wanted and visible:
        return visible[0]
    if wanted:
        named = next((one for one in sheets if one.name.strip().casefold() == wanted.strip().casefold()), None)
        if named is not None:
            return named
        if wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted[:9]) <= len(visible):
            return visible[int(wanted[:9]) - 1]
    missing = f"sheet {wanted[:_SHOWN_CHARS]!r}" if wanted else "visible sheet"
    raise RefusedError(f"has no {missing}. It has: {', '.join(_shown(sheets))}")


def _shown(sheets: list[Sheet]) -> list[str]:
    names = [sheet.name[:_SHOWN_CHARS] + (" (hidden)" if sheet.is_hidden else "") for sheet in sheets]
    more = len(names) - _SHOWN_SHEETS
    return [*names[:_SHOWN_SHEETS], f"{more:,} more"] if more > 0 else names


def _head(book: Workbook, sheet: Sheet) -> list[list[str]]:
    """The first rows of a sheet that are not blank; none if it cannot be read so far."""
    head: list[list[str]] = []
    with suppress(ContradictionError, RefusedError, *BROKEN):
        for rows in islice(book.rows(sheet).pieces(), _HEAD_PIECES):
            head.extend(trimmed(fields) for _, fields in rows if any(fields))
            if len(head) >= _HEAD_ROWS:
                break
    return head[:_HEAD_ROWS]


def trimmed(fields: list[str], width: int = 1) -> list[str]:
    """The fields without the empty ones at the end, as far as there are more than `width`."""
    while len(fields) > width and not fields[-1]:
        fields.pop()
    return fields


def joined(sheets: Iterable[tuple[str, SheetRows]]) -> Iterator[Row]:
    """The rows of several sheets below their common first row, with a last column that names the sheet of each."""
    last = width = 0
    for name, rows in sheets:
        top = None
        begin = last
        for number, fields in rows:
            if not any(fields):
                continue
            if top is None:
                top = number if begin else 0
                if not begin:
                    width = len(trimmed(fields))
                    yield number, [*fields, _free_name(fields)]
                    last = number
                continue
            last = begin + number - top
            fields = trimmed(fields, width)
            yield last, [*fields, *[""] * (width - len(fields)), name]


def _free_name(header: list[str]) -> str:
    name, taken = "sheet", {field.strip().casefold() for field in header}
    while name in taken:
        name += "_"
    return name
