"""What a case of the corpus is: a file as somebody sends it, and what must be read from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class At:
    """A row that is read: the line on which it begins (from 1) and its coordinates, exact or to `within` metres."""

    line: int
    latitude: float
    longitude: float
    within: float = 0.0


@dataclass(frozen=True)
class No:
    """A row that is rejected."""

    line: int
    reason: str


@dataclass(frozen=True)
class Fault:
    """Why a file cannot be read, or not any further. `extra` must be among what the error says beside its sentence."""

    slug: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    mentions: str = ""


@dataclass(frozen=True)
class Case:
    """A file and its reading.

    `rows` are all data records; with a `fault`, those that are read before it. `dialect` holds what must be told of the
    file where it matters. Text is sent in UTF-8. `wrong` says what the reader does not do yet: the case must fail.
    """

    name: str
    data: str | bytes
    rows: Sequence[At | No] = ()
    fault: Fault | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    dialect: Mapping[str, Any] = field(default_factory=dict)
    max_bytes: int = 10 << 20
    wrong: str = ""

    @property
    def content(self) -> bytes:
        return self.data.encode() if isinstance(self.data, str) else self.data


#: The errors' types and the status of each, as docs/problems.md has them.
STATUS = {
    "unsupported-file": 415,
    "upload-too-large": 413,
    "unreadable-archive": 422,
    "empty-file": 422,
    "columns-not-found": 422,
    "unreadable-file": 422,
    "reading-doubtful": 422,
}
EMPTY = Fault("empty-file")
