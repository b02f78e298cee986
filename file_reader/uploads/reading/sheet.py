"""The first sheet of a workbook → CSV: a program that reads a workbook from its standard input.

What a workbook costs to read does not follow from its size: some kilobytes of zipped XML can stand for gigabytes. So a
process of its own reads it, with limits on its memory and on the CPU time between two pieces of output; `containers`
starts it. It writes UTF-8 to its standard output and, when it must give up, the row at fault and the reason to its
standard error. It imports little, as it has to start quickly.

XML is parsed as a stream, and nothing is kept but the texts that cells share and the row that is being read. Limits are
checked after each piece of XML, in which nothing can grow far.
"""

import csv
import io
import json
import posixpath
import re
import resource
import signal
import sys
import time
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import BinaryIO
from xml.parsers import expat

from uploads.reading.errors import ContainerError, ReadingError, UnreadableError
from uploads.reading.lines import MAX_RECORD_CHARS

#: The address space of the process. What it takes itself is a tenth of it; most is for the texts that cells share.
MAX_MEMORY = 144 << 20
#: CPU seconds until the first piece of output, and from one to the next.
MAX_CPU_SECONDS = 4
#: The texts that a workbook's cells share are in memory while it is read: at most this many bytes of XML.
MAX_SHARED_BYTES = 64 << 20
#: How much CSV is written at once, at least. Whoever wants to know what a workbook looks like reads the first piece.
PIECE_BYTES = 1 << 17
#: A sheet may become this many times as large as its workbook, beyond what is never too large: rows are filled up to
#: the width of the first, and a text that cells share is written again for each.
_MAX_CSV_RATIO = 100
_HARMLESS_CSV_BYTES = 16 << 20
_MAX_CSV_BYTES = 4 << 30
#: The last row and the last column that there can be in a workbook.
_MAX_ROWS = 1 << 20
_MAX_COLUMNS = 1 << 14
_XML_BYTES = 1 << 16
#: Bytes of XML for the styles, or for the list of sheets.
_MAX_PART_BYTES = 16 << 20
#: Bytes of XML for one row of the sheet, or for one of the texts that cells share.
_MAX_ROW_BYTES = 8 << 20
#: Bytes of one tag or comment: expat looks at it again from its beginning with each piece.
_MAX_TAG_BYTES = 1 << 20
_MAX_DEPTH = 100
#: Different names of elements and attributes, which the parser remembers. Workbooks have some hundreds.
_MAX_NAMES = 10_000
#: Also said of a process that did not get as far as to say it.
TOO_MUCH = "The workbook takes too much {} to read. Save the sheet as CSV, and send that."
#: What a damaged or malicious workbook raises.
_BROKEN = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError, ValueError, IndexError, OverflowError,
           NotImplementedError, RuntimeError, OSError)  # fmt: skip

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STYLES = "xl/styles.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"


#: Names of sheets that are told: so many, of so many characters. Excel takes names of 31.
_SHOWN_SHEETS = 50
_SHOWN_CHARS = 100


class _RefusedError(Exception):
    """The message ends a sentence that begins with "The workbook"."""


