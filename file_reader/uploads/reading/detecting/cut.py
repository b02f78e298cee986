"""The beginning of a file, cut into fields; whether its quotes mean anything."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from uploads.reading.detecting.headers import name_both, names_of
from uploads.reading.errors import ReadingError
from uploads.reading.fields import QUOTING, is_blank, quotes_close, unclosed_quote

SAMPLE_RECORDS = 200
_BEGINS_WITH_QUOTE = re.compile(r'(?:^|\t)"', re.MULTILINE)


@dataclass(frozen=True)
class Cut:
    """The beginning of a file, cut into fields."""

    delimiter: str
    quoting: str
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


def cut_into_fields(lines: Sequence[str], delimiter: str, quoting: str | None = None) -> Cut:
    """The sample's records. Raises ReadingError when the first one opens a quote that it does not close."""
    quoting = quoting or _quoting_of(lines, delimiter)
    return _cut(lines, delimiter, quoting)


def alike(lines: Sequence[str], delimiter: str, quoting: str) -> tuple[bool, float, int]:
    """How well that cuts: whether most records have several fields, and the share and number of those like most."""
    try:
        cut = _cut(lines, delimiter, quoting)
    except ReadingError:
        return False, 0.0, 0
    widths = Counter(map(len, [*cut.records, *cut.later]))
    (width, count), *_ = widths.most_common(1)
    return width > 1, count / widths.total(), count


def _quoting_of(lines: Sequence[str], delimiter: str) -> str:
    """Between tabs, quotes are part of the cells, unless the records are as much alike where they enclose them."""
    if delimiter != "\t":
        return "quotes"
    if not _BEGINS_WITH_QUOTE.search("".join(lines)):
        return "none"
    return "quotes" if alike(lines, delimiter, "quotes") >= alike(lines, delimiter, "none") else "none"


def _cut(lines: Sequence[str], delimiter: str, quoting: str) -> Cut:
    skip_spaces = quoting == "quotes" and delimiter != " " and _has_spaces_before_quotes("".join(lines), delimiter)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_spaces, quoting=QUOTING[quoting])
    filled = (fields for fields in reader if not is_blank(fields))
    records: list[list[str]] = []
    later: list[list[str]] = []
    try:
        records.extend(islice(filled, 1))
        first = "".join(lines[: reader.line_num])
        if reader.line_num > 1 and quoting == "quotes" and not quotes_close(first, delimiter, skip_spaces=skip_spaces):
            line = next(number for number, line in enumerate(lines, 1) if line.strip())
            raise unclosed_quote(line)
        records.extend(islice(filled, SAMPLE_RECORDS))
        later.extend(filled)
    except csv.Error:
        if not records:
            raise ReadingError("The first record is too long to be one.", line=1) from None
    return Cut(delimiter, quoting, skip_spaces, records, later)


def _has_spaces_before_quotes(text: str, delimiter: str) -> bool:
    """Whether a cell in quotes has spaces before them. Inside of quotes, a quote is doubled, and looks unlike it."""
    mark = re.escape(delimiter)
    return bool(re.search(rf'(?:^|{mark}) +"[^"{mark}\r\n]+" *(?=[{mark}\r\n]|$)', text, re.MULTILINE))
