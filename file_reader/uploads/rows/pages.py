"""Pages of rows: those that a caller may see and asks for, in the order of their ids, beginning anywhere."""

from typing import Any

from django.db.models import QuerySet

from uploads.models import Row, Upload
from uploads.row_ids import ids_of_upload
from uploads.rows.filters import ROW_FIELDS, Filters


class RowPages:
    """The rows of one upload, or of all that `owner_id` may see, as far as the filters let them through."""

    def __init__(self, filters: Filters, owner_id: int | None = None, upload: Upload | None = None) -> None:
        self._filters = filters
        self._owner_id = owner_id
        self._upload = upload

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[dict[str, Any]]:
        """At most `limit` rows after the row with the id `position`, or before it, the nearest first."""
        rows = self._rows()
        if position is not None:
            rows = rows.filter(id__lt=position) if backwards else rows.filter(id__gt=position)
        return list(rows.order_by("-id" if backwards else "id").values(*ROW_FIELDS)[:limit])

    def count(self) -> int:
        """How many rows there are."""
        return self._rows().count()

    def _rows(self) -> QuerySet[Row]:
        rows = Row.objects.filter(self._filters.where)
        if self._upload:
            return rows.filter(id__range=ids_of_upload(self._upload.pk))
        return rows.filter(upload__in=Upload.objects.visible_to(self._owner_id).values("pk"))
