"""Lines to records and rows: a generator over a binary stream. Nothing here knows of Django or of a database."""

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from uploads.reading.coordinates import read_coordinates
from uploads.reading.dialect import Dialect
from uploads.reading.errors import UnreadableError
from uploads.reading.lines import MAX_RECORD_CHARS, text_lines
from uploads.reading.quotes import quotes_close

csv.field_size_limit(MAX_RECORD_CHARS)


class RawRecord(NamedTuple):
    """A record: the line (from 1) on which it begins, its text with its line end, and its fields."""

    line: int
    text: str
    fields: list[str]


class ReadRow(NamedTuple):
    """A data record: either both coordinates in degrees, or the reason code why not and the record's text."""

    line: int
    latitude: float | None
    longitude: float | None
    reason: str | None
    raw: str | None


def read_records(stream: BinaryIO, dialect: Dialect) -> Iterator[RawRecord]:
    """Yields every record of a file, the header included.

    Raises UnreadableError with the line for undecodable bytes, over-long lines and an unclosed quote.
    """
    taken: list[str] = []
    line = 1

    def feed() -> Iterator[str]:
        size = 0
        for text in text_lines(stream, dialect.encoding):
            if taken:  # the reader asks for more while a record has begun: it is inside quotes
                size += len(text)
                if size > MAX_RECORD_CHARS:
                    raise _unclosed(line)
            else:
                size = len(text)
            taken.append(text)
            yield text
        if taken:
            raise _unclosed(line)

    reader = csv.reader(feed(), delimiter=dialect.delimiter)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            detail = f"The record that begins on line {line} cannot be read: {error}."
            raise UnreadableError(detail, line=line) from None
        text = taken[0] if len(taken) == 1 else "".join(taken)
        if len(taken) > 1 and not quotes_close(text, dialect.delimiter):
            raise _unclosed(line)
        if fields and (len(fields) > 1 or fields[0].strip()):
            yield RawRecord(line, text, fields)
        line += len(taken)
        taken.clear()


def _unclosed(line: int) -> UnreadableError:
    return UnreadableError(
        f'The record that begins on line {line} opens a quote (") that is not closed where a field ends.',
        line=line,
    )


def read_rows(stream: BinaryIO, dialect: Dialect) -> Iterator[ReadRow]:
    """Yields the data records of a file in order, each with its coordinates or with the reason why it has none."""
    latitude_column, longitude_column = dialect.latitude_column, dialect.longitude_column
    comma = dialect.decimal == ","
    width = 0
    for line, text, fields in read_records(stream, dialect):
        if not width:
            width = len(fields)
            if dialect.has_header:
                continue
        reason: str | None
        if len(fields) != width:
            reason = "too_few_fields" if len(fields) < width else "too_many_fields"
        elif "\0" in text:
            reason = "nul_byte"
        else:
            latitude, longitude = fields[latitude_column], fields[longitude_column]
            if comma:
                latitude, longitude = latitude.replace(",", "."), longitude.replace(",", ".")
            coordinates = read_coordinates(latitude, longitude)
            if not isinstance(coordinates, str):
                yield ReadRow(line, coordinates[0], coordinates[1], None, None)
                continue
            reason = coordinates
        yield ReadRow(line, None, None, reason, text)
