"""The columns of the answers, also in a file that is a result already and is sent again."""

import csv
import re
from itertools import chain, count, islice

from uploads.reading.detecting.dialect import Dialect
from uploads.reading.fields import QUOTING
from uploads.reading.lines import split_lines

COLUMNS = (
    "result_status",
    "result_reason",
    "result_postcode",
    "result_distance_m",
    "result_outcode",
    "result_country",
    "result_region",
    "result_admin_district",
    "result_admin_ward",
)


def fields_of(text: str, dialect: Dialect) -> list[str]:
    """The fields of a record."""
    reader = csv.reader(
        split_lines(text),
        delimiter=dialect.delimiter,
        skipinitialspace=dialect.skip_spaces,
        quoting=QUOTING[dialect.quoting],
    )
    return next(reader)


def fields_to_keep(header: list[str], dialect: Dialect) -> int | None:
    """How many columns stand before the answers of a result that was sent again; None if it is no such file."""
    kept = len(header) - len(COLUMNS)
    if tuple(header[-len(COLUMNS) :]) != COLUMNS or dialect.surplus:
        return None
    return kept if max(dialect.latitude_column, dialect.longitude_column) < kept else None


def names_of_answers(header: list[str]) -> list[str]:
    """What the columns of the answers are called: with a number, if others in the file are called so."""
    taken = {name.strip() for name in header}
    names = ([f"{name}{number}" for name in COLUMNS] for number in chain([""], (f"_{n}" for n in count(2))))
    return next(called for called in names if not taken & {*called})


def without_answers(
    texts: list[str], widths: list[int], width: int, kept: int, dialect: Dialect
) -> tuple[list[str], list[int]]:
    """The records without the answers of before. What has more fields than the header is left as it is."""
    found = [
        _beginning(text, kept, dialect) if kept < own <= width else text
        for text, own in zip(texts, widths, strict=True)
    ]
    return found, [kept if kept < own <= width else own for own in widths]


def _beginning(text: str, count: int, dialect: Dialect) -> str:
    """The first fields of a record as they stand there, and its line end."""
    bare = text.rstrip("\r\n")
    sign = re.escape(dialect.delimiter)
    spaces = " *" if dialect.skip_spaces else ""
    quoted = rf'{spaces}"(?:[^"]|"")*"[^{sign}]*|' if dialect.quoting == "quotes" else ""
    fields = re.compile(rf"(?:{quoted}[^{sign}]*)(?:{sign}|$)").finditer(bare)
    end = list(islice(fields, count))[-1].end()
    return bare[: end - len(dialect.delimiter)] + text[len(bare) :]
