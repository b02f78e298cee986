"""What csv's reader does not say of a record: whether it is blank, whether its quotes are what they seem, and more."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal

from uploads.reading.errors import UnreadableError

#: What a quote means, as csv numbers it: it encloses cells, or it is a character like others.
QUOTING: dict[str, Literal[0, 3]] = {"quotes": csv.QUOTE_MINIMAL, "none": csv.QUOTE_NONE}
#: A number as coordinates have it: with three digits behind the point, or metres on a grid.
_EXACT = re.compile(r"\d[.,]\d{3}|\d{5}")
_WEST = frozenset({"w", "west", "nw", "sw"})


def is_blank(fields: Sequence[str]) -> bool:
    """Whether a record comes from a line with nothing but spaces on it."""
    return len(fields) < 2 and not "".join(fields).strip()


def unclosed_quote(line: int) -> UnreadableError:
    """The error of a record that begins on that line and has no end that could be told."""
    return UnreadableError(
        f'The record that begins on line {line} opens a quote (") that is not closed where a field ends.'
        " If quotes are part of the cells, say quoting=none.",
        line=line,
    )


def swallowed(line: int, count: int) -> UnreadableError:
    """The error of a cell in quotes that goes over several lines, each of which looks like a row of its own."""
    return UnreadableError(
        f'A quote (") opens on line {line} and closes on line {line + count - 1}: what is between would be one cell,'
        " but these lines look like rows of their own. Write a quote inside of a cell twice, and the cell in quotes;"
        " or say quoting=none, if quotes are part of the cells.",
        line=line,
    )


def quotes_close(text: str, delimiter: str, *, skip_spaces: bool) -> bool:
    """Whether every quoted field of the text ends with its closing quote (spaces may follow).

    A quote that somebody forgot to close ends at the next quote of the file, however many lines later: what follows
    there is not the end of a field. csv's reader is lenient and takes all those lines for one cell.
    """
    text = re.sub(f'" +(?={re.escape(delimiter)}|[\\r\\n]|$)', '"', text)
    try:
        lines = io.StringIO(text, newline="")
        for _ in csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_spaces, strict=True):
            pass
    except csv.Error:
        return False
    return True


def has_rows(text: str, width: int, delimiter: str) -> bool:
    """Whether more than one line of a record's text looks like a row: as many delimiters, and two exact numbers."""
    if "\n" not in text.rstrip("\r\n"):
        return False
    lines = [line for line in text.split("\n") if line.count(delimiter) >= width - 1]
    return sum(len(_EXACT.findall(line)) >= 2 for line in lines) > 1


def says_west(fields: Sequence[str]) -> bool:
    """Whether one of the cells says west, and nothing else."""
    return any(cell.strip().lower() in _WEST for cell in fields)
