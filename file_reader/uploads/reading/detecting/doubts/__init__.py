"""What would put every row at a wrong place, and is asked back: tables of rules, one for each doubt.

None is asked of what was declared: then the sender has said what it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uploads.reading.detecting.sample import Table

#: How a sender says that what is doubted is right.
DECLARE = "declare the columns with latitude=<column number> and longitude=<column number>"


@dataclass(frozen=True)
class Doubt:
    """What was seen and what to do, the columns in which it was seen, and the options that mend it, if any do."""

    detail: str
    columns: list[int]
    fix: dict[str, str] = field(default_factory=dict)


#: The rules by their names. Each is given the sample and columns of it, and says its doubt if it has one.
Rules = dict[str, Callable[..., Doubt | None]]


def ask(table: Table, rules: Rules, *columns: Any) -> None:
    """Raises the ColumnsError of the first rule that has a doubt."""
    for rule in rules.values():
        if (doubt := rule(table, *columns)) is not None:
            raise table.error(doubt.detail, doubt.columns, doubt.fix)