def main() -> int:
    """Writes the sheet, piece by piece. 1 when it cannot be read to its end."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody reads any more
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError):  # macOS knows the limit, and does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    _allow_cpu_time()
    try:
        for piece in sheet_as_csv(sys.stdin.buffer, *sys.argv[1:]):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            _allow_cpu_time()
    except ReadingError as error:
        sys.stderr.write(f"{error.extra.get('line', 0)} {error.detail}")
        return 1
    return 0


def _allow_cpu_time() -> None:
    """From now on. The kernel ends the process when it has used that up."""
    soft = int(time.process_time()) + MAX_CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def sheet_as_csv(workbook: BinaryIO, wanted: str = "") -> Iterator[bytes]:
    """The names of all sheets as a line of JSON, then one sheet as CSV, at least PIECE_BYTES at a time, until its end.

    A blank row is a blank line. `wanted` is the sheet's name, or its number from 1; empty for the first.

    Raises UnreadableError with the row at fault, before which all rows have come; or ContainerError when the workbook
    is beyond a limit.
    """
    text = io.StringIO(newline="")
    # Both characters: Python 3.11 quotes a cell with a line break only if that is one of the line end's characters.
    writer = csv.writer(text, lineterminator="\r\n")
    limit = min(_MAX_CSV_BYTES, max(_HARMLESS_CSV_BYTES, workbook.seek(0, io.SEEK_END) * _MAX_CSV_RATIO))
    written = 0
    row = 0
    width = 0
    fault: ReadingError | None = None
    try:
        names, rows = _rows(workbook, wanted)
        yield json.dumps(names).encode() + b"\n"
        for number, fields in rows:
            while row < number - 1:  # rows that are left out
                blank = min(number - 1 - row, PIECE_BYTES // 2)
                text.write("\r\n" * blank)
                row += blank
                if text.tell() >= PIECE_BYTES:
                    yield _taken(text)
            row = number
            while len(fields) > max(width, 1) and not fields[-1]:
                fields.pop()
            if any(fields):
                width = width or len(fields)
                before = text.tell()
                writer.writerow(fields + [""] * (width - len(fields)))
                if text.tell() - before > MAX_RECORD_CHARS:
                    text.truncate(before)
                    fault = UnreadableError(f"Row {row} is longer than {MAX_RECORD_CHARS:,} characters.", line=row)
                    break
            else:
                text.write("\r\n")
            if text.tell() >= PIECE_BYTES:
                written += text.tell()
                yield _taken(text)
                if written > limit:
                    raise _RefusedError(f"is far larger as CSV than as it was sent: {written:,} bytes by row {row}")
    # The rows before the fault are given out below, when the memory of what failed is free again.
    except _RefusedError as error:
        fault = ContainerError(f"The workbook {error}.")
    except MemoryError:
        fault = ContainerError(TOO_MUCH.format("memory"))
    except _BROKEN:
        fault = UnreadableError(f"The workbook cannot be read after row {row}.", line=row + 1)
    yield _taken(text)
    if fault is not None:
        raise fault


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


# --- the parts of a workbook ---------------------------------------------------------------------------------------
class _Part:
    """One XML file of the archive. Who reads it sets the handlers of its `parser`, and how to tell its `depth`.

    `begun` is where the row or the text that is being read begins, in bytes of XML.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str, *, max_bytes: int | None = _MAX_PART_BYTES) -> None:
        self._stream = archive.open(name)
        self._name = posixpath.basename(name)
        self._max_bytes = max_bytes
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.depth: Callable[[], int] = int
        self.begun = 0
        self._parsed = 0
        self._open = True

    def parse_piece(self) -> bool:
        """Parses some more; False when there was nothing left. Raises _RefusedError beyond the limits."""
        if not self._open:
            return False
        piece = self._stream.read(_XML_BYTES)
        self.parser.Parse(piece, not piece)
        self._parsed += len(piece)
        self._open = bool(piece)
        if self._max_bytes is not None and self._parsed > self._max_bytes:
            raise _RefusedError(f"has more than {self._max_bytes:,} bytes in its part {self._name}")
        if self.depth() > _MAX_DEPTH:
            raise _RefusedError(f"has more than {_MAX_DEPTH} elements inside each other in its part {self._name}")
        if len(self.parser.intern) > _MAX_NAMES:
            raise _RefusedError(f"has more than {_MAX_NAMES:,} names of elements in its part {self._name}")
        if self._parsed - self.parser.CurrentByteIndex > _MAX_TAG_BYTES:
            raise _RefusedError(f"has a tag of more than {_MAX_TAG_BYTES:,} bytes in its part {self._name}")
        if self._parsed - self.begun > _MAX_ROW_BYTES:
            raise _RefusedError(f"has more than {_MAX_ROW_BYTES:,} bytes for one cell or row in its part {self._name}")
        return self._open

    def elements(self, handle: Callable[[int, str, dict[str, str]], None]) -> None:
        """Parses the whole part, and tells the depth (from 1), the name and the attributes of each element."""
        local = _LocalNames()
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            handle(depth, local[name], attributes)

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1

        self.depth = lambda: depth
        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        while self.parse_piece():
            self.begun = self._parsed


class _LocalNames(dict[str, str]):
    """Names without their prefixes: `x:row` is a row. Which prefix stands for which namespace, workbooks choose."""

    def __missing__(self, name: str) -> str:
        self[name] = local = name.rpartition(":")[2]
        return local


