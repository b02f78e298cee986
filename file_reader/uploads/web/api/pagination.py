"""Pages by position."""

import re
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from uploads.rows.pages import RowPages

_LARGEST_POSITION = 10**18 - 1
_POSITION = re.compile(r"\d{1,18}", re.ASCII)


class CursorPages(CursorPagination):
    """Pages by position: the last one costs what the first one costs, and nobody counts."""

    ordering = "id"
    page_size = 100
    max_page_size = 1_000
    page_size_query_param = "page_size"
    parameters = ("cursor", "page_size")

    def get_page_size(self, request: Request) -> int:
        """As asked, 1…1,000; what is beyond is an error, not another size than the one that was asked for."""
        value = request.query_params.get("page_size", str(self.page_size))
        size = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
        if not 1 <= size <= self.max_page_size:
            raise ValidationError({"page_size": f"Accepted: 1 to {self.max_page_size}."})
        return size

    def decode_cursor(self, request: Request) -> Any:
        """The position, which comes from the caller like anything else."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            cursor = None
        else:
            if cursor is None or cursor.position is None or _POSITION.fullmatch(str(cursor.position)):
                return cursor
        raise ValidationError({"cursor": "Accepted: what next or previous of another page has."})


class NewestFirst(CursorPages):
    ordering = "-id"


class RowCursor(CursorPages):
    """The same cursors, for rows: their ids differ, so that a position is enough."""

    next: str | None = None
    previous: str | None = None

    def __init__(self, request: Request) -> None:
        self.base_url = request.build_absolute_uri()
        self._size = self.get_page_size(request)
        self._cursor = self.decode_cursor(request) or Cursor(offset=0, reverse=False, position=None)

    def read(self, rows: RowPages) -> list[dict[str, Any]]:
        """The page; afterwards `next` and `previous` have the addresses of those beside it."""
        position = None if self._cursor.position is None else int(self._cursor.position)
        backwards = self._cursor.reverse
        found = rows.page(position, self._size + 1, backwards=backwards)
        page, goes_on = found[: self._size], len(found) > self._size
        if backwards:
            page.reverse()
        came_from = 0 if position is None else position
        came_from_a_cursor = position is not None
        has_next = came_from_a_cursor if backwards else goes_on
        has_previous = goes_on if backwards else came_from_a_cursor
        if has_next:
            self.next = self._link(page[-1]["id"] if page else max(0, came_from - 1), backwards=False)
        if has_previous:
            before = page[0]["id"] if page else min(came_from + 1, _LARGEST_POSITION)
            self.previous = self._link(before, backwards=True)
        return page

    def _link(self, position: int, *, backwards: bool) -> str:
        return self.encode_cursor(Cursor(offset=0, reverse=backwards, position=position))
