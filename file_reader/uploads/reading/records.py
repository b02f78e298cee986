"""Lines to records and rows: a generator over a binary stream. Nothing here knows of Django or of a database."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import tee
from math import isnan, nan
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from uploads.reading.apart import any_second_is_apart, second_is_apart
from uploads.reading.containers import SheetCsv
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.detecting.doubts.grid import says_irish
from uploads.reading.detecting.doubts.sides import contradicts, says_other_side, says_side, says_yes
from uploads.reading.detecting.headers import may_name, name_both, name_in_order, names_of, normal
from uploads.reading.errors import UnreadableError
from uploads.reading.fields import QUOTING, has_rows, is_blank, quotes_close, says_west, swallowed, unclosed_quote
from uploads.reading.lines import MAX_RECORD_CHARS, has_lone_cr, line_blocks, without_lone_cr
from uploads.reading.notations import MAX_CHARS, UK_LATITUDE, Located, Notation, as_number, has_letter
from uploads.reading.own_postcodes import Own, may_be_kept, outcodes

if TYPE_CHECKING:
    import _csv

csv.field_size_limit(MAX_RECORD_CHARS)
#: Where lines have fewer characters than this on average, many are blank: two coordinates have more.
_CHARS_OF_A_LINE = 4
#: What stands before the means of columns, in the first one.
_MEAN = frozenset(
    written(word) + colon
    for word in (
        "average",
        "averages",
        "avg",
        "mean",
        "means",
        "median",
        "subtotal",
        "centroid",
        "moyenne",
        "mittelwert",
        "durchschnitt",
    )
    for written in (str.lower, str.upper, str.capitalize)
    for colon in ("", ":")
)
#: The most records of a part in which cells are looked at that are no coordinates.
_LOOKED_AT = 20


class RawRecord(NamedTuple):
    """A record: the line (from 1) on which it begins, its text with its line end, and its fields.

    The line of a workbook's record is the row of the sheet, as people see it there; of JSON, GPX and KML it is the
    number of the object and one, as the first line has the names.
    """

    line: int
    text: str
    fields: list[str]


class ReadRow(msgspec.Struct, gc=False):
    """A data record: either both coordinates in degrees, or the reason code why not and the record's text."""

    line: int
    latitude: float | None
    longitude: float | None
    reason: str | None = None
    raw: str | None = None


@dataclass(frozen=True)
class Block:
    """Some thousands of records at once, because that is quicker: where each begins, its text, its fields."""

    text: str
    lines: range | list[int]
    texts: list[str]
    #: The fields of each record; read when somebody asks for them.
    fields: Iterable[list[str]]
    delimiter: str

    @cached_property
    def records(self) -> list[list[str]]:
        return list(self.fields)

    @cached_property
    def widths(self) -> list[int]:
        """How many fields each record has. Where nothing is quoted, nobody has to read them for that."""
        if '"' in self.text:
            return list(map(len, self.records))
        return [text.count(self.delimiter) + 1 for text in self.texts]

    def __iter__(self) -> Iterator[tuple[int, str, list[str]]]:
        return zip(self.lines, self.texts, self.records, strict=True)


def read_records(stream: BinaryIO, dialect: Dialect) -> Iterator[RawRecord]:
    """Yields every record of a file, the header and what stands above it included.

    Raises UnreadableError with the line for undecodable bytes, over-long lines and an unclosed quote.
    """
    return _records(read_blocks(stream, dialect))


def _records(blocks: Iterator[Block]) -> Generator[RawRecord, None, None]:
    for block in blocks:
        for line, text, fields in block:
            yield RawRecord(line, text, fields)


def read_blocks(stream: BinaryIO, dialect: Dialect) -> Iterator[Block]:
    """Yields the same records as `read_records`, and raises as it does, but some thousands at a time."""
    return _without_blank(_blocks(stream, dialect), dialect)


def _without_blank(blocks: Iterator[Block], dialect: Dialect) -> Iterator[Block]:
    for block in blocks:
        if min(block.widths, default=2) < 2:  # no other can be blank
            kept = [RawRecord(*record) for record in block if not is_blank(record[2])]
            yield Block(
                block.text,
                [record.line for record in kept],
                [record.text for record in kept],
                [record.fields for record in kept],
                dialect.delimiter,
            )
        else:
            yield block