def _refuse_doctype(*_: object) -> None:
    raise _RefusedError("declares a document type or entities, which no spreadsheet program does")


def _rows(stream: BinaryIO, wanted: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the sheets, and the number and the fields of each row that the one has, in ascending order."""
    archive = zipfile.ZipFile(stream)
    sheets, shared, epoch = _contents(archive)
    shown = [name[:_SHOWN_CHARS] for name, _ in sheets[:_SHOWN_SHEETS]]
    sheet = _chosen(sheets, wanted)
    if sheet is None:
        raise _RefusedError(f"has no sheet {wanted[:_SHOWN_CHARS]!r}. It has: {', '.join(shown)}")
    names = archive.namelist()
    texts = _SharedTexts(_Part(archive, shared, max_bytes=MAX_SHARED_BYTES) if shared in names else None)
    dates = _date_styles(_Part(archive, _STYLES)) if _STYLES in names else {}
    return shown, _sheet_rows(_Part(archive, sheet, max_bytes=None), texts, dates, epoch)


def _chosen(sheets: list[tuple[str, str]], wanted: str) -> str | None:
    """The part of the sheet with that name, or that number from 1; of the first one, if none is wanted."""
    if not wanted:
        return sheets[0][1]
    named = next((part for name, part in sheets if name.strip().casefold() == wanted.strip().casefold()), None)
    if named is None and wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted[:9]) <= len(sheets):
        return sheets[int(wanted[:9]) - 1][1]
    return named


def _contents(archive: zipfile.ZipFile) -> tuple[list[tuple[str, str]], str, datetime]:
    """The sheets, each with its name and its part, the part of the shared texts, and the day from which dates count."""
    kinds: dict[str, str] = {}
    targets: dict[str, str] = {}
    sheets: list[tuple[str, str]] = []
    epoch = _EPOCH

    def relation(_: int, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes["Target"]
            path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
            targets[attributes["Id"]] = path
            kinds[attributes["Id"]] = attributes["Type"].rpartition("/")[2]

    def entry(depth: int, name: str, attributes: dict[str, str]) -> None:
        nonlocal epoch
        if depth == 3 and name == "sheet":
            name_of = attributes.get("name", "")
            sheets.extend((name_of, value) for key, value in attributes.items() if key.endswith(":id") and value)
        elif depth == 2 and name == "workbookPr" and attributes.get("date1904", "0") not in ("0", "f", "false"):
            epoch = _EPOCH_OF_1904

    _Part(archive, _RELATIONS).elements(relation)
    _Part(archive, _WORKBOOK).elements(entry)
    there = set(archive.namelist())
    found = [(name, targets[key]) for name, key in sheets if kinds[key] != "chartsheet" and targets[key] in there]
    if not found:
        raise _RefusedError("has no sheet")
    shared = next((targets[key] for key, kind in kinds.items() if kind == "sharedStrings"), SHARED_STRINGS)
    return found, shared, epoch


class _SharedTexts:
    """The texts that cells share, read as far as they are asked for."""

    def __init__(self, part: _Part | None) -> None:
        self._part = part
        self._bytes = bytearray()
        self._ends = array("I", [0])
        if part is not None:
            self._set_handlers(part)

    def __getitem__(self, number: int) -> str:
        while number >= len(self._ends) - 1 and self._part is not None and self._part.parse_piece():
            pass
        if number < 0:
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()

    def _set_handlers(self, part: _Part) -> None:
        local = _LocalNames()
        chars: list[str] = []
        texts: list[str] = []
        depth = 0
        phonetic = False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal depth, phonetic
            depth += 1
            chars.clear()
            if depth == 3:
                phonetic = local[name] == "rPh"

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            if depth == 1:
                text = "".join(texts)
                texts.clear()
                # What is written _x005F_ stands for an underscore.
                self._bytes += (text.replace("x005F_", "") if "x005F_" in text else text).encode()
                self._ends.append(len(self._bytes))
                part.begun = part.parser.CurrentByteIndex
            elif local[name] == "t" and not phonetic:
                texts.append("".join(chars))
                chars.clear()

        part.depth = lambda: depth
        part.parser.StartElementHandler = start
        part.parser.EndElementHandler = end
        part.parser.CharacterDataHandler = chars.append


def _sheet_rows(
    part: _Part, shared: _SharedTexts, dates: dict[str, bool], epoch: datetime
) -> Iterator[tuple[int, list[str]]]:
    local = _LocalNames()
    columns = _Columns()
    rows: list[tuple[int, list[str]]] = []
    fields: list[str] = []
    chars: list[str] = []
    texts: list[str] = []
    attributes_of_cell: dict[str, str] = {}
    depth = number = column = 0
    last = 0  # the highest number of a row so far
    in_data = is_over = in_cell = phonetic = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal attributes_of_cell, column, depth, fields, in_cell, in_data, number, phonetic
        depth += 1
        chars.clear()
        if not in_data:
            in_data = depth == 2 and local[name] == "sheetData"
        elif depth == 4:
            in_cell = local[name] == "c"
            if in_cell:
                attributes_of_cell = attributes
                place = attributes.get("r")
                column = column + 1 if place is None else columns[place.rstrip("0123456789")]
                if column > _MAX_COLUMNS:
                    raise _RefusedError(f"has more than {_MAX_COLUMNS:,} columns in row {number}")
                if column > len(fields):
                    fields.extend([""] * (column - len(fields)))
        elif depth == 3:
            given = attributes.get("r")
            number = number + 1 if given is None else _row_number(given)
            fields = []
            column = 0
        elif depth == 6:
            phonetic = local[name] == "rPh"

    def end(name: str) -> None:
        nonlocal depth, in_data, is_over, last
        depth -= 1
        if not in_data:
            return
        if depth == 4:
            if in_cell and local[name] == "v" and chars:
                kind = attributes_of_cell.get("t", "n")
                value = "".join(chars)
                if kind == "n":
                    style = attributes_of_cell.get("s", "0")
                    if style in dates:
                        fields[column - 1] = _date(_number(value), epoch, is_duration=dates[style])
                    else:
                        fields[column - 1] = repr(_number(value))
                elif kind == "s":
                    fields[column - 1] = shared[int(value)]
                elif kind != "inlineStr":
                    fields[column - 1] = _OTHER_KINDS.get(kind, str)(value)
        elif depth > 4:
            if local[name] == "t" and not phonetic:
                texts.append("".join(chars))
                chars.clear()
        elif depth == 3:
            if texts:
                if in_cell and attributes_of_cell.get("t") == "inlineStr":
                    fields[column - 1] = "".join(texts)
                texts.clear()
        elif depth == 2:
            if number > _MAX_ROWS:
                raise _RefusedError(f"has a row {number:,}; sheets end at row {_MAX_ROWS:,}")
            if number > last and local[name] == "row":
                last = number
                rows.append((number, fields))
            part.begun = part.parser.CurrentByteIndex
        else:
            in_data = False
            is_over = True

    part.depth = lambda: depth
    part.parser.StartElementHandler = start
    part.parser.EndElementHandler = end
    part.parser.CharacterDataHandler = chars.append
    going_on = True
    while going_on and not is_over:
        error: Exception | None = None
        try:
            going_on = part.parse_piece()
        except (_RefusedError, MemoryError, *_BROKEN) as caught:
            error = caught
        yield from rows  # those before an error count
        rows.clear()
        if error is not None:
            raise error


class _Columns(dict[str, int]):
    """The number of a column (from 1) by its letters."""

    def __missing__(self, letters: str) -> int:
        if not re.fullmatch("[A-Za-z]{1,3}", letters):
            raise ValueError(letters)
        number = 0
        for letter in letters.upper():
            number = number * 26 + ord(letter) - ord("A") + 1
        self[letters] = number
        return number


def _row_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = float(text)  # some programs write 1.0
        if not number.is_integer():
            raise
        return int(number)


# --- what a cell says ----------------------------------------------------------------------------------------------
def _number(text: str) -> int | float:
    return float(text) if "." in text or "E" in text or "e" in text else int(text)


def _truth(text: str) -> str:
    return "TRUE" if int(text) else "FALSE"


_ISO_DATE = re.compile(
    r"((?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2}))?T?"
    r"((?P<hour>\d{2}):(?P<minute>\d{2})(:(?P<second>\d{2})(?P<fraction>\.\d{1,3})?)?)?Z?",
    re.ASCII,
)
_ISO_DURATION = re.compile(r"PT((?P<hours>\d+)H)?((?P<minutes>\d+)M)?((?P<seconds>\d+(\.\d{1,3})?)S)?", re.ASCII)


def _iso_date(text: str) -> str:
    """A date, a time, both or a duration, as ISO 8601 writes them, the way that other dates are written here."""
    match = _ISO_DATE.match(text)
    if match and any(match.groups()):
        found = match.groupdict()
        hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
        clock = time_of_day(hour, minute, second, int(float(found["fraction"] or 0) * 1_000_000))
        if found["year"] is None:
            return clock.isoformat()
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
        return day.isoformat() if found["hour"] is None else datetime.combine(day, clock).isoformat()
    match = _ISO_DURATION.match(text)
    if match and any(match.groups()):
        return str(timedelta(**{name: float(value) for name, value in match.groupdict().items() if value}))
    raise ValueError(text)


_OTHER_KINDS: dict[str, Callable[[str], str]] = {"b": _truth, "d": _iso_date}

# --- dates -----------------------------------------------------------------------------------------------------------
_EPOCH = datetime(1899, 12, 30)
_EPOCH_OF_1904 = datetime(1904, 1, 1)
_DAY_SECONDS = 86_400
#: Of the formats that every spreadsheet program has, those of dates and times, and that of durations among them.
_DATE_FORMATS = {str(number): number == 46 for number in (*range(14, 23), 45, 46, 47)}
_LITERALS = re.compile(r'".*?"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]')
_DATE_LETTERS = re.compile(r"(?<![_\\])[dmhysDMHYS]")
_DURATION = re.compile(r"\[hh?\]|\[mm?\]|\[ss?\]", re.IGNORECASE)
#: Longer and more ones Excel does not take: 255 characters, some hundreds of formats, 65,490 styles.
_MAX_FORMAT_CHARS = 255
_MAX_FORMATS = 10_000
_MAX_STYLES = 100_000


def _date_styles(part: _Part) -> dict[str, bool]:
    """The styles of cells whose numbers are dates, by their number; whether they are durations."""
    formats: dict[str, str] = {}
    styles: list[str] = []
    section = ""

    def element(depth: int, name: str, attributes: dict[str, str]) -> None:
        nonlocal section
        if depth == 2:
            section = name
        elif depth == 3 and section == "numFmts":
            formats[attributes["numFmtId"]] = attributes.get("formatCode", "")[:_MAX_FORMAT_CHARS]
        elif depth == 3 and section == "cellXfs":
            styles.append(attributes.get("numFmtId", "0"))
        if len(formats) > _MAX_FORMATS or len(styles) > _MAX_STYLES:
            raise _RefusedError(f"has more than {_MAX_FORMATS:,} formats, or {_MAX_STYLES:,} styles")

    part.elements(element)
    dates = _DATE_FORMATS.copy()
    for key, code in formats.items():
        dates.pop(key, None)
        shown = code.split(";")[0]  # that of positive numbers
        if _DATE_LETTERS.search(_LITERALS.sub("", shown)):
            dates[key] = bool(_DURATION.search(shown))
    return {str(number): dates[key] for number, key in enumerate(styles) if key in dates}


def _date(days: float, epoch: datetime, *, is_duration: bool) -> str:
    """What a number says in a cell of dates: a day and a time, a time alone below one day, or a duration."""
    try:
        if is_duration:
            duration = timedelta(days=days)
            if duration.microseconds:  # to milliseconds
                duration = timedelta(
                    seconds=duration.total_seconds() // 1, microseconds=round(duration.microseconds, -3)
                )
            return str(duration)
        day, fraction = divmod(days, 1)
        clock = timedelta(milliseconds=round(fraction * _DAY_SECONDS * 1_000))
        if 0 <= days < 1 and not clock.days:
            return (datetime.min + clock).time().isoformat()
        if 0 < days < 60 and epoch == _EPOCH:  # there, 1900 has a 29th of February
            day += 1
        return (epoch + timedelta(days=day) + clock).isoformat()
    except (OverflowError, ValueError):
        return "#VALUE!"
