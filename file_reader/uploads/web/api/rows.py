"""`/rows/`, `/uploads/{id}/rows/`, `/postcodes/{postcode}/`: questions about rows."""

from uuid import UUID

import msgspec
from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from service_kit.query_parameters import query_parameters
from uploads.models import Upload
from uploads.rows.filters import ROW_FILTERS, parse_filters
from uploads.rows.pages import RowPages
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.api.pagination import CursorPages, RowCursor
from uploads.web.api.row_presenters import row_as_json


@api_view(["GET", "HEAD"])
@query_parameters(*ROW_FILTERS, *CursorPages.parameters)
def upload_rows(request: Request, public_id: UUID) -> HttpResponse:
    """The rows of one upload, filtered, in file order."""
    return _rows_response(request, find_upload(request, public_id))


@api_view(["GET", "HEAD"])
@query_parameters("upload", *ROW_FILTERS, *CursorPages.parameters)
def rows(request: Request) -> HttpResponse:
    """The rows of all the caller's uploads, filtered."""
    wanted = request.query_params.get("upload")
    if wanted is None:
        return _rows_response(request, None)
    try:
        return _rows_response(request, find_upload(request, UUID(wanted)))
    except ValueError:
        raise ValidationError({"upload": "This is not the id of an upload."}) from None


def _rows_response(request: Request, upload: Upload | None) -> HttpResponse:
    filters = parse_filters(request.query_params.dict())
    pages = RowCursor(request)
    page = pages.read(RowPages(filters, owner_id=owner_id(request), upload=upload))
    answer = {"next": pages.next, "previous": pages.previous, "results": [row_as_json(row) for row in page]}
    # REST framework's own renderer takes longer than all the rest.
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


@api_view(["GET", "HEAD"])
@query_parameters()
def postcode(request: Request, postcode: str) -> Response:
    """What is known about a postcode, however it is spaced."""
    raise NotFound(f"Not known: {postcode}")
