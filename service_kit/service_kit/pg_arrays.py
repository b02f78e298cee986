"""Arrays as PostgreSQL's own text: a tenth of the cost of one adapted parameter for each element."""

from collections.abc import Iterable, Sequence
from typing import Any


def pg_array(values: Sequence[Any]) -> str:
    """The array of these values, which are all numbers or all texts, or None."""
    fields: Iterable[str]
    if isinstance(next((value for value in values if value is not None), None), str):
        fields = map(_quoted, values) if _needs_escapes(values) else _plainly_quoted(values)
    elif None in values:
        fields = ["NULL" if value is None else repr(value) for value in values]
    else:
        fields = map(repr, values)
    return "{" + ",".join(fields) + "}"


def _needs_escapes(texts: Iterable[str | None]) -> bool:
    together = "".join(filter(None, texts))
    return '"' in together or "\\" in together


def _plainly_quoted(texts: Iterable[str | None]) -> list[str]:
    return ["NULL" if text is None else f'"{text}"' for text in texts]


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
