"""Pages by position: the last one costs what the first one costs, and nobody counts."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet

from uploads.errors import ParameterError

T = TypeVar("T")
M = TypeVar("M", bound=Model)

#: The query parameters of whatever comes in pages.
PARAMETERS = ("cursor", "page_size")
SIZE = 100
LARGEST_SIZE = 1_000
#: What is in a cursor, in base64: r=1 is backwards, p the position where the page begins.
_CURSOR = re.compile(r"(r=1)?&?(?:p=(\d{1,18}))?", re.ASCII)


class Source(Protocol[T]):
    """What has pages, such as `uploads.rows.pages.RowPages`."""

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[T]:
        """At most `limit` items after that position, or before it, the nearest first; None is the end of all."""


class NewestFirst(Generic[M]):
    """What such a query finds."""

    def __init__(self, found: QuerySet[M]) -> None:
        self._found = found

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[M]:
        """See `Source`."""
        found = self._found
        if position is not None:
            found = found.filter(pk__gt=position) if backwards else found.filter(pk__lt=position)
        return list(found.order_by("pk" if backwards else "-pk")[:limit])


class Page:
    """Which page a call asks for, and the addresses of those beside it."""

    next: str | None = None
    previous: str | None = None

    def __init__(self, address: str, query: Mapping[str, str]) -> None:
        """Raises ParameterError for a cursor or a size that is not valid: another size is not what was asked for."""
        self._address = address
        self._query = query
        size = query.get("page_size", str(SIZE))
        self._size = int(size) if size.isascii() and size.isdecimal() and len(size) < 10 else 0
        if not 1 <= self._size <= LARGEST_SIZE:
            raise ParameterError("page_size", f"Accepted: 1 to {LARGEST_SIZE}.")
        self._position, self._backwards = _decoded(query.get("cursor", ""))

    def read(self, source: Source[T], id_of: Callable[[T], int]) -> list[T]:
        """The items of the page; `id_of` is the position of one. Afterwards `next` and `previous` are known."""
        found = source.page(self._position, self._size + 1, backwards=self._backwards)
        page, goes_on = found[: self._size], len(found) > self._size
        if self._backwards:
            page.reverse()
        came_from_a_page = self._position is not None
        # Beside a page on which nothing is left lies the first page, or the last one.
        if came_from_a_page if self._backwards else goes_on:
            self.next = self._link(id_of(page[-1]) if page else None, backwards=False)
        if goes_on if self._backwards else came_from_a_page:
            self.previous = self._link(id_of(page[0]) if page else None, backwards=True)
        return page

    def as_json(self, results: list[Any]) -> dict[str, Any]:
        """The answer, with its items as JSON."""
        return {"next": self.next, "previous": self.previous, "results": results}

    def _link(self, position: int | None, *, backwards: bool) -> str:
        cursor = {"r": "1"} if backwards else {}
        if position is not None:
            cursor["p"] = str(position)
        encoded = b64encode(urlencode(cursor).encode()).decode()
        return f"{self._address}?{urlencode(sorted({**self._query, 'cursor': encoded}.items()))}"


def _decoded(cursor: str) -> tuple[int | None, bool]:
    """The position, and whether the page lies before it. It comes from the caller like anything else."""
    try:
        found = _CURSOR.fullmatch(b64decode(cursor, validate=True).decode("ascii"))
    except ValueError:
        found = None
    if found is None:
        raise ParameterError("cursor", "Accepted: what next or previous of another page has.")
    backwards, position = found.groups()
    return None if position is None else int(position), backwards is not None
