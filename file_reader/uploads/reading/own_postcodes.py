"""A file's own postcodes: where most answers are others, the places were read wrongly, or are wrong in the file."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from string import ascii_uppercase

import numpy as np

from uploads.reading.detecting.sample import Table

#: The rows of a file that are compared, at most.
MOST_ROWS = 200
#: The golden section of 2**32: multiples of it, taken modulo that, are evenly spread, however many there are.
_GOLDEN = 2_654_435_769
#: Metres: what is further away may have a postcode of any neighbour.
NEAR = 500.0
#: Of one value in so many it does not matter what it is: people write "n/a" in such columns.
_OTHERS = 20
_LEAST_VALUES = 2
_MOST_COLUMNS = 4
_OUTCODE = r"[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?"
_WHOLE = re.compile(rf"\s*({_OUTCODE})\s*\d[ABD-HJLNP-UW-Z]{{2}}\s*", re.ASCII | re.IGNORECASE)
#: Alone, or with its sector: M1 is also the name of a road.
_ALONE = re.compile(rf"\s*({_OUTCODE})(?:\s+\d)?\s*", re.ASCII | re.IGNORECASE)
_WORDS = frozenset("postcode postcodes post outcode outcodes outward postal pcode pcd pcds pc".split())
#: Those of a result that is sent again: answers to what may have been read in another way.
_OF_RESULT = "result_"
#: A place that is read well has its own outcode in 96 of 100 rows, in the City of London in 80 with three decimals;
#: one with another's latitude in 10 to 25. Of fewer rows, none may agree, and most areas (SW, DA) have to differ.
_ONE_IN, _FEW = 3, 5
#: Rows of one outcode may lie at its border.
_OUTCODES = 3
#: How many rows are named.
_SHOWN = 5
#: Metres: of larger places, outcodes are often those of others.
_LARGE = 1_000

Own = Sequence[tuple[int, str]]


def own_columns(table: Table) -> dict[str, int]:
    """The first columns with nearly nothing but UK postcodes, by what they are called; with outcodes only by name."""
    found = (
        column
        for column in range(table.width)
        if not (table.names and table.names[column].startswith(_OF_RESULT))
        and _are_postcodes(table.values(column), named=bool(_WORDS & table.words(column)))
    )
    return {table.called(column): column for column in islice(found, _MOST_COLUMNS)}


def _are_postcodes(values: Sequence[str], *, named: bool) -> bool:
    others = (value for value in values if not (_WHOLE.fullmatch(value) or (named and _ALONE.fullmatch(value))))
    return len(values) >= _LEAST_VALUES and not any(True for _ in islice(others, len(values) // _OTHERS, None))


def outcodes(fields: Sequence[str], columns: Iterable[int]) -> str:
    """Those of a record's own postcodes, with blanks between; empty if it has none."""
    cells = [fields[column] for column in columns if column < len(fields)]
    return " ".join([found[1].upper() for cell in cells if (found := _WHOLE.fullmatch(cell) or _ALONE.fullmatch(cell))])


def may_be_kept(before: int, count: int) -> list[int]:
    """Of `count` rows behind `before` others, the places (from 0) of those that `spread` may keep: ever fewer."""
    ranks = np.arange(before + 1, before + count + 1, dtype=np.uint32) * np.uint32(_GOLDEN)
    places: list[int] = np.flatnonzero(ranks < min(MOST_ROWS / (before + count), 1) * 2**32).tolist()
    return places


def spread(rows: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """At most MOST_ROWS of them, by their numbers spread over all: the same whenever further ones are added."""
    return nsmallest(MOST_ROWS, rows, key=lambda row: row[0] * _GOLDEN % 2**32)


@dataclass(frozen=True)
class Compared:
    """Of `rows` that were compared, `agree` have their own outcode; `others` are the numbers of some that do not."""

    rows: int
    agree: int
    others: list[int]


def disagreement(rows: Sequence[tuple[int, str, str]], precision_m: int | None) -> Compared | None:
    """What there is to say when most rows have another answer than their own postcode; None if there is nothing.

    `rows` are their numbers, their own outcodes and those of their answers.
    """
    others = [(number, own) for number, own, answer in rows if not _agree(own, answer)]
    apart = sum(not any(_area(one) == _area(answer) for one in own.split()) for _, own, answer in rows)
    agree = len(rows) - len(others)
    are_apart = apart * 2 > len(rows) > 1 and (agree == 0 or len(rows) >= _FEW)
    are_others = len(rows) >= _FEW and agree * _ONE_IN < len(rows) and len({own for _, own in others}) >= _OUTCODES
    if not are_apart and (not are_others or (precision_m or 0) >= _LARGE):
        return None
    return Compared(len(rows), agree, sorted(number for number, _ in others)[:_SHOWN])


def _agree(own: str, answer: str) -> bool:
    """EC1 is all of EC1A, EC1M and so on."""
    return bool({answer, answer.rstrip(ascii_uppercase)}.intersection(own.split()))


def _area(outcode: str) -> str:
    return outcode[: 1 if outcode[1:2].isdigit() else 2]
