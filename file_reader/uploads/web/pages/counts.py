"""What became of the rows of an upload, line by line, as the page shows it."""

from dataclasses import dataclass, field
from typing import Any

from uploads.web.pages.words import STATUS_WORDS, reason_in_words

#: The names that the counts have in the API.
_COUNTED = {
    "match": "matched",
    "no_match": "no_match",
    "failed": "failed",
    "rejected": "rejected",
    "pending": "pending",
}
#: The bar, in hundredths: no part that is there is so small that it cannot be seen.
_LEAST_PART = 0.35
_GAP = 0.16


@dataclass(frozen=True)
class Line:
    """A status with its rows, their share in percent (None: no row), and the reasons, each in words, with its rows."""

    status: str
    word: str
    rows: int
    share: float | None
    reasons: list[tuple[str, str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """A part of the bar: where it begins and how wide it is, in percent."""

    status: str
    x: float
    width: float


def lines_of(shown: dict[str, Any]) -> list[Line]:
    """The five lines, which add up to the rows that were read."""
    read = shown["rows"]["read"]
    reasons = shown.get("reasons") or {}
    return [
        Line(
            status,
            str(STATUS_WORDS[status]),
            rows := shown["rows"][name],
            rows / read * 100 if rows else None,
            [
                (reason, reason_in_words(reason, shown["max_distance"]), count)
                for reason, count in sorted(reasons.get(status, {}).items(), key=lambda item: -item[1])
            ],
        )
        for status, name in _COUNTED.items()
    ]


def bar_of(shown: dict[str, Any]) -> list[Part]:
    """The parts of the bar for rows that have an answer; while the file is read, its share that is not yet is empty."""
    rows, progress = shown["rows"], shown["progress"] * 100
    answered = rows["read"] - rows["pending"]
    parts: list[Part] = []
    x = 0.0
    for status, name in _COUNTED.items():
        if status == "pending" or not rows[name]:
            continue
        width = max(_LEAST_PART, rows[name] / answered * progress - _GAP)
        parts.append(Part(status, round(x, 3), round(width, 3)))
        x += width + _GAP
    return parts
