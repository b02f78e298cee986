"""The first way to a page of rows: along an index, until the page is full."""

from dataclasses import dataclass
from typing import Any

from uploads.models import (
    Upload,
)
from uploads.row_ids import MAX_ROWS, ROW_BITS, row_id
from uploads.rows.scope import LAST_ID, RowScope, cut, read
from uploads.rows.spans import Span, within

#: Walked through one after the other, before the next rows are looked at together: a statement for each small upload
#: would take longer.
_FEW_SPANS = 8
#: Ids that are read at once when leaping: at first, and at most. Some may be of uploads of others.
_FEW_HITS, _MANY_HITS = 250, 4_000


@dataclass(frozen=True)
class Walking:
    """Along the primary key: for what many rows have. Rows are pending only in chunks that are open."""

    scope: RowScope

    def page(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """At most `limit` rows, the nearest first."""
        found: list[dict[str, Any]] = []
        rows = self.scope.rows()
        spans = self.scope.spans(reach)[:: -1 if backwards else 1]
        while spans:
            for span in spans[:_FEW_SPANS]:
                found += read(rows.filter(id__range=span), limit - len(found), backwards)
                if len(found) >= limit:
                    return found
            spans = spans[_FEW_SPANS:]
            if len(spans) > _FEW_SPANS:  # many small ones may follow: as many as are in the next rows, together
                reach = (reach[0], spans[0][1]) if backwards else (spans[0][0], reach[1])
                next_rows, reach = cut(reach, backwards)
                found += self.scope.read_all(next_rows, limit - len(found), backwards)
                spans = within(reach, spans) if len(found) < limit else []
        return found


@dataclass(frozen=True)
class Leaping:
    """Along the index of rows with a rare status, from hit to hit over all uploads of a caller."""

    scope: RowScope

    def page(self, reach: Span, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """The page of rows with a rare status: from hit to hit, whoever's, and over uploads that may not be shown."""
        found: list[int] = []
        rows, uploads = self.scope.rows(), Upload.objects.visible_to(self.scope.owner_id)
        in_order = rows.order_by("-id" if backwards else "id").values_list("id", flat=True)
        wanted = max(limit, _FEW_HITS)
        while len(found) < limit:
            hits = list(in_order.filter(id__range=reach)[:wanted])
            visible = self.scope.visible({hit >> ROW_BITS for hit in hits})
            found += [hit for hit in hits if hit >> ROW_BITS in visible]
            if len(hits) < wanted:
                break
            upload = hits[-1] >> ROW_BITS
            if upload in visible:
                reach = (reach[0], hits[-1] - 1) if backwards else (hits[-1] + 1, reach[1])
            elif backwards:
                nearest = uploads.filter(pk__lt=upload).order_by("-pk").values_list("pk", flat=True).first()
                reach = (reach[0], -1 if nearest is None else row_id(nearest, MAX_ROWS))
            else:
                nearest = uploads.filter(pk__gt=upload).order_by("pk").values_list("pk", flat=True).first()
                reach = (LAST_ID if nearest is None else row_id(nearest, 0), reach[1])
            wanted = min(2 * wanted, _MANY_HITS)
        return read(rows.filter(id__in=found[:limit]), limit, backwards)
