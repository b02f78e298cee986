"""The columns that a result will have, before a file is sent."""

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from postcodes_cli.answers import Preview, ReadingOptions
from postcodes_cli.errors import KeyRefusedError, ProblemError, RetryableError
from postcodes_cli.geocoding import Job

if TYPE_CHECKING:
    from postcodes_cli.client import Client

#: What can be looked at as a whole only is not sent twice when it is larger: a wrong column is told of at the end then.
_WHOLE_BYTES = 1 << 20


def check_columns(client: "Client", columns: str, jobs: Iterable[Job], options: dict[str, Any]) -> None:
    """Raises UsageError for columns that the results of these files will not have, or that are named twice."""
    try:
        (record,) = csv.reader([columns], strict=True)
    except (csv.Error, ValueError):
        raise click.UsageError("--columns takes names with commas between, in quotes where needed") from None
    chosen = [name.strip() for name in record]
    for job in jobs:
        names = _names_of(client, job, options)
        for number, name in enumerate(chosen):
            if names and (name not in names or name in chosen[:number]):
                raise click.UsageError(
                    f"--columns: {job.source.name} has no column {name!r}, or it is named twice. It will have:"
                    f" {', '.join(names)}"
                )


def _names_of(client: "Client", job: Job, options: dict[str, Any]) -> list[str]:
    """What its columns will be called; empty if that cannot be told."""
    from postcodes_cli.frames import RESULT_COLUMNS
    from postcodes_cli.questions import tells_in_part

    reading = {name: value for name, value in options.items() if name in ReadingOptions.__annotations__}
    file = job.source.open()
    try:
        beginning = file.read(_WHOLE_BYTES)
        file.seek(0)
        if len(beginning) == _WHOLE_BYTES and not tells_in_part(beginning):
            return []
        seen: Preview = client.preview(file, filename=job.source.name, **reading)
    except ProblemError as error:
        if isinstance(error, KeyRefusedError | RetryableError):
            raise
        return []  # why it cannot be read is told when it is sent
    finally:
        file.seek(0)
        if job.source.path:
            file.close()
    width = max(map(len, (seen["columns"], *(row["fields"] for row in seen["rows"]))), default=0)
    if not width or any(name.strip() in RESULT_COLUMNS for name in seen["columns"]):
        return []  # of a result that is sent again, the server knows best
    given = [name.replace("\0", "").strip() for name in [*seen["columns"], *[""] * width][:width]]
    named = [name or f"column_{number}" for number, name in enumerate(given, 1)]
    return [*_unique(named, {*named}), *RESULT_COLUMNS]


def _unique(names: Iterable[str], taken: set[str]) -> Iterator[str]:
    """As the server does: a number behind each that was there before."""
    seen: set[str] = set()
    for name in names:
        free, number = name, 1
        while free in seen or (number > 1 and free in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        yield free
