"""Files that are no delimited text, known by their first bytes or by how their text begins."""

import codecs
import re

from uploads.reading.errors import UnsupportedFileError

_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip data"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"BZh91AY", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (codecs.BOM_UTF32_LE, "text in UTF-32"),
    (codecs.BOM_UTF32_BE, "text in UTF-32"),
)
#: Where a tar archive says what it is: in the head of its first file.
_TAR = slice(257, 262)
#: The share of NUL characters that there may be in a header.
_MOST_NULS = 0.2
_JSON = re.compile(r'\s*(\{\s*"|\[\s*[\[{])')
_MARKUP = re.compile(
    r"\s*<(\?xml\b|!doctype\b|!--|(html|head|body|table|kml|gpx|rss|feed|svg|error)\b[^<]*>)", re.IGNORECASE
)


def refuse_other_bytes(sample: bytes) -> None:
    """Raises UnsupportedFileError for a file that begins like one of another format."""
    what = next((what for magic, what in _MAGIC if sample.startswith(magic)), None)
    if sample[_TAR] == b"ustar":
        what = "a tar archive"
    if what:
        raise UnsupportedFileError(
            f"The file is {what}, whatever its name says. Send it as CSV, in UTF-8 or with its encoding."
        )


def refuse_other_text(text: str, first_line: str) -> None:
    """Raises UnsupportedFileError for text that is no table. `first_line` is the first one that is not blank."""
    if _JSON.match(text):
        raise UnsupportedFileError("The file is JSON. Send it as CSV.")
    if _MARKUP.match(text):
        raise UnsupportedFileError("The file is a web page or another kind of XML, not a table. Send it as CSV.")
    if first_line.count("\0") > _MOST_NULS * len(first_line):
        raise UnsupportedFileError("Much of the first line is NUL bytes: the file is no text, or not in this encoding.")
