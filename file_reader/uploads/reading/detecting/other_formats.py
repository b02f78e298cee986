"""Files that are no delimited text, known by their first bytes or by how their text begins."""

import codecs
import re

from uploads.reading.errors import UnsupportedFileError

_SAVE_SHEET = "Save the sheet as .xlsx or CSV, and send that."
_SAVE_LAYER = "Save the layer as GeoJSON or CSV, and send that."
_UNPACK = "Unpack it, and send the table itself, or packed with gzip or zip."
_SEND_CSV = "Send it as CSV, in UTF-8 or with its encoding."
#: The first bytes, what such a file is, and the way out.
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", _UNPACK),
    (b"PK\x05\x06", "an empty zip archive", _SEND_CSV),
    (b"%PDF", "a PDF document", _SEND_CSV),
    (b"\x1f\x8b", "gzip data", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", _SAVE_SHEET),
    (b"SQLite format 3\0", "an SQLite database, perhaps a GeoPackage (.gpkg)", _SAVE_LAYER),
    (b"\0\0\x27\x0a", "a part of a shapefile", _SAVE_LAYER),
    (b"PAR1", "a Parquet file", "Save it as CSV or NDJSON, and send that."),
    (b"{\\rtf", "a text document (RTF)", _SEND_CSV),
    (b"\x89PNG", "a picture", _SEND_CSV),
    (b"\xff\xd8\xff", "a picture", _SEND_CSV),
    (b"BZh91AY", "bzip2 data", _UNPACK),
    (b"\xfd7zXZ", "xz data", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "zstd data", _UNPACK),
    (codecs.BOM_UTF32_LE, "text in UTF-32", _SEND_CSV),
    (codecs.BOM_UTF32_BE, "text in UTF-32", _SEND_CSV),
)
#: Where a tar archive says what it is: in the head of its first file.
_TAR = slice(257, 262)
#: The share of NUL characters that there may be in a header.
_MOST_NULS = 0.2
_MARKUP = re.compile(r"\s*<(\?xml\b|!doctype\b|!--|(html|head|body|table|rss|feed|svg|error)\b[^<]*>)", re.IGNORECASE)


def refuse_other_bytes(sample: bytes) -> None:
    """Raises UnsupportedFileError for a file that begins like one of another format."""
    found = next(((what, way) for magic, what, way in _MAGIC if sample.startswith(magic)), None)
    if sample[_TAR] == b"ustar":
        found = "a tar archive", _UNPACK
    if found:
        raise UnsupportedFileError(f"The file is {found[0]}, whatever its name says. {found[1]}")


def refuse_other_text(text: str, first_line: str) -> None:
    """Raises UnsupportedFileError for text that is no table. `first_line` is the first one that is not blank."""
    if _MARKUP.match(text):
        raise UnsupportedFileError("The file is a web page or another kind of XML, no table. Send GPX, KML or CSV.")
    if first_line.count("\0") > _MOST_NULS * len(first_line):
        raise UnsupportedFileError("Much of the first line is NUL bytes: the file is no text, or not in this encoding.")
