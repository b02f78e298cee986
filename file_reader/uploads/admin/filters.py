"""The filters of the list of uploads."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from uploads.models import Chunk, UploadQuerySet
from uploads.work.stuck import stuck_uploads


class _YesFilter(admin.SimpleListFilter):
    """All of them, or only those for which it is so."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, uploads: Any) -> Any:
        return self.chosen(uploads) if self.value() == "yes" else uploads

    def chosen(self, uploads: UploadQuerySet) -> UploadQuerySet:
        raise NotImplementedError


class FailedRowsFilter(_YesFilter):
    title = "has failed rows"
    parameter_name = "failed_rows"

    def chosen(self, uploads: UploadQuerySet) -> UploadQuerySet:
        return uploads.filter(Exists(Chunk.objects.filter(upload=OuterRef("pk"), failed__gt=0)))


class StuckFilter(_YesFilter):
    """Their lease ran out, or nothing was answered for ten minutes."""

    title = "stuck"
    parameter_name = "stuck"

    def chosen(self, uploads: UploadQuerySet) -> UploadQuerySet:
        return stuck_uploads(uploads)
