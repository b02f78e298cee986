"""Which character stands between the fields: the one with which most rows have coordinates."""

from collections.abc import Callable
from typing import Any

from uploads.reading.coordinates import ONE_CELL
from uploads.reading.detecting.cut import Cut, cut_into_fields
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.errors import ColumnsError, ReadingError

DELIMITERS = (",", ";", "\t", "|")
#: Characters that stand between the fields of some files: they are named, so that the sender can say so.
_OTHERS = {":": ":", " ": "space", "^": "^", "~": "~", "¬": "¬", "!": "!", "/": "/", "\x1f": "\x1f"}


def dialect_by_delimiter(lines: list[str], declared: Declared, tell: Callable[[Cut], Dialect]) -> Dialect:
    """What is told with the declared delimiter, or with that with which the coordinates are found.

    Raises the error of the likeliest one when there is none.
    """
    if declared.delimiter:
        return tell(cut_into_fields(lines, declared.delimiter, declared.quoting))
    errors: list[tuple[tuple[Any, ...], ReadingError]] = []
    found: list[tuple[tuple[bool, bool, float, int], Dialect]] = []
    for delimiter in DELIMITERS:
        cut = None
        try:
            cut = cut_into_fields(lines, delimiter, declared.quoting)
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
    raise _other_delimiter(lines, declared, tell) or max(errors, key=lambda scored: scored[0])[1]


def _other_delimiter(lines: list[str], declared: Declared, tell: Callable[[Cut], Dialect]) -> ReadingError | None:
    """What to answer if two columns can be read with a delimiter that is not looked for."""
    for delimiter, name in _OTHERS.items():
        if any(delimiter in line for line in lines[:2]):
            try:
                cut = cut_into_fields(lines, delimiter, declared.quoting)
                dialect = tell(cut)
            except ReadingError:
                continue
            if dialect.coordinates not in ONE_CELL and _share_read(cut.records, dialect) > 0:
                return ColumnsError(
                    f"The fields seem to be separated by {delimiter!r}. If they are, say delimiter={name}.",
                    columns_seen=[dialect.latitude, dialect.longitude],
                    fix={"delimiter": name},
                )
    return None


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
