"""The second way to a page of rows: all ids of the rows with some postcodes, of which the page is cut out."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from django.db.models import Q

from uploads.models import (
    PostcodeList,
)
from uploads.row_ids import ROW_BITS, row_id
from uploads.rows.by_place import Ids
from uploads.rows.scope import RowScope
from uploads.rows.spans import Span, Spans

#: More lists of postcode areas are not gathered from: some 200 million rows, or as many small uploads.
_MOST_GATHERED = 10_000
#: So many runs of uploads, and not what others have between them, are asked for; of more, everything is read.
_FEW_RUNS = 100


@dataclass(frozen=True)
class Gathering:
    """From the lists of the postcode areas of the postcodes that are sought (`rows.by_postcode`)."""

    scope: RowScope

    def ids(self, reach: Span) -> Ids | None:
        """The ids there, in order, of the rows with the postcodes that are sought; None when these lead nowhere."""
        sought = self.scope.filters.sought
        if sought is None or self.scope.has_few_rows():
            return None
        spans = self.scope.spans(reach)
        if not spans:
            return np.empty(0, np.int64)
        # The list that a span begins in may have begun anywhere in its upload.
        runs = [(row_id(first >> ROW_BITS, 0), last) for first, last in spans]
        if len(runs) > _FEW_RUNS:
            runs = [(runs[0][0], runs[-1][1])]
        in_runs = reduce(or_, (Q(first_id__range=run) for run in runs))
        lists = PostcodeList.objects.filter(in_runs, postcode_area__in=sought.areas)
        # In the order of the index, so that no database thinks of another way.
        in_order = lists.order_by("postcode_area", "first_id").values_list("first_id", "postcode_area", "entries")
        found = list(in_order[: _MOST_GATHERED + 1])
        if len(found) > _MOST_GATHERED:
            return None
        ids = sought.ids_in(found)
        return ids[Spans(spans).meet(ids, ids)]

    def page(self, ids: Ids, limit: int, backwards: bool) -> list[dict[str, Any]]:
        """At most `limit` of these rows, the nearest first."""
        return self.scope.pick(ids[::-1] if backwards else ids, limit, limit, backwards)
