"""Containers and workbooks."""

import zipfile
from typing import Any

from tests.corpus.case import At, No
from tests.corpus.packing import gz, padded, raw_workbook, row, said_encrypted, workbook, zipped
from tests.documented.example import Example, Examples

_TABLE = b"name,lat,lon\nPalace,51.501,-0.142\nCastle,55.953,-3.188\n"
_ROWS = [At(2, 51.501, -0.142), At(3, 55.953, -3.188)]
_HEADER = ["name", "lat", "lon"]
_SHEET: list[list[Any]] = [_HEADER, ["Palace", 51.501, -0.142], ["Castle", 55.953, -3.188]]
_OTHER: list[list[Any]] = [["month", "sum"], ["May", 7]]
_XML = row(*_HEADER) + row("Palace", 51.501, -0.142) + row("Castle", 55.953, -3.188)
_MANY = 3 << 20


def _cell(value: str, code: str, **more: str) -> bytes:
    """A workbook whose second row has a number in a format behind the coordinates."""
    xml = row("lat", "lon", "x") + f'<row><c><v>51.501</v></c><c><v>-0.142</v></c><c s="1"><v>{value}</v></c></row>'
    return raw_workbook(xml, formats=[code], **more)


def _shown(value: str, code: str, text: str, **more: str) -> Example:
    return Example(_cell(value, code, **more), _ROWS[:1], table=f"-0.142,{text}\n")


