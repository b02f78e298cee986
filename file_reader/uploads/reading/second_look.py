"""A second look at the whole: whether what was told from the first rows holds for all rows that are read.

It knows little of how files go wrong, but what comes of it: locations in the sea that another reading puts on land, no
longitude in the west where something says west, digits that decimals do not have, rows inside of quotes.
"""

from dataclasses import dataclass
from io import BytesIO
from operator import itemgetter

import numpy as np

from uploads.reading.detecting.detect import SAMPLE_BYTES
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import DoubtfulError, UnreadableError
from uploads.reading.land import SEA, land_at
from uploads.reading.other_readings import NOTES, RULES, Located, Places, begins_of
from uploads.reading.records import Part, read_parts

#: Of the rows before some parts, as many are looked at again.
_BEFORE = 5_000
_IN_QUOTES = "rows_in_quotes"
_DETAILS = {code: rule.detail for code, rule in RULES.items()} | {
    _IN_QUOTES: "a cell in quotes has lines that look like rows of their own. Write a quote inside of a cell twice, and"
    " the cell in quotes"
}


@dataclass(frozen=True)
class Doubt:
    """What may be wrong from a record on: `before` counts the records of the parts before it, `line` is its own. With
    `is_whole`, it holds for all that is known of the file, but for a few odd rows.
    """

    code: str
    before: int
    line: int
    is_whole: bool

    def error(self, dialect: Dialect) -> DoubtfulError:
        """The end of the reading, in the sender's words."""
        return DoubtfulError(
            f"From line {self.line} on, {sentence_of(self.code)}; or, if they are right, declare the columns with"
            " latitude=<name or number> and longitude=<name or number>.",
            line=self.line,
            doubt=self.code,
            fix=fix_of(self.code, dialect) if self.is_whole else {},  # else it would spoil the rows before
        )


def sentence_of(code: str) -> str:
    """What a doubt says, without its beginning and its end."""
    return _DETAILS[code]


def fix_of(code: str, dialect: Dialect) -> dict[str, str]:
    """The options that mend it, if some do."""
    return RULES[code].fix(dialect) if code in RULES else {}


@dataclass(frozen=True)
class Seen:
    """Some records and what a second look at them found: of those that have a location the place, from 0, and the
    degrees; how many of these are in the sea; the first doubt; what is only said of them, empty if nothing is. What the
    reading ends with, if it has to, stands behind them.
    """

    parts: list[Part]
    places: Places
    located: Located
    doubt: Doubt | None
    note: str
    error: DoubtfulError | None

    @property
    def code(self) -> str:
        """That of the doubt, or of what is only said."""
        return self.doubt.code if self.doubt else self.note

    @property
    def at_sea(self) -> int:
        return int(np.sum(self.located.land == SEA))


def second_look(parts: list[Part], dialect: Dialect, before: Located | None = None, *, from_first: bool) -> Seen:
    """The records of some parts up to the first doubt; all of them if the columns were declared.

    `before` are the locations that were seen last: a run may have begun there. `from_first` says that nothing of the
    file was read before these parts.
    """
    latitudes, longitudes = (
        np.concatenate([np.empty(0), *(np.asarray(getattr(part, name), float) for part in parts)])
        for name in ("latitudes", "longitudes")
    )
    places = np.flatnonzero(~np.isnan(latitudes))
    says_west = np.repeat([part.says_west for part in parts], list(map(len, parts)))
    latitudes, longitudes = latitudes[places], longitudes[places]
    located = Located(dialect, latitudes, longitudes, says_west[places], land_at(latitudes, longitudes))
    before = before and before.run(max(0, len(before) - _BEFORE), len(before))
    both = before + located if before else located
    doubt = _first_doubt(parts, places, both, from_first=from_first)
    note = next(iter(begins_of(NOTES, both, from_first=from_first)), "")
    if doubt is None or dialect.is_declared:
        return Seen(parts, places, located, doubt, note, None)
    kept = int(np.searchsorted(places, doubt.before))
    return Seen(_first(parts, doubt.before), places[:kept], located.run(0, kept), doubt, note, doubt.error(dialect))


def _first_doubt(parts: list[Part], places: Places, rows: Located, *, from_first: bool) -> Doubt | None:
    """Of the rows with a location, the last stand at these places of the parts; the others were before them."""
    seen = len(rows) - len(places)
    begins = begins_of(RULES, rows, from_first=from_first) if len(places) else {}
    found = [(int(places[max(one.start - seen, 0)]), code) for code, one in begins.items()]
    at = 0
    for part in parts:
        found += [(at + part.lines.index(line), _IN_QUOTES) for line in part.in_quotes]
        at += len(part)
    if not found:
        return None
    at, code = min(found, key=itemgetter(0))
    is_whole = from_first and code in begins and begins[code].are_all
    return Doubt(code, at, _first(parts, at + 1)[-1].lines[-1], is_whole)


def _first(parts: list[Part], count: int) -> list[Part]:
    """The first `count` records of these parts."""
    kept = []
    for part in parts:
        if count <= 0:
            break
        kept.append(part.split(count)[0])
        count -= len(part)
    return kept


def seen_at_beginning(sample: bytes, dialect: Dialect) -> Seen:
    """What a second look finds in the first SAMPLE_BYTES of a table."""
    parts: list[Part] = []
    try:
        for part in read_parts(BytesIO(sample), dialect):
            parts.append(part)  # noqa: PERF402 - what was read before an error counts
    except UnreadableError:
        pass  # the sample ends within a record, or the file says so itself when it is read
    if len(sample) >= SAMPLE_BYTES:
        parts = _first(parts, sum(map(len, parts)) - 1)  # the last one is cut off
    return second_look(parts, dialect, from_first=True)


def check_beginning(sample: bytes, dialect: Dialect) -> None:
    """Raises DoubtfulError when the first SAMPLE_BYTES of a table are doubtful, unless its columns were declared."""
    if not dialect.is_declared and (error := seen_at_beginning(sample, dialect).error) is not None:
        raise error
