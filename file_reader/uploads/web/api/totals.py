"""`/uploads/{id}/summary/` and `.csv`, `/uploads/{id}/cells/`, `/stats/`: rows that are counted and not shown."""

import csv
import io
from collections.abc import Iterator
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.gzip import gzip_page
from rest_framework.decorators import api_view
from rest_framework.request import Request

from service_kit.query_parameters import query_parameters
from uploads.errors import ParameterError, TotalsNotReadyError
from uploads.rows.filters import parse_filters
from uploads.rows.map import map_of, parse_size
from uploads.rows.stats import parse_span, stats_of
from uploads.rows.totals import KINDS, TotalPages
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.api.pagination import PARAMETERS, Page
from uploads.web.plain_views import Call, plain_view


def _totals(owner_id: int | None, public_id: UUID, by: str) -> TotalPages:
    upload = find_upload(owner_id, public_id)
    if by not in KINDS:
        raise ParameterError("by", f"Accepted: {', '.join(KINDS)}.")
    if upload.indexed_at is None:
        raise TotalsNotReadyError
    return TotalPages(upload, by)


def _summary(call: Call, public_id: UUID) -> dict[str, Any]:
    """The totals of an upload, the largest first."""
    totals = _totals(call.owner_id, public_id, call.query.get("by", ""))
    page = Page(call.request.build_absolute_uri(call.request.path), call.query)
    found = page.read(totals, id_of=attrgetter("rank"))
    return page.as_json([{"value": total.value, "rows": total.rows} for total in found])


@api_view(["GET", "HEAD"])
@query_parameters("by")
def summary_csv(request: Request, public_id: UUID) -> Any:
    """All of them as a table."""
    by = request.query_params.get("by", "")
    totals = _totals(owner_id(request), public_id, by)
    response = StreamingHttpResponse(
        _table(by, totals) if request.method == "GET" else (), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = content_disposition_header(True, f"summary-by-{by}.csv")
    return response


def _table(by: str, totals: TotalPages) -> Iterator[bytes]:
    yield f"{by},rows\r\n".encode()
    for some in totals.all():
        text = io.StringIO()
        csv.writer(text).writerows(some)
        yield text.getvalue().encode()


def _cells(call: Call, public_id: UUID) -> dict[str, Any]:
    """The map of an upload, also while it is worked on."""
    upload = find_upload(call.owner_id, public_id)
    size = parse_size(call.query.get("size", "0.02"))
    return map_of(upload.pk, size, parse_filters(call.query))._asdict()


def _stats(call: Call) -> dict[str, Any]:
    """The caller's uploads and rows, by when they were accepted."""
    return stats_of(call.owner_id, parse_span(call.query))


summary = plain_view("by", *PARAMETERS, GET=_summary)
# A map of the whole country is a fifth of its size when it is packed.
cells = gzip_page(plain_view("size", "bbox", "status", GET=_cells))
stats = plain_view("interval", "from", "to", GET=_stats)