_CONTAINERS: Examples = {
    "a text file": [Example(_TABLE, _ROWS)],
    "gzip": [Example(gz(_TABLE), _ROWS)],
    "zip": [
        Example(zipped({"places.csv": _TABLE}, zipfile.ZIP_STORED), _ROWS),
        Example(zipped({"a/b.csv": _TABLE}), _ROWS, dialect={"left": []}),
        Example(
            zipped({"readme.txt": b"x", "LICENSE": b"x", "map.png": b"x", "a.pdf": b"x", "a.csv": _TABLE}),
            _ROWS,
            dialect={"left": ["readme.txt", "LICENSE", "map.png", "a.pdf"]},
        ),
    ],
    "Excel workbook (`.xlsx`), also in a zip or gzip": [
        Example(data, _ROWS, dialect={"format": "xlsx"})
        for book in [workbook(_SHEET)]
        for data in (book, gz(book), zipped({"a.xlsx": book}))
    ],
    "GeoJSON, other JSON, GPX, KML, KMZ": [
        Example('[{"lat":51.501,"lon":-0.142}]', _ROWS[:1], dialect={"format": "json"}),
        Example('<gpx><wpt lat="51.501" lon="-0.142"/></gpx>', _ROWS[:1], dialect={"format": "gpx"}),
        *(
            Example(data, _ROWS[:1], dialect={"format": "kml"})
            for kml in [b"<kml><Placemark><Point><coordinates>-0.142,51.501</coordinates></Point></Placemark></kml>"]
            for data in (kml, zipped({"doc.kml": kml}))
        ),
    ],
    # --- what is refused
    "`.xls`": [Example(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")],
    "`.ods`, `.xlsb`": [Example(zipped({"content.xml": b"x"})), Example(zipped({"xl/workbook.bin": b"x"}))],
    "shapefiles (also zipped), GeoPackage": [
        Example(b"\0\0\x27\x0a" + bytes(96)),
        Example(zipped({"a.shp": b"x", "a.dbf": b"x"})),
        Example(b"SQLite format 3\0"),
    ],
    "Parquet": [Example(b"PAR1\0\0")],
    "bzip2, xz, zstd, 7z, RAR, tar": [
        *(
            Example(head + _TABLE)
            for head in (b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\0")
        ),
        Example(b"a.csv" + bytes(252) + b"ustar\x0000" + bytes(247) + _TABLE),
    ],
    "PDF, pictures, RTF, UTF-32": [
        *(Example(head + _TABLE) for head in (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"{\\rtf1")),
        Example(_TABLE.decode().encode("utf-32")),
    ],
    "web pages, other XML": [
        Example("<!DOCTYPE html>\n<html><body>Later.</body></html>"),
        Example('<?xml version="1.0"?>\n<osm><node lat="51.5" lon="-0.1"/></osm>\n'),
    ],
    "TopoJSON, a GeoJSON geometry without a Feature": [
        Example('{"type":"Topology","objects":{},"arcs":[]}'),
        Example('{"type":"Point","coordinates":[-0.142,51.501]}'),
    ],
    "one JSON object with lists in it": [Example('{"count":1,"results":[{"lat":51.5,"lon":-0.1}]}')],
    "bytes that are no text": [Example(b"\x03\x7a\x01\x01" + bytes(100))],
    "nothing, or nothing in the container": [Example(b""), Example(b"\n \n"), Example(gz(b""))],
    "two tables in a zip": [Example(zipped({"a.csv": _TABLE, "b.csv": _TABLE}))],
    "damaged or cut short": [
        Example(gz(_TABLE)[:-1]),
        Example(gz(_TABLE) + b"and more"),
        Example(zipped({"a.csv": _TABLE})[:-10]),
        Example(workbook(_SHEET)[:-30]),
    ],
    "an encrypted zip": [Example(said_encrypted(zipped({"a.csv": _TABLE})))],
    "a zip packed with anything but deflate": [
        Example(zipped({"a.csv": _TABLE}, method)) for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ],
    "packed twice": [Example(gz(gz(_TABLE))), Example(zipped({"a.zip": zipped({"a.csv": _TABLE})}))],
    "unpacked larger than `MAX_UPLOAD_BYTES`; above 1 MiB, than 300 times what was sent": [
        Example(gz(_TABLE), max_bytes=20),
        Example(lambda: gz(b"x" * (2 << 20))),
    ],
}
_WORKBOOKS: Examples = {
    "several sheets": [
        Example(
            workbook(_OTHER, _SHEET, _OTHER, hidden={0: "hidden"}),
            _ROWS,
            dialect={"sheets_left": ["Sheet (hidden)", "Sheet2"]},
        )
    ],
    "several sheets with the same first row": [
        Example(
            workbook(_OTHER, _SHEET, _SHEET[:2]),
            [*_ROWS, At(4, 51.501, -0.142)],
            {"sheet": "*"},
            {"sheets_left": ["Sheet"]},
            "name,lat,lon,sheet\nPalace,51.501,-0.142,Sheet1\n",
        )
    ],
    "a cover without coordinates": [Example(workbook([["Sites"]], _SHEET))],
    "hidden sheets": [
        Example(workbook(_OTHER, _SHEET, hidden={1: "hidden"}), _ROWS, {"sheet": "Sheet1"}),
        Example(workbook(_OTHER, _SHEET, hidden={0: "hidden"}), _ROWS, {"sheet": "1"}),
    ],
    "a sheet that is not there": [Example(workbook(_SHEET), declared={"sheet": "March"})],
    "rows that are hidden or filtered out, hidden columns": [
        Example(
            raw_workbook(
                _XML.replace("<row>", '<row hidden="1">', 2),
                behind='<autoFilter ref="A1:C3"><filterColumn colId="0" hiddenButton="1"/></autoFilter>',
            ),
            _ROWS,
        )
    ],
    "cells merged over several rows": [
        Example(
            raw_workbook(
                row("lat", "lon") + row(51.501, -0.142) + row("", -0.142),
                behind='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
            ),
            [_ROWS[0], No(3, "coordinates_missing")],
        )
    ],
    "coordinates that are formulas": [
        Example(raw_workbook(row("lat", "lon") + "<row><c><f>1</f><v>51.501</v></c><c><v>-0.142</v></c></row>"),
                _ROWS[:1]),
        Example(raw_workbook(row("lat", "lon") + "<row><c><f>1</f><v>0</v></c><c><v>-0.142</v></c></row>")),
    ],
    "numbers": [_shown("0.30000000000000004", "0.0", "0.3"), _shown("0.5", "0%", "0.5")],
    'numbers with a letter in their format (`0.00"°W"`)': [_shown("0.14", '0.00"°W"', "0.14W")],
    "dates, times": [
        _shown("45293", "dd/mm/yyyy", "2024-01-02T00:00:00"),
        _shown("43831", "yyyy", "2024-01-02T00:00:00", book='<workbookPr date1904="1"/>'),
        _shown("0.4", "h:mm", "09:36:00"),
    ],
    "durations (`[h]:mm:ss`)": [
        _shown("1.1041666666666667", "[h]:mm:ss", "26:30:00"),
        Example(
            raw_workbook(
                row("lat", "lon") + '<row><c s="1"><v>2.145868055555555</v></c><c><v>-0.142</v></c></row>',
                formats=["[h]:mm:ss"],
            ),
            [At(2, 51.500833, -0.142, 1)],
            table="51:30:03",
        ),
    ],
    "`_x000D_` and its like": [
        Example(raw_workbook(row("lat", "lon", "x") + row(51.501, -0.142, "a_x0009_b")), _ROWS[:1], table="a\tb")
    ],
    "a row that stands behind a higher one": [Example(raw_workbook(_XML + row("Tower", 51.5, -0.1, number=3)), _ROWS)],
    "a cell that is there twice": [
        Example(raw_workbook(_XML + '<row><c r="B4"><v>51.5</v></c><c r="B4"><v>52.5</v></c></row>'), _ROWS)
    ],
    # --- limits
    "1,048,576 rows, also by their numbers": [Example(raw_workbook(row("lat", "lon") + row(1, 2, number=1_048_577)))],
    "16,384 columns": [Example(raw_workbook(row("lat", "lon") + '<row><c r="XFE2"><v>1</v></c></row>'))],
    "8 MiB of XML for one row, or for one text that cells share": [
        Example(lambda: padded(row("lat", "lon") + row("x" * 3 * _MANY))),
        Example(lambda: padded(row("lat", "lon") + '<row><c t="s"><v>0</v></c></row>',
                               sharedStrings=f"<sst><si><t>{'x' * 3 * _MANY}</t></si></sst>")),
    ],
    "64 MiB of XML for all texts that cells share (413)": [
        Example(lambda: padded(filler=300_000, sharedStrings="<sst>" + " " * (64 << 20) + "</sst>"))
    ],
    "16 MiB of XML for the styles, or for the list of sheets": [
        Example(lambda: padded(styles="<styleSheet>" + " " * 6 * _MANY + "</styleSheet>")),
        Example(lambda: padded(workbook="<workbook>" + " " * 6 * _MANY + "</workbook>")),
    ],
    "10,000 number formats, 100,000 styles": [
        Example(lambda: padded(
            styles=f"<styleSheet><cellXfs>{'<xf/>' * 100_001}</cellXfs></styleSheet>")),
        Example(lambda: padded(styles="<styleSheet><numFmts>" + "".join(
            f'<numFmt numFmtId="{200 + number}" formatCode="0"/>' for number in range(10_001))
            + "</numFmts></styleSheet>")),
    ],
    "some 100 elements inside each other": [Example(lambda: padded(row("lat", "lon") + "<row><c>" + "<x>" * 100_000))],
    "some 10,000 different names of elements": [
        Example(lambda: padded(row("lat", "lon") + "".join(f"<row><x{n:x}/></row>" for n in range(50_000))))
    ],
    "1 MiB for one tag or comment": [
        Example(lambda: padded(row("lat", "lon") + '<row x="' + "x" * 5_000_000 + '"/>'))
    ],
    "CSV 100 times as large as the workbook, above 16 MiB; 4 GiB": [
        Example(lambda: padded(row("lat", "lon", "note") + ("<row><c><v>51.501</v></c><c><v>-0.1419</v></c>"
                               '<c t="s"><v>0</v></c></row>') * 1_000, filler=1,
                               sharedStrings=f"<sst><si><t>{'x' * 30_000}</t></si></sst>"))
    ],
    "document types and entities: none": [Example(raw_workbook(_XML, prolog="<!DOCTYPE x>"))],
    "1 MiB for the directory of a zip archive: some 10,000 files": [
        Example(lambda: zipped({f"{'x' * 60}{number}": b"" for number in range(11_000)}))
    ],
}  # fmt: skip
EXAMPLES = {"Containers": _CONTAINERS, "Workbooks": _WORKBOOKS}
