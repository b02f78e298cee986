"""gzip data, zip archives and workbooks, made for the cases."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WHEN = (2026, 1, 1, 0, 0, 0)


def gz(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, _WHEN)
            member.compress_type = method
            archive.writestr(member, content)
    return stream.getvalue()


def said_encrypted(archive: bytes) -> bytes:
    """The archive with the flag of encryption set on its first member."""
    central = archive.index(b"PK\x01\x02")
    changed = bytearray(archive)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def flipped(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 0xFF
    return bytes(changed)


def flipped_in_member(archive: bytes) -> bytes:
    """The archive with its first member damaged in the middle."""
    names, extra = struct.unpack("<HH", archive[26:30])
    start = 30 + names + extra
    return flipped(archive, (start + archive.index(b"PK\x01\x02")) // 2)


def workbook(*sheets: Sequence[Sequence[Any]], hidden: Mapping[int, str] = {}) -> bytes:
    """A workbook with these rows on its sheets, written by openpyxl. `hidden` says how some are, by their place."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for place, rows in enumerate(sheets):
        sheet = book.create_sheet()
        sheet.sheet_state = hidden.get(place, "visible")
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def raw_workbook(
    sheet_data: str,
    *,
    shared: Iterable[str] = (),
    dimension: str = "",
    styles: bool = True,
    formats: Sequence[str] = (),
    prolog: str = "",
    behind: str = "",
    book: str = "",
    state: str = "visible",
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A workbook with one sheet as other programs write it: `sheet_data` is the XML of its rows.

    Cells have the first of the `formats` by s="1". `behind` stands behind the rows, `book` in the part of the workbook.
    """
    size = f'<dimension ref="{dimension}"/>' if dimension else ""
    strings = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
    codes = [(200 + place, escape(code, {'"': "&quot;"})) for place, code in enumerate(formats)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/>'
        + (f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>' if styles else "")
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">{book}<sheets>'
        f'<sheet name="Places" sheetId="1" state="{state}" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'{prolog}<worksheet xmlns="{_MAIN}">{size}'
        f"<sheetData>{sheet_data}</sheetData>{behind}</worksheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
    }
    if styles:
        parts["xl/styles.xml"] = (
            f'<styleSheet xmlns="{_MAIN}"><numFmts>'
            + "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for number, code in codes)
            + "</numFmts><fonts><font/></fonts><fills><fill><patternFill/></fill></fills>"
            "<borders><border/></borders>"
            "<cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/>"
            + "".join(f'<xf numFmtId="{number}"/>' for number, _ in codes)
            + "</cellXfs><cellStyles>"
            '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
        )
    return zipped({name: part.encode() for name, part in parts.items()}, method)


def row(*values: object, number: int | None = None) -> str:
    """A row of a sheet's XML: numbers and texts, without shared strings."""
    cells = "".join(
        f"<c><v>{value}</v></c>"
        if isinstance(value, int | float)
        else f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
        for value in values
    )
    return f'<row r="{number}">{cells}</row>' if number else f"<row>{cells}</row>"


def padded(sheet_data: str | None = None, filler: int = 100_000, **parts: str) -> bytes:
    """A workbook with some of its parts replaced, by their names without folder and ending.

    The filler makes it so large that what is inside may have 300 times as much.
    """
    stream = io.BytesIO()
    plain_rows = row("lat", "lon") + row(51.5, -0.1)
    with (
        zipfile.ZipFile(io.BytesIO(raw_workbook(sheet_data or plain_rows))) as plain,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book,
    ):
        for name in plain.namelist():
            book.writestr(name, parts.get(Path(name).stem, plain.read(name)))
        book.writestr("xl/media/image1.png", os.urandom(filler))
    return stream.getvalue()
