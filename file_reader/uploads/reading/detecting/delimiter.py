"""Which character stands between the fields: the one with which most rows have coordinates."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from uploads.reading.coordinates import ONE_CELL
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.headers import name_both, names_of
from uploads.reading.errors import ColumnsError, ReadingError
from uploads.reading.fields import is_blank, quotes_close, unclosed_quote

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 200


@dataclass(frozen=True)
class Cut:
    """The beginning of a file, cut into fields."""

    delimiter: str
    skip_spaces: bool
    records: list[list[str]]
    #: Those behind them in the sample, for a file that says nothing at first.
    later: list[list[str]]
    _names: dict[int, list[str]] = field(default_factory=dict)

    def names(self, number: int) -> list[str]:
        """What a record would name its columns, were it the header."""
        if number not in self._names:
            self._names[number] = names_of(self.records[number])
        return self._names[number]

    def quality(self) -> tuple[bool, bool, float, int]:
        """How well the delimiter cuts: names in the header, more than one field, many records alike, many fields."""
        width, count = Counter(map(len, self.records)).most_common(1)[0]
        return name_both(self.names(0)), width > 1, count / len(self.records), width


def dialect_by_delimiter(lines: list[str], declared: Declared, tell: Callable[[Cut], Dialect]) -> Dialect:
    """What is told with the declared delimiter, or with that with which the coordinates are found.

    Raises the error of the likeliest one when there is none.
    """
    if declared.delimiter:
        return tell(cut_into_fields(lines, declared.delimiter))
    errors: list[tuple[tuple[Any, ...], ReadingError]] = []
    found: list[tuple[tuple[bool, bool, float, int], Dialect]] = []
    for delimiter in DELIMITERS:
        cut = None
        try:
            cut = cut_into_fields(lines, delimiter)
            dialect = tell(cut)
            if declared.latitude is None and _is_cut_wrongly(cut, dialect):
                raise ColumnsError(
                    "The first record and the others have different delimiters. Say the right one with"
                    " delimiter=<character>.",
                    columns_seen=[dialect.latitude],
                )
            found.append((_likelihood(cut, dialect), dialect))
        except ReadingError as error:
            # What is wrong beside the columns is wrong whatever the delimiter.
            errors.append(((not isinstance(error, ColumnsError), cut.quality() if cut else ()), error))
    if found:
        return max(found, key=lambda scored: scored[0])[1]
    raise max(errors, key=lambda scored: scored[0])[1]


def _is_cut_wrongly(cut: Cut, dialect: Dialect) -> bool:
    """With the wrong delimiter, two columns of another look like one cell that holds both."""
    first = cut.records[dialect.preamble]
    return (
        dialect.coordinates in ONE_CELL
        and len(first) == 1
        and any(delimiter in first[0] for delimiter in DELIMITERS if delimiter != dialect.delimiter)
    )


def _likelihood(cut: Cut, dialect: Dialect) -> tuple[bool, bool, float, int]:
    """The larger the likelier: rows can be read; two columns rather than one; many rows; few other delimiters left."""
    share = _share_read(cut.records, dialect)
    others = [delimiter for delimiter in DELIMITERS if delimiter not in (",", dialect.delimiter)]
    left = sum(other in field for record in cut.records for field in record for other in others)
    return share > 0, dialect.coordinates not in ONE_CELL, share, -left


def _share_read(records: list[list[str]], dialect: Dialect) -> float:
    """The share of the sample's records whose coordinates can be read."""
    data = records[dialect.preamble + dialect.has_header :]
    locate = dialect.locator()
    needed = max(dialect.latitude_column, dialect.longitude_column)
    read = sum(len(record) > needed and not isinstance(locate(record), str) for record in data)
    return read / len(data) if data else 0.0


def cut_into_fields(lines: Sequence[str], delimiter: str) -> Cut:
    """The sample's records. Raises ReadingError when the first one opens a quote that it does not close."""
    skip_spaces = _has_spaces_before_quotes("".join(lines), delimiter)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_spaces)
    filled = (fields for fields in reader if not is_blank(fields))
    records: list[list[str]] = []
    later: list[list[str]] = []
    try:
        records.extend(islice(filled, 1))
        if reader.line_num > 1 and not quotes_close(
            "".join(lines[: reader.line_num]), delimiter, skip_spaces=skip_spaces
        ):
            line = next(number for number, line in enumerate(lines, 1) if line.strip())
            raise unclosed_quote(line)
        records.extend(islice(filled, SAMPLE_RECORDS))
        later.extend(filled)
    except csv.Error:
        if not records:
            raise ReadingError("The first record is too long to be one.", line=1) from None
    return Cut(delimiter, skip_spaces, records, later)


def _has_spaces_before_quotes(text: str, delimiter: str) -> bool:
    """Whether a cell in quotes has spaces before them. Inside of quotes, a quote is doubled, and looks unlike it."""
    mark = re.escape(delimiter)
    return bool(re.search(rf'(?:^|{mark}) +"[^"{mark}\r\n]+" *(?=[{mark}\r\n]|$)', text, re.MULTILINE))


def alike(lines: list[str], delimiter: str) -> tuple[int, float]:
    """How many records have as many fields as most of them, and their share."""
    try:
        widths = Counter(map(len, cut_into_fields(lines, delimiter).records))
    except ReadingError:
        return 0, 0.0
    (_, count), *_ = widths.most_common(1)
    return count, count / widths.total()