@dataclass(frozen=True)
class Part:
    """Some data records in their order, as columns: the line (from 1) of each and its degrees, NaN without a location.

    `rejected` has those without one, by their place in the part. `says_west` is the share of records in which a cell
    says west, NaN if a longitude is; `in_quotes` has the lines of records that may have swallowed rows. `own` has the
    outcodes of the file's own postcodes, of some records by their place in the part.
    """

    lines: Sequence[int]
    latitudes: Sequence[float]
    longitudes: Sequence[float]
    rejected: Sequence[tuple[int, ReadRow]] = ()
    says_west: float = nan
    in_quotes: Sequence[int] = ()
    own: Own = ()

    def __len__(self) -> int:
        return len(self.lines)

    def split(self, count: int) -> "tuple[Part, Part | None]":
        """The first `count` records, and the others, if there are any."""
        if len(self) <= count:
            return self, None
        first, second = slice(count), slice(count, None)
        return (
            Part(self.lines[first], self.latitudes[first], self.longitudes[first],
                 [(place, row) for place, row in self.rejected if place < count],
                 self.says_west, [line for line in self.in_quotes if line < self.lines[count]],
                 [(place, codes) for place, codes in self.own if place < count]),
            Part(self.lines[second], self.latitudes[second], self.longitudes[second],
                 [(place - count, row) for place, row in self.rejected if place >= count],
                 self.says_west, [line for line in self.in_quotes if line >= self.lines[count]],
                 [(place - count, codes) for place, codes in self.own if place >= count]),
        )  # fmt: skip


def read_rows(stream: BinaryIO, dialect: Dialect) -> Iterator[ReadRow]:
    """Yields the data records of a file in order, each with its coordinates or with the reason why it has none."""
    return _rows(read_parts(stream, dialect))


def read_both(
    stream: BinaryIO, dialect: Dialect
) -> tuple[Generator[RawRecord, None, None], Generator[ReadRow, None, None]]:
    """What `read_records` and `read_rows` yield, of a stream that is read once.

    What one of them has not taken yet is kept for it, until it is closed.
    """
    for_records, for_rows = tee(_blocks(stream, dialect))
    return _records(_without_blank(for_records, dialect)), _rows(_parts(for_rows, dialect))


def _rows(parts: Iterator[Part]) -> Generator[ReadRow, None, None]:
    for part in parts:
        rejected = dict(part.rejected)
        for place, row in enumerate(map(ReadRow, part.lines, part.latitudes, part.longitudes)):
            yield rejected.get(place, row)


def read_parts(stream: BinaryIO, dialect: Dialect) -> Iterator[Part]:
    """The same records as columns, some thousands at a time, without an object for each."""
    return _parts(_blocks(stream, dialect), dialect)


def _parts(blocks: Iterator[Block], dialect: Dialect) -> Iterator[Part]:
    locate = dialect.locator()
    above = dialect.preamble
    before = 0
    widths: tuple[int, int] | None = None
    for block in blocks:
        if widths is not None and (part := _all_plain(block, widths[0], dialect)):
            yield _counted(part, block, block.records, dialect, before)
            before += len(part)
            continue
        rows: list[ReadRow] = []
        records: list[list[str]] = []
        for line, text, fields in block:
            if is_blank(fields):
                continue
            if above:
                above -= 1
                continue
            if widths is None:
                widths = len(fields) + dialect.surplus, len(fields)
                if dialect.has_header:
                    continue
            try:
                rows.append(_read_row(line, text, fields, widths, locate, dialect))
            except UnreadableError:
                if rows:  # those before it count
                    yield _counted(_part_of(rows), block, records, dialect, before)
                raise
            records.append(fields)
        if rows:
            yield _counted(_part_of(rows), block, records, dialect, before)
            before += len(rows)


