"""What a table comes wrapped in: gzip, a zip archive of one file, an Excel workbook. All are read as streams.

gzip and zip are taken off when a file arrives, for only then is it known that it is whole. A workbook stays as it is
and is read as CSV: its first sheet, in UTF-8, with commas.
"""

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO, cast
from xml.etree.ElementTree import ParseError

from uploads.reading.errors import ContainerError, InflatedError, UnreadableError, UnsupportedFileError
from uploads.reading.lines import MAX_RECORD_CHARS

_PIECE_BYTES = 1 << 18
#: What is inside may be this many times as large as what was sent: tables are up to 30 times as large, bombs 1,000.
MAX_RATIO = 300
#: Below this many bytes, nothing is a bomb.
_HARMLESS_BYTES = 1 << 20
#: Members of gzip data cost more than what is in them: these, and one for so many bytes. Those of bgzip have 10,000.
_MANY_MEMBERS = 1_000
_BYTES_PER_MEMBER = 1_000
#: The last row that there can be in a workbook.
_MAX_SHEET_ROWS = 1 << 20
#: Others are unpacked a whole piece at once, before anybody can see how large it gets.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The texts that a workbook's cells share are in memory while it is read: at most this many bytes of XML.
MAX_SHARED_BYTES = 64 << 20
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK = "xl/workbook.xml"
_SHARED_STRINGS = "xl/sharedStrings.xml"
#: What other documents have in them, which are zip archives too.
_DOCUMENTS = {"content.xml": "an OpenDocument file", "xl/workbook.bin": "a binary Excel workbook",
              "word/document.xml": "a Word document"}  # fmt: skip
#: What a damaged or malicious workbook makes of the library that reads it.
_BROKEN = (zipfile.BadZipFile, zlib.error, ParseError, struct.error, EOFError, KeyError, ValueError, TypeError,
           IndexError, AttributeError, NotImplementedError, RuntimeError, OSError, MemoryError)  # fmt: skip


def unwrapped(stream: BinaryIO, *, max_bytes: int) -> Iterator[bytes] | None:
    """The content of a gzip file or of a zip archive with one file, piece by piece; None for everything else.

    Raises ContainerError when it is damaged, cut short, encrypted or has not exactly one file, and InflatedError when
    it would be larger than `max_bytes` or MAX_RATIO times as large as it is now.
    """
    stream.seek(0)
    head = stream.read(4)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    limit = min(max_bytes, max(_HARMLESS_BYTES, size * MAX_RATIO))
    if head.startswith(_GZIP):
        return _limited(gunzip(iter(lambda: stream.read(_PIECE_BYTES), b"")), limit)
    if is_zip(head):
        archive = _opened(stream)
        if _is_workbook(archive):
            _check_workbook(archive, limit)
            return None
        return _limited(_extract(archive), limit)
    return None


