"""Files as people send them, written for these tests, each with its reading.

The expectations come from what was promised and from what a user would expect, not from the reader's code.
"""

from tests.corpus import (
    columns,
    containers,
    dialects,
    encodings,
    files,
    formats,
    headers,
    notations,
    places,
    rows,
    sides,
)
from tests.corpus.case import Case

CASES: list[Case] = [
    case
    for module in (dialects, encodings, headers, columns, sides, places, notations, rows, files, containers, formats)
    for case in module.CASES
]
#: Every combination of the ways in which a plain table is written.
COMBINATIONS: list[Case] = dialects.COMBINATIONS
