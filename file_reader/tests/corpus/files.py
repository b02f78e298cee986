"""Files that cannot be read at all, or not to their end."""

import codecs
from collections.abc import Sequence

from tests.corpus.case import EMPTY, At, Case, Fault, No

_MIB = 1 << 20
_ONE = [At(2, 51.5, -0.1)]
_START = "name,lat,lon\nx,51.5,-0.1\n"


def _unclosed(name: str, text: str, line: int, rows: Sequence[At | No], wrong: str = "") -> Case:
    fault = Fault("unreadable-file", {"line": line}, str(line))
    return Case(f"an unclosed quote {name}", text, rows, fault, wrong=wrong)


def _other(name: str, beginning: bytes) -> Case:
    return Case(f"{name} is no table", beginning + b"lat,lon\n51.5,-0.1\n", fault=Fault("unsupported-file"))


CASES = [
    Case("an empty file", b"", fault=EMPTY),
    Case("a line end", b"\n", fault=EMPTY),
    Case("blank lines", b"\r\n  \r\n\t\r\n", fault=EMPTY),
    Case("a mark and nothing else", b"\xef\xbb\xbf", fault=EMPTY),
    Case("a mark of UTF-16 and nothing else", codecs.BOM_UTF16_LE, fault=EMPTY),
    Case("an empty cell in quotes", b'""\r\n', fault=EMPTY),
    # --- quotes
    _unclosed("in the last row", _START + 'y,52.5,"-1.1\n', 3, _ONE),
    _unclosed("in the last cell of the last row, no line end", _START + '"y', 3, _ONE),
    _unclosed("in the middle", _START + '"y,52.5,-1.1\nz,53.5,-2.1\nw,54.5,-3.1\n', 3, _ONE),
    _unclosed("that a later quoted cell seems to close", _START + '"y,52.5,-1.1\nz,53.5,-2.1\n"w",54.5,-3.1\n', 3,
         _ONE),
    _unclosed("that closes a thousand rows later", _START + '"y,52.5,-1.1\n' + "z,53.5,-2.1\n" * 1_000
         + '"w",54.5,-3.1\n',
              3, _ONE),
    _unclosed("that nothing closes for two megabytes", _START + '"y,52.5,-1.1\n' + "z,53.5,-2.1\n" * 180_000, 3, _ONE),
    _unclosed("in the header", 'name,"lat,lon\nx,51.5,-0.1\ny,"52.5",-1.1\n', 1, []),
    _unclosed("in the header, below blank lines", '\n\nname,"lat,lon\nx,51.5,-0.1\n', 3, []),
    Case("a quote that is closed two lines later is a cell", 'name,lat,lon\n"a\nb\nc",51.5,-0.1\n', _ONE),
    # --- sizes
    Case("a cell of 900,000 characters", f"{_START}{'y' * 900_000},52.5,-1.1\n", [*_ONE, At(3, 52.5, -1.1)]),
    Case("a line over 1 MiB", f"{_START}{'y' * _MIB},52.5,-1.1\nz,53.5,-2.1\n", _ONE, Fault("unreadable-file",
         {"line": 3})),
    Case("a line over 1 MiB that never ends", _START + "y" * 2 * _MIB, _ONE, Fault("unreadable-file", {"line": 3})),
    Case("a line of 2 MiB of delimiters", _START + "," * 2 * _MIB, _ONE, Fault("unreadable-file", {"line": 3})),
    Case("a first line over 1 MiB", "name,lat,lon," + "y" * _MIB + "\nx,51.5,-0.1,\n", fault=Fault("unreadable-file")),
    Case("a cell of many lines over 1 MiB", _START + '"' + "y\n" * _MIB + '",52.5,-1.1\n', _ONE,
         Fault("unreadable-file", {"line": 3})),
    Case("a line of a million quotes", _START + '"' * _MIB + "\nz,53.5,-2.1\n", _ONE, Fault("unreadable-file",
         {"line": 3})),
    # --- other formats
    _other("PDF", b"%PDF-1.7\n"),
    _other("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    _other("SQLite", b"SQLite format 3\0"),
    _other("PNG", b"\x89PNG\r\n\x1a\n"),
    _other("JPEG", b"\xff\xd8\xff\xe0"),
    _other("bzip2", b"BZh91AY&SY"),
    _other("xz", b"\xfd7zXZ\0"),
    _other("zstd", b"\x28\xb5\x2f\xfd"),
    _other("Parquet", b"PAR1"),
    _other("7z", b"7z\xbc\xaf\x27\x1c"),
    _other("RAR", b"Rar!\x1a\x07\0"),
    _other("RTF", b"{\\rtf1"),
    Case("UTF-32", "lat,lon\n51.5,-0.1\n".encode("utf-32"), fault=Fault("unsupported-file", mentions="UTF-32")),
    Case("an HTML page", "<!DOCTYPE html>\n<html><head><title>503, later</title></head>\n"
         "<body>Sorry, later.</body></html>\n", fault=Fault("unsupported-file", mentions="web page")),
    Case("an HTML page with a table in it", "\n<html>\n<table>\n<tr><td>lat,lon</td></tr></table></html>\n",
         fault=Fault("unsupported-file", mentions="web page")),
    Case("another kind of XML", '<?xml version="1.0"?>\n<osm><node lat="51.5" lon="-0.1"/></osm>\n',
         fault=Fault("unsupported-file", mentions="XML")),
    Case("a header in angle brackets is no XML", "<name>,<lat>,<lon>\nx,51.5,-0.1\n", _ONE),
    Case("binary data", b"\x03\x7a\x01\x01" + bytes(100), fault=Fault("unsupported-file", mentions="NUL")),
    Case("a tar archive", b"a.csv" + bytes(252) + b"ustar\x0000" + bytes(247) + b"lat,lon\n51.5,-0.1\n",
         fault=Fault("unsupported-file", mentions="tar")),
    Case("a letter", "Dear all,\n\nplease find the places attached.\n\nYours, A.\n", fault=Fault("columns-not-found")),
]  # fmt: skip
