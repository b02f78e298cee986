"""Tables that come in something: gzip, zip, a workbook."""

import zipfile
from datetime import date, datetime, time
from typing import Any

from tests.corpus.case import EMPTY, At, Case, Fault, No
from tests.corpus.packing import flipped, flipped_in_member, gz, raw_workbook, row, said_encrypted, workbook, zipped

_TABLE = b"name,lat,lon\nPalace,51.501,-0.142\nCastle,55.953,-3.188\n"
_ROWS = [At(2, 51.501, -0.142), At(3, 55.953, -3.188)]
_HEADER = ["name", "lat", "lon"]
_SHEET: list[list[Any]] = [_HEADER, ["Palace", 51.501, -0.142], ["Castle", 55.953, -3.188]]
_XML = row(*_HEADER) + row("Palace", 51.501, -0.142) + row("Castle", 55.953, -3.188)
_UNREADABLE = Fault("unreadable-archive")
_TOO_LARGE = Fault("upload-too-large")
#: It does not shrink, so that a change in its middle is a change of its content.
_NOISE = b"name,lat,lon\n" + b"".join(
    b"%d,51.%06d,-0.%06d\n" % (n, n * 7919 % 10**6, n * 104729 % 10**6) for n in range(3_000)
)
_LAUGHS = "<!DOCTYPE x [" + "".join(
    f'<!ENTITY {name} "{text * 100}">' for name, text in {"a": "ha", "b": "&a;", "c": "&b;", "d": "&c;"}.items()
) + "]>"  # fmt: skip
_MANY = "".join(row(f"place {n}", 51.5, -0.1) for n in range(20_000))

