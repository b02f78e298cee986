"""A result as columns with names, for the formats that have these; the same rows and columns as result.csv."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NamedTuple

from uploads.errors import ParameterError
from uploads.models import NO_NAMES, STATUS_WORDS, Upload, outcode_of
from uploads.results.columns import COLUMNS
from uploads.results.pieces import Answers, AreaNamesOnce, Choice, Piece, Result, open_result

#: The texts or numbers of some rows; None where there is no answer.
Column = Sequence[Any]


class Table(NamedTuple):
    """`parts` are some rows each: their columns, in the order of `names`, and what is stored of them.

    `distance` names the column of the distances, which alone has numbers.
    """

    names: list[str]
    distance: str
    parts: Iterator[tuple[list[Column], Answers]]


@contextmanager
def open_table(upload: Upload, choice: Choice, *, located: bool = False) -> Iterator[Table]:
    """The rows and columns that are wanted. The parts raise UploadGoneError."""
    with open_result(upload, choice.status, located=located) as result:
        names = names_of(result)
        wanted = list(choice.columns or names)
        places = [names.index(name) for name in wanted]
        areas = AreaNamesOnce(tuple)

        def part(piece: Piece) -> tuple[list[Column], Answers]:
            columns = [*file_columns(piece, result), *answer_columns(piece.answers, areas)]
            return [columns[place] for place in places], piece.answers

        distance = result.answers[COLUMNS.index("result_distance_m")]
        yield Table(wanted, distance, map(part, result.pieces))


def names_of(result: Result) -> list[str]:
    """The names of all columns, each another: those of the header, then those of the answers.

    The second one without a name is `column_2`. A name that was there before gets a number: `name_2`.
    """
    *_, header = result.above.records() if result.dialect.has_header and result.width else [[]]
    given = [name.replace("\0", "").strip() for name in [*header, *[""] * result.width][: result.width]]
    names = [name or f"column_{number}" for number, name in enumerate(given, 1)]
    return [*unique(names, {*names, *result.answers}), *result.answers]


def unique(names: Iterable[str], taken: set[str]) -> Iterator[str]:
    """The names, with a number behind each that was there before."""
    seen: set[str] = set()
    for name in names:
        free, number = name, 1
        while free in seen or (number > 1 and free in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        yield free


def check_columns(upload: Upload, chosen: Sequence[str]) -> None:
    """Raises ParameterError when the result does not have one of these columns, or one is named twice."""
    with open_result(upload, None) as result:
        names = names_of(result)
    for number, name in enumerate(chosen):
        if name not in names or name in chosen[:number]:
            raise ParameterError("columns", f"There is no column {name!r}, or it is named twice.", accepted=names)


def file_columns(piece: Piece, result: Result) -> list[Column]:
    """The file's own columns. What a record has too little is empty; what it has too many stands in its last column,
    with the delimiters between."""
    width, last, delimiter = result.width, result.width - 1, result.dialect.delimiter
    is_even = {*piece.widths} == {width}
    if is_even and not result.dialect.skip_spaces and not any('"' in text for text in piece.texts):
        cells = delimiter.join([text.rstrip("\r\n") for text in piece.texts]).split(delimiter)
        return [cells[place::width] for place in range(width)]
    records: Iterable[Sequence[str]] = piece.records()
    if not is_even:
        filled = ([*record, *[""] * (width - len(record))] for record in records)
        records = ([*record[:last], delimiter.join(record[last:])] for record in filled)
    return list(zip(*records, strict=True)) or [()] * width


def answer_columns(answers: Answers, areas: "AreaNamesOnce[Any]") -> list[Column]:
    """Those of COLUMNS."""
    names = areas.of(answers.areas)
    return [
        list(map(STATUS_WORDS.__getitem__, answers.statuses)),
        answers.reasons,
        answers.postcodes,
        answers.distances,
        [postcode and outcode_of(postcode) for postcode in answers.postcodes],
        *(list(map(itemgetter(place), names)) for place in range(len(NO_NAMES))),
    ]


class Output(io.RawIOBase):
    """A file for libraries that write to one. What they wrote is taken piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
