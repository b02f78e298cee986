"""`/rows/` and `/uploads/{id}/rows/`: questions about rows."""

from operator import itemgetter
from typing import Any
from uuid import UUID

from uploads.errors import ParameterError
from uploads.models import Upload
from uploads.results.kept import version_of
from uploads.rows.filters import ROW_FILTERS, parse_filters
from uploads.rows.pages import RowPages
from uploads.web.api.callers import find_upload
from uploads.web.api.pagination import PARAMETERS, Page
from uploads.web.api.row_presenters import row_as_json
from uploads.web.plain_views import Call, Unless, plain_view


def _rows_of_one(call: Call, public_id: UUID) -> Any:
    """The rows of one upload, filtered, in file order."""
    return _page(call, find_upload(call.owner_id, public_id))


def _rows_of_all(call: Call) -> Any:
    """The rows of all the caller's uploads, or of one, filtered."""
    wanted = call.query.get("upload")
    if wanted is None:
        return _page(call, None)
    try:
        public_id = UUID(wanted)
    except ValueError:
        raise ParameterError("upload", "This is not the id of an upload.") from None
    return _page(call, find_upload(call.owner_id, public_id))


def _page(call: Call, upload: Upload | None) -> Any:
    filters = parse_filters(call.query)
    address = call.request.build_absolute_uri(call.request.path)
    page = Page(address, call.query)

    def read() -> dict[str, Any]:
        rows = page.read(RowPages(filters, owner_id=call.owner_id, upload=upload), id_of=itemgetter("id"))
        return page.as_json([row_as_json(row) for row in rows])

    if upload and (version := version_of(upload)):  # its rows do not change
        return Unless((version, address, sorted(call.query.items())), read)
    return read()


upload_rows = plain_view(*ROW_FILTERS, *PARAMETERS, GET=_rows_of_one)
rows = plain_view("upload", *ROW_FILTERS, *PARAMETERS, GET=_rows_of_all)
