"""Pages of rows: those that a caller may see and asks for, in the order of their ids, beginning anywhere.

Nothing is counted and nothing is skipped: a page costs what the first one costs. There are three ways to its rows:
`walking`, `gathering` and `searching`, each in a module of its own.

We choose the way ourselves: right after a large upload the database has no statistics and picks a plan a thousand times
slower.
"""

from typing import Any

from uploads.models import Upload
from uploads.rows.by_place import Ids
from uploads.rows.filters import Filters
from uploads.rows.gathering import Gathering
from uploads.rows.scope import MOST_IDS, RARE, RowScope, parts_of
from uploads.rows.searching import Searching
from uploads.rows.walking import Leaping, Walking


class RowPages:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    def __init__(self, filters: Filters, owner_id: int | None = None, upload: Upload | None = None) -> None:
        self._scope = RowScope(filters, owner_id, upload)
        self._gathering = Gathering(self._scope)

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[dict[str, Any]]:
        """At most `limit` rows after the row with the id `position`, or before it, the nearest first."""
        scope, reach = self._scope, self._scope.everything()
        if position is not None:
            reach = (reach[0], min(reach[1], position - 1)) if backwards else (max(reach[0], position + 1), reach[1])
        if reach[0] > reach[1]:
            return []
        ids = self._gathering.ids(reach)
        if ids is not None:
            return self._gathering.page(ids, limit, backwards)
        if scope.filters.box and not scope.has_few_rows():
            return Searching(scope).page(scope.filters.box, reach, limit, backwards)
        if scope.filters.status in RARE and scope.owner_id is not None and not scope.upload:
            return Leaping(scope).page(reach, limit, backwards)
        return Walking(scope).page(reach, limit, backwards)

    def count(self) -> int:
        """How many rows there are, for filters that only seek postcodes: quick, unless there is no other way."""
        scope, ids, sought = self._scope, self.ids(), self._scope.filters.sought
        if ids is None or sought is None:
            return sum(scope.rows().filter(id__range=span).count() for span in scope.spans(scope.everything()))
        if sought.are_regular:
            return len(ids)
        return sum(scope.rows().filter(id__in=part).count() for part in parts_of(ids, MOST_IDS))

    def ids(self) -> Ids | None:
        """The ids of all rows with the postcodes that are sought, and maybe of others, in order.

        None when none are sought, or there are too many lists.
        """
        return self._gathering.ids(self._scope.everything())