def check_unwrapped(stream: BinaryIO, *, max_bytes: int) -> None:
    """What was inside is a table, or a workbook that is not too large. Raises as `unwrapped` does."""
    if unwrapped(stream, max_bytes=max_bytes) is not None:
        raise ContainerError("What is inside is packed once more. Send the table itself, packed once or not at all.")


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive; a workbook is one too."""
    return head.startswith(_ZIP)


def as_table(stream: BinaryIO) -> BinaryIO:
    """The stream itself, or the first sheet of a workbook as CSV; both from their beginning."""
    head = stream.read(4)
    while len(head) < 4 and (more := stream.read(4 - len(head))):
        head += more
    stream.seek(0)
    return cast(BinaryIO, SheetCsv(_sheet(stream), stream)) if is_zip(head) else stream


def _limited(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise InflatedError("What is inside is too large, or far larger than what was sent.", max_bytes=limit)
        yield piece


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """gzip data, piece by piece, without gzip. Raises ContainerError when it is damaged or cut short."""
    inflate = zlib.decompressobj(wbits=31)
    members_left = _MANY_MEMBERS
    try:
        for compressed in pieces:
            piece = compressed
            members_left += len(compressed) // _BYTES_PER_MEMBER
            while piece:
                if inflate.eof:  # several members are one file, and zeros may follow the last
                    if not piece.strip(b"\0"):
                        break
                    members_left -= 1
                    if members_left < 0:
                        raise ContainerError("The gzip data has very many members, with nearly nothing in each.")
                    inflate = zlib.decompressobj(wbits=31)
                yield inflate.decompress(piece, _PIECE_BYTES)
                piece = inflate.unconsumed_tail or inflate.unused_data
    except zlib.error:
        raise ContainerError("The gzip data is damaged.") from None
    if not inflate.eof:
        raise ContainerError("The gzip data is cut short.")


def _opened(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except _BROKEN:
        raise ContainerError("The zip archive is damaged or cut short.") from None


def _extract(archive: zipfile.ZipFile) -> Iterator[bytes]:
    if what := next((what for name, what in _DOCUMENTS.items() if name in archive.namelist()), None):
        raise UnsupportedFileError(f"The file is {what}. Send it as CSV, or as an Excel workbook (.xlsx).")
    members = [
        member
        for member in archive.infolist()
        if not member.filename.endswith(("/", ".DS_Store")) and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise ContainerError(f"The zip archive has {len(members)} files. Send one table at a time.")
    if "/" in members[0].filename or "\\" in members[0].filename:
        raise ContainerError("The file in the zip archive is in a folder. Put it at the top, or send it as it is.")
    if members[0].flag_bits & 1:
        raise ContainerError("The zip archive is encrypted.")
    _check_method(members[0])
    try:
        with archive.open(members[0]) as member:
            while piece := member.read(_PIECE_BYTES):
                yield piece
    except _BROKEN:
        raise ContainerError("The zip archive is damaged or cut short.") from None


def _check_method(member: zipfile.ZipInfo) -> None:
    if member.compress_type not in _METHODS:
        raise ContainerError("The zip archive is packed in an unusual way. Pack it with deflate, the usual one.")


# --- workbooks -----------------------------------------------------------------------------------------------------
def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return _WORKBOOK in archive.namelist()


def _check_workbook(archive: zipfile.ZipFile, limit: int) -> None:
    """Measures what is inside, as what the archive says of itself may be a lie."""
    for member in archive.infolist():
        _check_method(member)
        at_most = MAX_SHARED_BYTES if member.filename == _SHARED_STRINGS else limit
        size = 0
        try:
            with archive.open(member) as part:
                while piece := part.read(_PIECE_BYTES):
                    size += len(piece)
                    if size > at_most:
                        raise InflatedError("What is inside the workbook is too large.", max_bytes=at_most)
        except _BROKEN:
            raise ContainerError("The workbook is damaged.") from None


class SheetCsv(io.RawIOBase):
    """A sheet as CSV: each of its rows is one record, blank ones too, however many lines its cells have.

    Its reads may be short: nothing is lost that came before an error.
    """

    def __init__(self, pieces: Iterator[bytes], stream: BinaryIO) -> None:
        self._pieces = pieces
        self._stream = stream
        self._left = b""
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        view = memoryview(target)
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        self._position += size
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()

    def tell(self) -> int:
        return self._position


def _sheet(stream: BinaryIO) -> Iterator[bytes]:
    """The first sheet of a workbook as CSV, some rows at a time. Raises UnreadableError with the row at fault."""
    from openpyxl import load_workbook  # only those who send workbooks pay for it

    text = io.StringIO(newline="")
    # Both characters: Python 3.11 quotes a cell with a line break only if that is one of the line end's characters.
    writer = csv.writer(text, lineterminator="\r\n")
    row = 0
    width = 0
    try:
        sheet = load_workbook(stream, read_only=True, data_only=True, keep_links=False).worksheets[0]
        sheet.reset_dimensions()  # what a sheet says of its size may be wrong, and is believed
        for row, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if row > _MAX_SHEET_ROWS:
                raise ValueError
            fields = [_field(cell) for cell in cells]
            while len(fields) > max(width, 1) and not fields[-1]:
                fields.pop()
            if any(fields):
                width = width or len(fields)
                before = text.tell()
                writer.writerow(fields + [""] * (width - len(fields)))
                if text.tell() - before > MAX_RECORD_CHARS:
                    yield text.getvalue()[:before].encode()
                    raise UnreadableError(f"Row {row} is longer than {MAX_RECORD_CHARS:,} characters.", line=row)
            else:
                text.write("\r\n")  # a blank line, as in any table
            if text.tell() > _PIECE_BYTES:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
    except _BROKEN as error:
        yield text.getvalue().encode()
        raise UnreadableError(f"The workbook cannot be read after row {row}.", line=row + 1) from error
    yield text.getvalue().encode()


def _field(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            return repr(cell)
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
