"""The admin of chunks and of rows: to look at, and to search as far as that is quick."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from service_kit.admin import LargeTableAdmin
from uploads.errors import RowQueryTimeoutError
from uploads.models import STATUS_WORDS, Chunk, Row, RowStatus, Upload
from uploads.row_ids import ids_of_upload
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages
from uploads.work.in_words import span_of

#: The most rows that are shown of a postcode, an outcode or a status.
FOUND_ROWS = 1_000


def _seconds(moment: datetime) -> str:
    return date_format(localtime(moment), "j M H:i:s")


def _link_to(upload: Upload) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:uploads_upload_change", args=[upload.pk]), upload)


@admin.register(Chunk)
class ChunkAdmin(LargeTableAdmin):
    list_display = ["rows", "of_upload", "state", "attempts", "worker", "leased_until", "due", "matched", "no_match",
                    "failed", "rejected"]  # fmt: skip
    list_filter = ["state"]
    ordering = ["id"]
    list_select_related = ["upload"]
    actions = None

    @admin.display(description="upload")
    def of_upload(self, chunk: Chunk) -> SafeString:
        return _link_to(chunk.upload)

    def rows(self, chunk: Chunk) -> str:
        return span_of(chunk)

    @admin.display(description="lease until", empty_value="")
    def leased_until(self, chunk: Chunk) -> str | None:
        return _seconds(chunk.lease_until) if chunk.lease_until else None

    @admin.display(description="due at")
    def due(self, chunk: Chunk) -> str:
        return _seconds(chunk.due_at)


class OfUploadFilter(admin.SimpleListFilter):
    """The upload that the address names, as links do: there may be thousands to choose from."""

    title = "upload"
    parameter_name = "upload"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name)
        return [] if asked is None else [(asked, f"number {asked}")]

    def queryset(self, request: HttpRequest, rows: QuerySet[Row]) -> QuerySet[Row]:
        upload_id = _upload_asked_for(request)
        return rows if upload_id is None else rows.filter(id__range=ids_of_upload(upload_id))


class StatusFilter(admin.SimpleListFilter):
    """Applied by the search: a condition in SQL would look at every row."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(status.value), status.label.replace("_", " ")) for status in RowStatus]

    def queryset(self, request: HttpRequest, rows: QuerySet[Row]) -> QuerySet[Row]:
        return rows


@admin.register(Row)
class RowAdmin(LargeTableAdmin):
    """They may be personal data: a right of its own."""

    list_display = ["number", "of_upload", "line", "latitude", "longitude", "status", "reason", "postcode",
                    "distance_m"]  # fmt: skip
    list_filter = [StatusFilter, OfUploadFilter]
    search_fields = ["postcode"]
    search_help_text = "A whole postcode (SW1A 1AA), or an outcode (SW1A)."
    ordering = ["id"]
    list_select_related = ["upload"]
    actions = None
    fields = ["number", "upload", "line", "latitude", "longitude", "status", "reason", "postcode", "distance_m", "raw"]

    @admin.display(description="row")
    def number(self, row: Row) -> int:
        return row.number

    @admin.display(description="upload")
    def of_upload(self, row: Row) -> SafeString:
        return _link_to(row.upload)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """No other column has an index."""
        return lookup in (StatusFilter.parameter_name, OfUploadFilter.parameter_name)

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Row], text: str) -> tuple[QuerySet[Row], bool]:
        """What is sought, or has a status, is found as the API finds it."""
        parameters = {}
        if text := text.strip().upper():
            parameters["outcode" if len(text.replace(" ", "")) <= 4 else "postcode"] = text
        if word := STATUS_WORDS.get(_whole(request.GET.get(StatusFilter.parameter_name, ""))):
            parameters["status"] = word
        if not parameters:
            return rows, False
        upload_id = _upload_asked_for(request)
        pages = RowPages(parse_filters(parameters), upload=None if upload_id is None else Upload(pk=upload_id))
        try:
            found = pages.page(None, FOUND_ROWS + 1)
        except RowQueryTimeoutError as error:
            self.message_user(request, str(error), messages.WARNING)
            return rows.none(), False
        if len(found) > FOUND_ROWS:
            self.message_user(request, f"Only the first {FOUND_ROWS:,} of these rows are shown.", messages.INFO)
        return rows.filter(pk__in=[row["id"] for row in found[:FOUND_ROWS]]), False


def _upload_asked_for(request: HttpRequest) -> int | None:
    """The number that the address has; -1, which no upload has, for what is no number."""
    asked = request.GET.get(OfUploadFilter.parameter_name)
    return None if asked is None else _whole(asked)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
