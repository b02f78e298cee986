"""`result.xlsx`: a workbook (ISO/IEC 29500) of texts and distances, streamed.

Its texts stand in the cells themselves: no cell is a formula, whatever it begins with, and nothing has to be known of
the rows to come.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from uploads.models import Upload
from uploads.results.pieces import Choice
from uploads.results.table import Output, open_table

#: What a sheet may have, and a text in a cell; what is longer is cut.
_MOST_ROWS, _MOST_CHARS = 1_048_576, 32_767
#: A file in a zip archive of the old kind, which every program reads, has less than 2^31 bytes.
_MOST_BYTES = 1_900_000_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PARTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="{_TYPE}package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}officedocument.spreadsheetml.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
#: XML does not take these as they are, and readers take _x0041_ for an A.
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


_SHEET = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>', "</sheetData></worksheet>"


def result_xlsx(upload: Upload, choice: Choice) -> Iterator[bytes]:
    """Yields the workbook. Rows that a sheet has no place for are on further ones. Raises UploadGoneError."""
    out = Output()
    with open_table(upload, choice) as table, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        _write(book, "[Content_Types].xml", _CONTENT_TYPES)
        header = _rows([(name,) for name in table.names], table.names, "")
        parts = (_rows(columns, table.names, table.distance) for columns, answers in table.parts if answers.statuses)
        left, sheets = next(parts, []), 0
        while left or not sheets:
            sheets += 1
            with book.open(_name_of(sheets), "w") as sheet:
                sheet.write("".join([_SHEET[0], *header]).encode())
                room, size = _MOST_ROWS - 1, 0
                while left and room and size < _MOST_BYTES:
                    data = "".join(left[:room]).encode()
                    sheet.write(data)
                    yield out.taken()
                    size += len(data)
                    left, room = left[room:] or next(parts, []), max(0, room - len(left))
                sheet.write(_SHEET[1].encode())
        _write_index(book, sheets)
    yield out.taken()


def _rows(columns: Sequence[Sequence[Any]], names: Sequence[str], numeric: str) -> list[str]:
    """The rows as XML. Cells follow each other; so none has to say where it stands. One column may be numeric."""
    cells = [
        _numbers(column) if name == numeric else _texts(column) for name, column in zip(names, columns, strict=True)
    ]
    return list(map("".join, zip(repeat("<row>"), *cells, repeat("</row>"), strict=False)))


def _numbers(column: Sequence[float | None]) -> list[str]:
    return ["<c/>" if number is None else f"<c><v>{number!r}</v></c>" for number in column]


def _texts(column: Sequence[str | None]) -> list[str]:
    texts = list(filter(None, column))
    if _SPECIAL.search("".join(texts)) or max(map(len, texts), default=0) > _MOST_CHARS:
        column = [text and _SPECIAL.sub(_escaped, text[:_MOST_CHARS]) for text in column]
    return [f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else "<c/>" for text in column]


def _escaped(found: re.Match[str]) -> str:
    return _ENTITIES.get(found[0]) or f"_x{ord(found[0]):04X}_"


def _name_of(sheet: int) -> str:
    return f"xl/worksheets/sheet{sheet}.xml"


def _write(book: zipfile.ZipFile, name: str, text: str) -> None:
    # Not writestr: it writes the time, and a download that goes on must get the same bytes.
    with book.open(name, "w") as part:
        part.write(text.encode())


def _write_index(book: zipfile.ZipFile, sheets: int) -> None:
    """What says that this is a workbook, and which sheets it has."""
    numbers = range(1, sheets + 1)
    names = "".join(f'<sheet name="result {n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    workbook = f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_PARTS}"><sheets>{names}</sheets></workbook>'
    _write(book, "xl/workbook.xml", workbook)
    _write_links(book, "xl/_rels/workbook.xml.rels", [("worksheet", _name_of(n).removeprefix("xl/")) for n in numbers])
    _write_links(book, "_rels/.rels", [("officeDocument", "xl/workbook.xml")])


def _write_links(book: zipfile.ZipFile, name: str, links: Iterable[tuple[str, str]]) -> None:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_PARTS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(links, 1)
    )
    _write(book, name, f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>')
