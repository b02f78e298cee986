"""Files as people send them, written for these tests, each with its reading.

The expectations come from what was promised and from what a user would expect, not from the reader's code.
"""

from tests.corpus import (
    angles,
    columns,
    containers,
    dialects,
    doubtful,
    encodings,
    files,
    formats,
    grids,
    headers,
    notations,
    places,
    rows,
    sides,
)
from tests.corpus.case import Case

CASES: list[Case] = [
    case
    for module in (
        dialects,
        encodings,
        headers,
        columns,
        sides,
        places,
        notations,
        angles,
        doubtful,
        grids,
        rows,
        files,
        containers,
        formats,
    )
    for case in module.CASES
]
#: Every combination of the ways in which a plain table is written.
COMBINATIONS: list[Case] = dialects.COMBINATIONS