def _counted(part: Part, block: Block, records: list[list[str]], dialect: Dialect, before: int) -> Part:
    """With what its text, and its records, say beside the coordinates; `before` it are so many."""
    if '"' in block.text and block.text.count("\n") > len(block.texts):
        lines = {*part.lines}
        doubtful = [
            line for line, text, fields in block if line in lines and has_rows(text, len(fields), block.delimiter)
        ]
        part = replace(part, in_quotes=doubtful)
    some = range(0, len(part), len(part) // _LOOKED_AT + 1)
    if some and not any(at < 0 for at in part.longitudes):
        part = replace(part, says_west=sum(says_west(records[place]) for place in some) / len(some))
    if columns := dialect.postcode_columns.values():
        own = [(place, outcodes(records[place], columns)) for place in may_be_kept(before, len(part))]
        part = replace(part, own=[(place, codes) for place, codes in own if codes])
    return part


def _part_of(rows: Sequence[ReadRow]) -> Part:
    return Part(
        [row.line for row in rows],
        [nan if row.latitude is None else row.latitude for row in rows],
        [nan if row.longitude is None else row.longitude for row in rows],
        [(place, row) for place, row in enumerate(rows) if row.reason is not None],
    )


def _all_plain(block: Block, width: int, dialect: Dialect) -> Part | None:
    """The records of a block, if all have plain numbers in range: that is most of most files, and ten times as fast.

    None if one needs a closer look: float() takes a little more than numbers, in texts with an underscore or beyond
    ASCII.
    """
    if (
        dialect.decimal != "."
        or dialect.coordinates != Notation.DEGREES
        or not block.text.isascii()
        or "_" in block.text
        or "\0" in block.text
    ):
        return None
    if set(map(len, block.records)) != {width}:
        return None
    if max(map(len, block.texts)) > MAX_CHARS and _has_long_cell(block, dialect):
        return None
    try:
        latitudes = list(map(float, map(itemgetter(dialect.latitude_column), block.records)))
        longitudes = list(map(float, map(itemgetter(dialect.longitude_column), block.records)))
    except ValueError:
        return None
    if not _MEAN.isdisjoint(map(itemgetter(0), block.records)) and any(map(_is_mean, block.records)):
        return None
    if isnan(sum(latitudes) + sum(longitudes)):
        return None
    if min(latitudes) < -90 or max(latitudes) > 90 or min(longitudes) < -180 or max(longitudes) > 180:
        return None
    if not dialect.is_of_world and max(longitudes) >= UK_LATITUDE[0]:  # some may be swapped
        return None
    if dialect.is_lettered and max(longitudes) > 0:
        return None
    for column in dialect.silent_sides:
        if column < width and any(map(says_side, set(map(itemgetter(column), block.records)))):
            return None
    for column in dialect.west_flags:
        flags = map(itemgetter(column), block.records)
        if any(says_yes(flag) and at > 0 for flag, at in zip(flags, longitudes, strict=True)):
            return None
    if dialect.side_column is not None:
        sides = map(itemgetter(dialect.side_column), block.records)
        signs = [(at > 0) - (at < 0) for at in longitudes]
        if any(contradicts(side, sign) for side, sign in set(zip(sides, signs, strict=True))):
            return None
    if any_second_is_apart(block.records, latitudes, longitudes, dialect):
        return None
    return Part(block.lines, latitudes, longitudes)


def _has_long_cell(block: Block, dialect: Dialect) -> bool:
    columns = (dialect.latitude_column, dialect.longitude_column)
    return any(len(record[column]) > MAX_CHARS for record in block.records for column in columns)


def _read_row(
    line: int,
    text: str,
    fields: list[str],
    widths: tuple[int, int],
    locate: Callable[[Sequence[str]], Located],
    dialect: Dialect,
) -> ReadRow:
    if len(fields) not in widths:
        reason = "too_few_fields" if len(fields) < max(widths) else "too_many_fields"
        return ReadRow(line, None, None, _no_row(fields) or reason, text)
    if "\0" in text:
        return ReadRow(line, None, None, "nul_byte", text)
    located = locate(fields)
    if dialect.is_of_world and located == "coordinates_swapped":
        return ReadRow(line, as_number(fields[dialect.latitude_column]), as_number(fields[dialect.longitude_column]))
    if isinstance(located, str):
        if dialect.has_header and _is_other_header(fields, text, dialect):
            raise UnreadableError(
                f"Line {line} names the columns once more, and in another way than before. Send what follows as a"
                " file of its own.",
                line=line,
            )
        return ReadRow(line, None, None, _no_row(fields) or located, text)
    if dialect.side_column is not None and contradicts(fields[dialect.side_column], located[1]):
        return ReadRow(line, None, None, "side_unclear", text)
    if any(column < len(fields) and says_other_side(fields[column], located[1]) for column in dialect.silent_sides):
        return ReadRow(line, None, None, "side_unclear", text)
    if located[1] > 0 and any(says_yes(fields[column]) for column in dialect.west_flags):
        return ReadRow(line, None, None, "side_unclear", text)
    if dialect.is_lettered and located[1] > 0 and not has_letter(fields[dialect.longitude_column]):
        return ReadRow(line, None, None, "side_unclear", text)
    if dialect.precision_m is not None and dialect.is_coarser(fields):
        return ReadRow(line, None, None, "square_too_large", text)
    if _is_mean(fields):
        return ReadRow(line, None, None, "sums_up", text)
    if second_is_apart(fields, located, dialect):
        return ReadRow(line, None, None, "places_apart", text)
    if dialect.is_british and says_irish(fields):
        return ReadRow(line, None, None, "irish_grid", text)
    return ReadRow(line, *located)


def _is_mean(fields: list[str]) -> bool:
    """Whether a record has the means of others: a word for it comes first, and all else is a number, or empty."""
    return fields[0] in _MEAN and all(as_number(field) is not None for field in fields[1:] if field.strip())


def _no_row(fields: list[str]) -> str | None:
    """What a record is that was not meant as a row: one of delimiters only, or DOS's mark for the end; a comment."""
    if not "".join(fields).strip(" \t\x1a"):
        return "empty_row"
    return "comment" if fields[0].startswith("# ") or (len(fields) == 1 and fields[0].startswith("#")) else None


def _is_other_header(fields: list[str], text: str, dialect: Dialect) -> bool:
    """Whether a record names coordinates, but not in the columns in which they are read: labels name them once more."""
    if not may_name(fields, text):
        return False
    names = names_of(fields)
    own = names[dialect.latitude_column], names[dialect.longitude_column]
    as_before = own == (normal(str(dialect.latitude)), normal(str(dialect.longitude))) or name_in_order(*own)
    return name_both(names) and not as_before


def _blocks(stream: BinaryIO, dialect: Dialect) -> Iterator[Block]:
    line = 1
    of_sheet = isinstance(stream, SheetCsv) or dialect.format != "csv"
    begun: list[str] = []  # the lines of a record that goes on in the next block
    for block in line_blocks(stream, dialect.encoding, cr_ends=dialect.cr_ends):
        lines = [*begun, *block]
        text = "".join(lines)
        if begun and not any('"' in line for line in block):  # still inside quotes: nothing to read again
            begun = lines
        elif '"' in text and dialect.quoting == "quotes":
            done, found, error = _quoted(text, lines, line, dialect, of_sheet=of_sheet)
            yield found
            if error:
                raise error
            begun = lines[done:]
            line += len(found.lines) if of_sheet else done
        else:
            numbers: range | list[int] = range(line, line + len(lines))
            line += len(lines)
            if len(text) < _CHARS_OF_A_LINE * len(lines):  # a file of blank lines is soon packed, and soon read
                nothing = "\r\n ".replace(dialect.delimiter, "")
                kept = [(number, one) for number, one in zip(numbers, lines, strict=True) if one.strip(nothing)]
                numbers, lines = [number for number, _ in kept], [one for _, one in kept]
            yield Block(text, numbers, lines, _reader(_for_csv(lines, text, dialect), dialect), dialect.delimiter)
        if sum(map(len, begun)) > MAX_RECORD_CHARS:
            raise unclosed_quote(line)
    if begun:
        raise unclosed_quote(line)


def _for_csv(lines: list[str], text: str, dialect: Dialect) -> list[str]:
    """The lines as csv's reader can take them: for a CR inside a field, it would end the record."""
    return without_lone_cr(lines) if not dialect.cr_ends and has_lone_cr(text) else lines


def _reader(lines: Iterable[str], dialect: Dialect) -> "_csv.Reader":
    return csv.reader(
        lines, delimiter=dialect.delimiter, skipinitialspace=dialect.skip_spaces, quoting=QUOTING[dialect.quoting]
    )


def _are_records(lines: list[str], width: int, dialect: Dialect) -> bool:
    """Whether each line of a record over several lines would be a row of its own, were it not for the quotes."""
    if width <= dialect.last_column:
        return False
    locate = dialect.locator()
    for line in lines:
        fields = line.rstrip("\r\n").replace('"', "").split(dialect.delimiter)
        if len(fields) != width or isinstance(locate(fields), str):
            return False
    return True


def _quoted(
    text_of_block: str, lines: list[str], line: int, dialect: Dialect, *, of_sheet: bool
) -> tuple[int, Block, UnreadableError | None]:
    """The records that end within those lines, how many lines they have, and the error that ends them, if any.

    The rows of a sheet, and of a table that was made of another format, are numbered one by one, whatever lines they
    have in its CSV. It was written here: nobody forgot a quote.
    """
    starts: list[int] = []
    records: list[list[str]] = []
    block = Block(text_of_block, starts, [], records, dialect.delimiter)
    done = 0
    at = line
    all_taken = False
    error: UnreadableError | None = None

    def feed() -> Iterator[str]:
        nonlocal all_taken
        yield from _for_csv(lines, text_of_block, dialect)
        all_taken = True

    reader = _reader(feed(), dialect)
    try:
        for fields in reader:
            if all_taken:  # and the reader asked for more: it is inside quotes
                break
            own = lines[done : reader.line_num]
            text = "".join(own)
            if len(own) > 1 and not quotes_close(text, dialect.delimiter, skip_spaces=dialect.skip_spaces):
                error = unclosed_quote(at)
                break
            if len(own) > 1 and not of_sheet and _are_records(own, len(fields), dialect):
                error = swallowed(at, len(own))
                break
            starts.append(at)
            block.texts.append(text)
            records.append(fields)
            done = reader.line_num
            at = at + 1 if of_sheet else line + done
    except csv.Error:  # a field that is longer than any line can be: it goes on over many
        error = unclosed_quote(at)
    return done, block, error
