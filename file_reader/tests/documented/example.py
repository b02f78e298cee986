"""What an example of a line of docs/files.md is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.corpus.case import At, No


@dataclass(frozen=True)
class Example:
    """A file, or what makes one that is large, and what becomes of it.

    `rows` are its rows, None for any; `dialect` is among what is told of it, `table` stands in the table that is made
    of it. What the document says of it need not be said here.
    """

    data: str | bytes | Callable[[], bytes]
    rows: Sequence[At | No] | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    dialect: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    max_bytes: int = 1 << 28

    @property
    def content(self) -> bytes:
        data = self.data() if callable(self.data) else self.data
        return data.encode() if isinstance(data, str) else data


#: By the text of a line: its first cell, or all of an item of a list.
Examples = dict[str, list[Example]]