CASES = [
    # --- gzip
    Case("gzip", gz(_TABLE), _ROWS),
    Case("gzip of UTF-16", gz(b"\xff\xfe" + _TABLE.decode().encode("utf-16-le")), _ROWS),
    Case("gzip in several members", gz(_TABLE[:20]) + gz(b"") + gz(_TABLE[20:]), _ROWS),
    Case("gzip with zeros behind it", gz(_TABLE) + bytes(512), _ROWS),
    Case("gzip of nothing", gz(b""), fault=EMPTY),
    Case("gzip of gzip", gz(gz(_TABLE)), fault=Fault("unreadable-archive", mentions="packed once more")),
    Case("gzip of a PDF", gz(b"%PDF-1.7\n"), fault=Fault("unsupported-file")),
    Case("gzip without its end", gz(_TABLE)[:-1], fault=_UNREADABLE),
    Case("half of gzip", gz(_NOISE)[:9_000], fault=_UNREADABLE),
    Case("the two bytes of gzip", b"\x1f\x8b", fault=_UNREADABLE),
    Case("gzip with a wrong checksum", flipped(gz(_TABLE), -8), fault=_UNREADABLE),
    Case("gzip with a wrong length", flipped(gz(_TABLE), -1), fault=_UNREADABLE),
    Case("gzip damaged in the middle", flipped(gz(_NOISE), 5_000), fault=_UNREADABLE),
    Case("gzip with the second member cut short", gz(_TABLE) + gz(_TABLE)[:15], fault=_UNREADABLE),
    Case("gzip with something else behind it", gz(_TABLE) + b"and more", fault=_UNREADABLE),
    Case("gzip that is a bomb by its ratio", gz(bytes(9 << 20)), fault=_TOO_LARGE),
    Case("gzip that is too large", gz(_NOISE), fault=Fault("upload-too-large", {"max_bytes": 50_000}),
         max_bytes=50_000),
    Case("gzip of a small table of equal rows is no bomb", gz(b"lat,lon\n" + b"51.5,-0.1\n" * 20_000),
         [At(line, 51.5, -0.1) for line in range(2, 20_002)]),
    # --- zip
    Case("zip", zipped({"places.csv": _TABLE}), _ROWS),
    Case("zip, stored", zipped({"places.csv": _TABLE}, zipfile.ZIP_STORED), _ROWS),
    Case("zip by bzip2", zipped({"places.csv": _TABLE}, zipfile.ZIP_BZIP2), fault=_UNREADABLE),
    Case("zip by LZMA", zipped({"places.csv": _TABLE}, zipfile.ZIP_LZMA), fault=_UNREADABLE),
    Case("zip as macOS writes it", zipped({"places.csv": _TABLE, "__MACOSX/._places.csv": b"x", ".DS_Store": b"x"}),
         _ROWS),
    Case("zip with two files", zipped({"a.csv": _TABLE, "b.csv": _TABLE}), fault=Fault("unreadable-archive",
         mentions="2 files")),
    Case("zip with a file in a folder", zipped({"a/b.csv": _TABLE}), fault=Fault("unreadable-archive",
         mentions="folder")),
    Case("zip with a path out of it", zipped({"../../etc/passwd": _TABLE}), fault=_UNREADABLE),
    Case("zip with nothing in it", zipped({}), fault=_UNREADABLE),
    Case("zip with an empty file", zipped({"a.csv": b""}), fault=EMPTY),
    Case("zip with an empty folder", zipped({"a/": b""}), fault=_UNREADABLE),
    Case("zip with a file without a name", zipped({"a.csv": _TABLE}).replace(b"a.csv", b"\0.csv"), _ROWS),
    Case("zip, encrypted", said_encrypted(zipped({"a.csv": _TABLE})), fault=Fault("unreadable-archive",
         mentions="encrypted")),
    Case("zip, cut short", zipped({"a.csv": _NOISE})[:9_000], fault=_UNREADABLE),
    Case("zip, cut in its directory", zipped({"a.csv": _TABLE})[:-10], fault=_UNREADABLE),
    Case("the four bytes of zip", b"PK\x03\x04", fault=_UNREADABLE),
    Case("zip, damaged", flipped_in_member(zipped({"a.csv": _NOISE})), fault=_UNREADABLE),
    Case("zip, stored, damaged", flipped_in_member(zipped({"a.csv": _NOISE}, zipfile.ZIP_STORED)), fault=_UNREADABLE),
    Case("zip by bzip2, damaged", flipped_in_member(zipped({"a.csv": _NOISE}, zipfile.ZIP_BZIP2)), fault=_UNREADABLE),
    Case("zip by LZMA, damaged", flipped_in_member(zipped({"a.csv": _NOISE}, zipfile.ZIP_LZMA)), fault=_UNREADABLE),
    Case("zip that is a bomb by its ratio", zipped({"a.csv": bytes(9 << 20)}), fault=_TOO_LARGE),
    Case("zip that is too large", zipped({"a.csv": _NOISE}), fault=_TOO_LARGE, max_bytes=50_000),
    Case("zip in zip", zipped({"a.zip": zipped({"a.csv": _TABLE})}), fault=_UNREADABLE),
    Case("a spreadsheet of LibreOffice", zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
         "content.xml": b"<x/>"}),
         fault=Fault("unsupported-file", mentions="OpenDocument")),
    Case("a binary workbook", zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.bin": b"x"}),
         fault=Fault("unsupported-file", mentions="binary")),
    # --- workbooks
    Case("a workbook", workbook(_SHEET), _ROWS, dialect={"latitude": "lat", "longitude": "lon", "has_header": True}),
    Case("a workbook of texts", workbook([_HEADER, ["Palace", "51.501", "-0.142"], ["Castle", " 55.953", "-3.188 "]]),
         _ROWS),
    Case("a workbook of texts with decimal commas", workbook([_HEADER, ["Palace", "51,501", "-0,142"], ["Castle",
         "55,953", "-3,188"]]),
         _ROWS, dialect={"decimal": ","}),
    Case("a workbook of whole numbers and long ones", workbook([["lat", "lon"], [51, -1], [51.50100912345678, -1e-05]]),
         [At(2, 51, -1), At(3, 51.50100912345678, -1e-05)]),
    Case("a workbook with dates, times, truths and formulas",
         workbook([["when", "lat", "at", "lon", "open", "sum"], [date(2026, 1, 2), 51.5, time(9, 30), -0.1, True,
         "=1+1"],
                   [datetime(2026, 1, 2, 3, 4), 52.5, None, -1.1, False, None]]), [At(2, 51.5, -0.1), At(3, 52.5,
                   -1.1)]),
    Case("a workbook with delimiters, quotes and line breaks in its cells",
         workbook([["note", "lat", "lon"], ['a,b;c "d"\t|', 51.5, -0.1], ["", 52.5, -1.1]]), [At(2, 51.5, -0.1), At(3,
         52.5, -1.1)]),
    Case("the rows of a workbook are counted as on its sheet",
         workbook([["note", "lat", "lon"], ["two\nlines", 51.5, -0.1], ["x", "y", "z"]]), [At(2, 51.5, -0.1), No(3,
         "not_a_number")],
         wrong="line breaks in its cells are counted"),
    Case("a workbook with empty cells", workbook([_HEADER, ["a", None, None], ["b", 51.5, None], [None, 52.5, -1.1]]),
         [No(2, "coordinates_missing"), No(3, "coordinates_missing"), At(4, 52.5, -1.1)]),
    Case("a workbook with empty rows", workbook([[], _HEADER, [], ["a", 51.5, -0.1], [None, None, None], ["b", 52.5,
         -1.1], []]),
         [At(4, 51.5, -0.1), At(6, 52.5, -1.1)]),
    Case("a workbook with ragged rows", workbook([[*_HEADER, "note"], ["a", 51.5, -0.1], ["b", 52.5, -1.1, "x", None],
         ["c", 53.5, -2.1, "x", "y"],
         ["d"]]), [At(2, 51.5, -0.1), At(3, 52.5, -1.1), No(4, "too_many_fields"), No(5, "coordinates_missing")]),
    Case("a workbook without a header", workbook([["a", 51.501, -0.142], ["b", 55.953, -3.188]]),
         [At(1, 51.501, -0.142), At(2, 55.953, -3.188)], dialect={"has_header": False}),
    Case("a workbook of eastings", workbook([["easting", "northing"], [529057, 179680]]), [At(2, 51.50133, -0.14204,
         within=5)]),
    Case("a workbook with both in one cell", workbook([["name", "place"], ["a", "51.501, -0.142"]]), [At(2, 51.501,
         -0.142)]),
    Case("a workbook with errors in its cells", workbook([_HEADER, ["a", "#N/A", -0.1], ["b", 51.5, "#DIV/0!"]]),
         [No(2, "coordinates_missing"), No(3, "not_a_number")]),
    Case("a workbook of several sheets: the first one", workbook(_SHEET, [["a", "b"], [1, 2]]), _ROWS),
    Case("a workbook whose first sheet has no coordinates", workbook([["a", "b"], [1, "x"]], _SHEET),
         fault=Fault("columns-not-found", {"columns_seen": ["a", "b"]})),
    Case("a workbook with a header only", workbook([_HEADER])),
    Case("a workbook with nothing in it", workbook([]), fault=EMPTY),
    Case("a workbook of 20,000 rows", workbook([_HEADER, *[[f"place {n}", 51.5, -0.1] for n in range(20_000)]]),
         [At(line, 51.5, -0.1) for line in range(2, 20_002)]),
    Case("a workbook of another program", raw_workbook(_XML), _ROWS),
    Case("a workbook of another program, stored", raw_workbook(_XML, method=zipfile.ZIP_STORED), _ROWS),
    Case("a workbook without styles", raw_workbook(_XML, styles=False), _ROWS),
    Case("a workbook with shared texts", raw_workbook(
         '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c><v>51.501</v></c><c><v>-0.142</v></c></row>',
         shared=["lat", "lon"]),
         [At(2, 51.501, -0.142)]),
    Case("a workbook with a text that is not there", raw_workbook('<row><c t="s"><v>7</v></c></row>'),
         fault=Fault("unreadable-file")),
    Case("a workbook with rows left out", raw_workbook(row(*_HEADER, number=1) + row("Palace", 51.501, -0.142,
         number=5)), [At(5, 51.501, -0.142)]),
    Case("a workbook that says it has one cell", raw_workbook(_XML, dimension="A1"), _ROWS),
    Case("a workbook that says it has fewer rows", raw_workbook(_XML, dimension="A1:C2"), _ROWS),
    Case("a workbook that says it has many empty rows and columns", raw_workbook(_XML, dimension="A1:XFD600"), _ROWS),
    Case("a workbook with a row below the last that there can be", raw_workbook(row(*_HEADER, number=1) + row("x", 1,
         2, number=1_100_000)),
         fault=Fault("unreadable-file")),
    Case("a workbook without its sheet", zipped({"xl/workbook.xml": b"<workbook/>",
         "[Content_Types].xml": b"<Types/>"}),
         fault=Fault("unreadable-file")),
    Case("a workbook whose sheet breaks off", raw_workbook(_XML + "<row><c><v>51"), fault=Fault("unreadable-file")),
    Case("a workbook whose sheet breaks off after 20,000 rows: they stay", raw_workbook(row(*_HEADER) + _MANY
         + "<row><c><v>51",
         dimension="A1:C20002"),
         [At(line, 51.5, -0.1) for line in range(2, 20_002)], Fault("unreadable-file", {"line": 20_002})),
    Case("a workbook, damaged", flipped_in_member(raw_workbook(_MANY)), fault=_UNREADABLE),
    Case("a workbook, cut short", workbook(_SHEET)[:-30], fault=_UNREADABLE),
    Case("a workbook, encrypted", said_encrypted(raw_workbook(_XML)), fault=_UNREADABLE),
    Case("a workbook with a bomb in it", raw_workbook(_XML + " " * (9 << 20)), fault=_TOO_LARGE),
    Case("a workbook that grows by its own entities", raw_workbook(row(*_HEADER) + row("&d;", 51.5,
         -0.1).replace("&amp;", "&"), prolog=_LAUGHS),
         fault=Fault("unreadable-file")),
    Case("a workbook in gzip", gz(workbook(_SHEET)), _ROWS),
]  # fmt: skip
