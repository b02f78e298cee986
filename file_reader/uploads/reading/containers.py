"""What a table comes wrapped in: gzip, a zip archive of one file, an Excel workbook. All are read as streams.

gzip and zip are taken off when a file arrives, for only then is it known that it is whole. A workbook stays as it is
and is read as CSV: one sheet, or several as one table, in UTF-8, with commas.
"""

import io
import re
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from uploads.reading.errors import ContainerError, InflatedError, ReadingError, UnreadableError, UnsupportedFileError
from uploads.reading.workbook.about import About
from uploads.reading.workbook.csv_text import PIECE_BYTES, TOO_MUCH
from uploads.reading.workbook.limits import MAX_SHARED_BYTES
from uploads.reading.workbook.package import SHARED_STRINGS

_PIECE_BYTES = 1 << 18
_MEMBER_BYTES = 1 << 14
#: What is inside may be this many times as large as what was sent: tables are up to 30 times as large, bombs 1,000.
MAX_RATIO = 300
#: Below this many bytes, nothing is a bomb.
_HARMLESS_BYTES = 1 << 20
#: Members of gzip data cost more than what is in them: these, and one for so many bytes. Those of bgzip have 10,000.
_MANY_MEMBERS = 1_000
_BYTES_PER_MEMBER = 1_000
#: Others are unpacked a whole piece at once, before anybody can see how large it gets.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The list of what a zip archive has in it. zipfile takes a kilobyte of memory for each entry, of some 50 bytes.
_MAX_DIRECTORY_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK = "xl/workbook.xml"
#: What other documents have in them, which are zip archives too.
_DOCUMENTS = {"content.xml": "an OpenDocument file (.ods)", "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
              "word/document.xml": "a Word document"}  # fmt: skip
#: What programs leave in an archive beside what people put there.
_LEFTOVERS = re.compile(r"(^|/)(__MACOSX/.*|\.DS_Store|Thumbs\.db|desktop\.ini)$", re.IGNORECASE)
#: What is beside a table and is none: read-me files and licences, by name, texts and pictures, by ending.
_BESIDE = re.compile(
    r"(^|/)(read[-_ ]?me|licen[cs]e|copying|notice|changelog)[^/]*$|\.(md|pdf|html?|docx?|rtf|png|jpe?g|gif|svg)$",
    re.IGNORECASE,
)
_SHAPEFILE = re.compile(r"\.(shp|dbf|shx)$", re.IGNORECASE)
#: How many files of an archive an answer names, and how much of each name.
_SHOWN_FILES = 10
_SHOWN_CHARS = 100
#: What a damaged or malicious archive makes of the library that reads it.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, ValueError, TypeError, IndexError,
           AttributeError, NotImplementedError, RuntimeError, OSError, MemoryError)  # fmt: skip
_PROGRAM = "import sys, uploads.reading.workbook.process as program; sys.exit(program.main())"
#: Where a process finds the package `uploads`.
_PACKAGES = Path(__file__).resolve().parents[2]

#: Longer than any line of what is told of a workbook.
_MAX_ABOUT_BYTES = 4 << 20


def unwrapped(stream: BinaryIO, left: list[str], *, max_bytes: int) -> Iterator[bytes] | None:
    """The content of a gzip file or of a zip archive with one table, piece by piece; None for everything else.

    The names of what is beside the table are put into `left`. Raises ContainerError when it is damaged, cut short,
    encrypted or has not exactly one table, and InflatedError when it would be larger than `max_bytes` or MAX_RATIO
    times as large as it is now.
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
        return _limited(_extract(archive, left), limit)
    return None


def check_unwrapped(stream: BinaryIO, *, max_bytes: int) -> None:
    """What was inside is a table, or a workbook that is not too large. Raises as `unwrapped` does."""
    if unwrapped(stream, [], max_bytes=max_bytes) is not None:
        raise ContainerError("What is inside is packed once more. Send the table itself, packed once or not at all.")


def beginning_of(table: BinaryIO, size: int) -> bytes:
    """The first bytes of a table that nobody has read from, at most that many; afterwards nobody has, either."""
    if isinstance(table, SheetCsv):
        return table.peek()[:size]
    beginning = table.read(size)
    table.seek(0)
    return beginning


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive; a workbook is one too."""
    return head.startswith(_ZIP)


def as_table(stream: BinaryIO, sheet: str = "") -> BinaryIO:
    """The stream itself, or a sheet of a workbook as CSV, the first visible one if none is named, all alike for *."""
    head = stream.read(4)
    while len(head) < 4 and (more := stream.read(4 - len(head))):
        head += more
    stream.seek(0)
    if not is_zip(head):
        return stream
    about = About()
    return cast(BinaryIO, SheetCsv(_sheet(stream, sheet, about), stream, about))


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
        for piece in _cut(pieces):
            members_left += len(piece) // _BYTES_PER_MEMBER
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


class _ArchiveFile(io.RawIOBase):
    """A zip archive for zipfile, which reads its whole directory at once: too large a one is refused before."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if 0 <= size <= _MAX_DIRECTORY_BYTES else _MAX_DIRECTORY_BYTES + 1)
        if len(data) > _MAX_DIRECTORY_BYTES:
            raise ContainerError("The zip archive has too many files.")
        return data


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in small pieces: behind each member of gzip data, the rest of its piece is copied."""
    for piece in pieces:
        for start in range(0, len(piece), _MEMBER_BYTES):
            yield piece[start : start + _MEMBER_BYTES]


def _opened(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(cast(BinaryIO, _ArchiveFile(stream)))
    except _BROKEN:
        raise ContainerError("The workbook or zip archive is damaged or cut short.") from None


def _extract(archive: zipfile.ZipFile, left: list[str]) -> Iterator[bytes]:
    member = _table_in(archive, left)
    if member.flag_bits & 1:
        raise ContainerError("The zip archive is encrypted.")
    _check_method(member)
    try:
        with archive.open(member) as content:
            while piece := content.read(_PIECE_BYTES):
                yield piece
    except _BROKEN:
        raise ContainerError("The zip archive is damaged or cut short.") from None


def _table_in(archive: zipfile.ZipFile, left: list[str]) -> zipfile.ZipInfo:
    """The one file that is a table. What is beside it is put into `left`."""
    if what := next((what for name, what in _DOCUMENTS.items() if name in archive.namelist()), None):
        raise UnsupportedFileError(f"The file is {what}. Save the table as .xlsx or CSV, and send that.")
    files = [
        one for one in archive.infolist() if not one.filename.endswith("/") and not _LEFTOVERS.search(one.filename)
    ]
    if any(_SHAPEFILE.search(one.filename) for one in files):
        raise UnsupportedFileError("The zip archive has a shapefile. Save the layer as GeoJSON or CSV, and send that.")
    tables = [one for one in files if not _BESIDE.search(one.filename)] if len(files) > 1 else files
    if len(tables) != 1:
        names = ", ".join(one.filename[:_SHOWN_CHARS] for one in tables[:_SHOWN_FILES])
        raise ContainerError(
            f"The zip archive has {len(tables)} tables{': ' if names else ''}{names}. Send one table at a time."
        )
    left += [one.filename[:_SHOWN_CHARS] for one in files if one is not tables[0]][:_SHOWN_FILES]
    return tables[0]


def _check_method(member: zipfile.ZipInfo) -> None:
    if member.compress_type not in _METHODS:
        raise ContainerError("The zip archive is packed in an unusual way. Pack it with deflate, the usual one.")


# --- workbooks -----------------------------------------------------------------------------------------------------
def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return _WORKBOOK in archive.namelist()


def _check_workbook(archive: zipfile.ZipFile, limit: int) -> None:
    """Measures what is inside, as what the archive says of itself may be a lie: its files may even overlap."""
    size = 0
    for member in archive.infolist():
        _check_method(member)
        at_most = min(limit, size + MAX_SHARED_BYTES) if member.filename == SHARED_STRINGS else limit
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

    def __init__(self, pieces: Generator[bytes, None, None], stream: BinaryIO, about: About) -> None:
        #: What is told of the workbook, once something was read.
        self.about = about
        self._pieces = pieces
        self._stream = stream
        self._left = b""
        self._position = 0

    def readable(self) -> bool:
        return True

    def peek(self) -> bytes:
        """What comes next, without taking it; nothing at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left = piece
        return self._left

    def readinto(self, target: Any) -> int:
        view = memoryview(target)
        self.peek()
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        self._position += size
        return size

    def close(self) -> None:
        self._pieces.close()
        self._stream.close()
        super().close()

    def tell(self) -> int:
        return self._position


def _sheet(stream: BinaryIO, wanted: str, about: About) -> Generator[bytes, None, None]:
    """A sheet of a workbook as CSV, by a process that ends with this generator: see `workbook.process`. What it tells
    of the workbook is put into `about`.

    Raises UnreadableError with the row at fault, or ContainerError when the workbook is beyond a limit: then the rows
    of the last piece are not given out, so that a small workbook is refused as a whole.
    """
    with subprocess.Popen(  # noqa: S603 - our own command; what is wanted is an argument, and no shell reads it
        [sys.executable, "-P", "-s", "-S", "-c", _PROGRAM, wanted],
        stdin=stream,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(_PACKAGES)},  # no secrets
    ) as process:
        try:
            if line := cast(BinaryIO, process.stdout).readline(_MAX_ABOUT_BYTES):
                about.take(line)
            while len(piece := cast(BinaryIO, process.stdout).read(PIECE_BYTES)) == PIECE_BYTES:
                yield piece
            said = cast(BinaryIO, process.stderr).read().decode(errors="replace")
            fault = _fault(process.wait(), said)
            if not isinstance(fault, ContainerError):
                yield piece
            if fault is not None:
                raise fault
        finally:
            process.kill()  # if it is still there, nobody wants the rest


def _fault(status: int, said: str) -> ReadingError | None:
    """Why a process did not read a sheet to its end, if it did not."""
    if status == 0:
        return None
    row, _, detail = said.partition(" ")
    if row.isdecimal():
        return UnreadableError(detail, line=int(row)) if int(row) else ContainerError(detail)
    return ContainerError(TOO_MUCH.format("time" if status == -signal.SIGXCPU else "memory"))
